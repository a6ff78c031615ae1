import { openaiCompatible } from "./formats/openai.ts";
import { bearer, type Provider } from "./provider.ts";

/** With and without `/v1`; `/beta`, and Anthropic's API under `/anthropic`. */
export const deepseek: Provider = {
  ...openaiCompatible,
  id: "deepseek",
  name: "DeepSeek",
  upstream: "https://api.deepseek.com",
  version: { kind: "none" },
  credential: { env: ["DEEPSEEK_API_KEY"], required: true, place: bearer, probe: "/models" },
  streamUsage: "ask",
  disconnect: { provider: "stops" },
  client: { keys: ["DEEPSEEK_API_KEY"], bases: [["DEEPSEEK_API_BASE", "/v1"]] },
};
