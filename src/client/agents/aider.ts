import { join } from "node:path";
import { type Agent, ifOpen, usualModels } from "./agent.ts";

export const aider: Agent = {
  id: "aider",
  name: "aider",
  providers: ["openai", "anthropic"],
  files: [
    {
      path: ({ home }) => join(home, ".aider.conf.yml"),
      format: "yaml",
      settings: (gateway) => [
        ...(gateway.model === undefined ? [] : [{ path: ["model"], value: gateway.model }]),
        ...ifOpen(gateway, "openai", (base) => [
          { path: ["openai-api-base"], value: `${base}/v1` },
          { path: ["openai-api-key"], value: gateway.key },
        ]),
        ...ifOpen(gateway, "anthropic", (base) => [
          { path: ["anthropic-api-key"], value: gateway.key },
          // It has no option of its own for this address.
          {
            path: ["set-env"],
            entry: { prefix: "ANTHROPIC_API_BASE=" },
            value: `ANTHROPIC_API_BASE=${base}`,
          },
        ]),
      ],
    },
  ],
  steps: () => [
    `Name models with their provider: aider --model openai/${usualModels["openai"]}, aider --model anthropic/${usualModels["anthropic"]}.`,
    "A .aider.conf.yml in the project goes before this one.",
  ],
};
