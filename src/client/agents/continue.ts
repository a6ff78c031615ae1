import { join } from "node:path";
import type { Setting } from "../edit/setting.ts";
import { type Agent, type GatewayFacts, ifOpen, usualModels } from "./agent.ts";

export const continueDev: Agent = {
  id: "continue",
  name: "Continue",
  providers: ["anthropic", "openai"],
  files: [
    {
      path: ({ environment, home }) =>
        join(environment["CONTINUE_GLOBAL_DIR"] || join(home, ".continue"), "config.yaml"),
      format: "yaml",
      settings: (gateway) => [
        // Without these three it does not read the file.
        { path: ["name"], value: "Local Config", unlessSet: true },
        { path: ["version"], value: "1.0.0", unlessSet: true },
        { path: ["schema"], value: "v1", unlessSet: true },
        ...model(gateway, "anthropic", "LlaMaKey Claude"),
        ...model(gateway, "openai", "LlaMaKey GPT"),
      ],
    },
  ],
  steps: () => ["Choose the model LlaMaKey Claude or LlaMaKey GPT; others are further entries of that list."],
};

function model(gateway: GatewayFacts, provider: string, name: string): readonly Setting[] {
  return ifOpen(gateway, provider, (base) => [
    {
      path: ["models"],
      entry: { field: "name", keep: ["model", "roles"] },
      value: {
        name,
        provider,
        model: usualModels[provider] ?? "",
        apiBase: `${base}/v1/`,
        apiKey: gateway.key,
        roles: ["chat", "edit", "apply"],
      },
    },
  ]);
}
