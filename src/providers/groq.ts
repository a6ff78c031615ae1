import { openaiCompatible } from "./formats/openai.ts";
import { newerOpenaiMeters } from "./formats/openai-meters.ts";
import { bearer, type Provider } from "./provider.ts";

export const groq: Provider = {
  ...openaiCompatible,
  id: "groq",
  name: "Groq",
  upstream: "https://api.groq.com/openai/v1",
  version: { kind: "in-base", prefix: "/openai/v1", also: ["/v1"] },
  meters: newerOpenaiMeters,
  credential: { env: ["GROQ_API_KEY"], required: true, place: bearer, probe: "/models" },
  // Models that hide their reasoning where they are asked to.
  disconnect: { provider: "stops", hidden: /gpt-oss|qwen|deepseek|compound/i },
  client: { keys: ["GROQ_API_KEY"], bases: [["GROQ_BASE_URL", ""]] },
};
