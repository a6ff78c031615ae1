import { join } from "node:path";
import { type Agent, ifOpen, type Machine } from "./agent.ts";

const folder = ({ environment, home }: Machine) => join(environment["GEMINI_CLI_HOME"] || home, ".gemini");

export const geminiCli: Agent = {
  id: "gemini-cli",
  name: "Gemini CLI",
  providers: ["gemini"],
  files: [
    {
      path: (machine) => join(folder(machine), "settings.json"),
      format: "jsonc",
      // With a base address and no choice it takes a way of signing in that it then refuses.
      settings: (gateway) =>
        ifOpen(gateway, "gemini", () => [
          { path: ["security", "auth", "selectedType"], value: "gemini-api-key" },
        ]),
    },
    {
      path: (machine) => join(folder(machine), ".env"),
      format: "dotenv",
      settings: (gateway) =>
        ifOpen(gateway, "gemini", (base) => [
          { path: ["GEMINI_API_KEY"], value: gateway.key },
          { path: ["GOOGLE_GEMINI_BASE_URL"], value: base },
        ]),
    },
  ],
  steps: () => [
    "Start gemini anew. A project's own .gemini/.env or .env is read instead of this one: there, add the same two lines.",
    "Where gemini runs in a folder that it does not trust, it reads no .env: trust the folder when it asks.",
  ],
};
