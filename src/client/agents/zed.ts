import { join } from "node:path";
import { type Agent, ifOpen } from "./agent.ts";

export const zed: Agent = {
  id: "zed",
  name: "Zed",
  providers: ["anthropic", "openai", "gemini"],
  files: [
    {
      path: ({ environment, home, platform }) =>
        platform === "win32"
          ? join(environment["APPDATA"] || join(home, "AppData", "Roaming"), "Zed", "settings.json")
          : join(
              (platform === "linux" && environment["XDG_CONFIG_HOME"]) || join(home, ".config"),
              "zed",
              "settings.json",
            ),
      format: "jsonc",
      settings: (gateway) => [
        ...ifOpen(gateway, "anthropic", (base) => [
          { path: ["language_models", "anthropic", "api_url"], value: base },
        ]),
        ...ifOpen(gateway, "openai", (base) => [
          { path: ["language_models", "openai", "api_url"], value: `${base}/v1` },
        ]),
        ...ifOpen(gateway, "gemini", (base) => [
          { path: ["language_models", "google", "api_url"], value: base },
        ]),
      ],
    },
  ],
  // The key goes into the system's keychain, which only Zed itself writes to.
  steps: (gateway) => [
    "In Zed: agent: open settings, LLM Providers.",
    `For each provider paste your LlaMaKey key (${gateway.shownKey}) as its API key.`,
  ],
};
