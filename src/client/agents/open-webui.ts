import type { Agent } from "./agent.ts";

export const openWebui: Agent = {
  id: "open-webui",
  name: "Open WebUI",
  providers: ["openai"],
  // It reads its environment at its first start, and its database from then on.
  files: [],
  steps: (gateway) => [
    `For a new one, with your LlaMaKey key (${gateway.shownKey}) in LMK_KEY:`,
    `  docker run -d -p 3000:8080 -v open-webui:/app/backend/data -e OPENAI_API_BASE_URL=${gateway.base("openai")}/v1 -e OPENAI_API_KEY="$LMK_KEY" ghcr.io/open-webui/open-webui:main`,
    "For one that has run before: Admin Settings, Connections, OpenAI API, Add Connection:",
    `  URL: ${gateway.base("openai")}/v1`,
    `  API Key: your LlaMaKey key (${gateway.shownKey}).`,
    "In a container, 127.0.0.1 is the container itself: the gateway needs an address that is reached from there.",
  ],
};
