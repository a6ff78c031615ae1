import { join } from "node:path";
import { type Agent, ifOpen } from "./agent.ts";

const provider = ["model_providers", "llamakey"];

export const codex: Agent = {
  id: "codex",
  name: "Codex CLI",
  providers: ["openai"],
  files: [
    {
      path: ({ environment, home }) => join(environment["CODEX_HOME"] || join(home, ".codex"), "config.toml"),
      format: "toml",
      settings: (gateway) =>
        ifOpen(gateway, "openai", (base) => [
          // A provider of its own: only of such a one the key may stand in this file, and it uses no WebSockets.
          { path: ["model_provider"], value: "llamakey" },
          ...(gateway.model === undefined ? [] : [{ path: ["model"], value: gateway.model }]),
          { path: [...provider, "name"], value: "LlaMaKey" },
          { path: [...provider, "base_url"], value: `${base}/v1` },
          { path: [...provider, "wire_api"], value: "responses" },
          { path: [...provider, "experimental_bearer_token"], value: gateway.key },
        ]),
    },
  ],
  steps: () => ["Start codex anew. It asks no account of its own."],
};
