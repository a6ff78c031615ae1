import { type Agent, usualModels } from "./agent.ts";

export const cline: Agent = {
  id: "cline",
  name: "Cline",
  providers: ["anthropic", "openai"],
  // It keeps them in the editor's own storage, the key in the system's.
  files: [],
  steps: (gateway) => {
    const anthropic = gateway.base("anthropic");
    const openai = gateway.base("openai");
    return [
      "In the editor: the Cline panel, its gear, API Configuration.",
      ...(anthropic === undefined
        ? []
        : [
            "For Claude: API Provider: Anthropic.",
            `  Anthropic API Key: your LlaMaKey key (${gateway.shownKey}).`,
            `  Use custom base URL: tick it, and enter ${anthropic}`,
          ]),
      ...(openai === undefined
        ? []
        : [
            "For GPT: API Provider: OpenAI Compatible.",
            `  Base URL: ${openai}/v1`,
            `  OpenAI Compatible API Key: your LlaMaKey key (${gateway.shownKey}).`,
            `  Model ID: ${gateway.model ?? usualModels["openai"]}`,
          ]),
    ];
  },
};
