import { join } from "node:path";
import type { Setting } from "../edit/setting.ts";
import { type Agent, ifOpen, usualModels } from "./agent.ts";

export const librechat: Agent = {
  id: "librechat",
  name: "LibreChat",
  providers: ["openai"],
  files: [
    {
      path: ({ environment, folder }) => environment["CONFIG_PATH"] || join(folder, "librechat.yaml"),
      format: "yaml",
      settings: (gateway) => [
        { path: ["version"], value: "1.2.1", unlessSet: true },
        { path: ["cache"], value: true, unlessSet: true },
        ...ifOpen(gateway, "openai", endpoint),
      ],
    },
    {
      path: ({ folder }) => join(folder, ".env"),
      format: "dotenv",
      settings: (gateway) => [{ path: ["LMK_KEY"], value: gateway.key }],
    },
  ],
  steps: () => [
    "This was done in the folder where you are, which should be LibreChat's own. Start LibreChat anew.",
    "With Docker, mount librechat.yaml in docker-compose.override.yml.",
  ],
};

const endpoint = (base: string): readonly Setting[] => [
  {
    path: ["endpoints", "custom"],
    entry: { field: "name", keep: ["models"] },
    value: {
      name: "LlaMaKey",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: LibreChat fills it in, from its own .env
      apiKey: "${LMK_KEY}",
      baseURL: `${base}/v1`,
      models: { default: [usualModels["openai"] ?? ""], fetch: true },
      titleConvo: true,
      titleModel: "current_model",
    },
  },
];
