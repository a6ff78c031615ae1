import { join } from "node:path";
import { type Agent, ifOpen } from "./agent.ts";

export const claudeCode: Agent = {
  id: "claude-code",
  name: "Claude Code",
  providers: ["anthropic"],
  files: [
    {
      path: ({ environment, home }) =>
        join(environment["CLAUDE_CONFIG_DIR"] || join(home, ".claude"), "settings.json"),
      format: "jsonc",
      settings: (gateway) =>
        ifOpen(gateway, "anthropic", (base) => [
          { path: ["env", "ANTHROPIC_BASE_URL"], value: base },
          // Not ANTHROPIC_API_KEY: of a key it asks at its first start whether it may use it.
          { path: ["env", "ANTHROPIC_AUTH_TOKEN"], value: gateway.key },
        ]),
    },
  ],
  steps: () => [
    "Start claude anew. Should your shell set ANTHROPIC_... variables of another account, unset them.",
  ],
};
