import { type Agent, usualModels } from "./agent.ts";

export const cursor: Agent = {
  id: "cursor",
  name: "Cursor",
  providers: ["openai"],
  // Its settings of models lie in its account and its own database.
  files: [],
  steps: (gateway) => [
    "Cursor Settings, Models, API Keys:",
    `  OpenAI API Key: turn it on, and paste your LlaMaKey key (${gateway.shownKey}).`,
    `  Override OpenAI Base URL: turn it on, and enter ${gateway.base("openai")}/v1`,
    `  Add Custom Model: ${gateway.model ?? usualModels["openai"]}, and turn it on.`,
    "Cursor's own servers make these calls: they must reach that address over https, from the internet.",
    "Tab completion, and what else Cursor does with models of its own, does not go there.",
  ],
};
