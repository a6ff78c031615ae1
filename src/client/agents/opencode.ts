import { join } from "node:path";
import { type Agent, ifOpen } from "./agent.ts";

/** What it calls them, and the version that stands in its base addresses. */
const providers = [
  ["anthropic", "anthropic", "/v1"],
  ["openai", "openai", "/v1"],
  ["gemini", "google", "/v1beta"],
] as const;

export const opencode: Agent = {
  id: "opencode",
  name: "opencode",
  providers: ["anthropic", "openai", "gemini"],
  files: [
    {
      path: ({ environment, home, exists }) => {
        if (environment["OPENCODE_CONFIG"]) return environment["OPENCODE_CONFIG"];
        const folder = join(environment["XDG_CONFIG_HOME"] || join(home, ".config"), "opencode");
        const withComments = join(folder, "opencode.jsonc");
        return exists(withComments) ? withComments : join(folder, "opencode.json");
      },
      format: "jsonc",
      settings: (gateway) => [
        // It would write this line itself, and --undo would then find a file that somebody edited.
        { path: ["$schema"], value: "https://opencode.ai/config.json", unlessSet: true },
        ...providers.flatMap(([id, name, version]) =>
          ifOpen(gateway, id, (base) => [
            { path: ["provider", name, "options", "baseURL"], value: base + version },
            { path: ["provider", name, "options", "apiKey"], value: gateway.key },
          ]),
        ),
        ...(gateway.model === undefined ? [] : [{ path: ["model"], value: gateway.model }]),
      ],
    },
  ],
  steps: () => ["Start opencode anew, and choose a model with /models."],
};
