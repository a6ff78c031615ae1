import { openaiCompatible } from "./formats/openai.ts";
import { newerOpenaiMeters } from "./formats/openai-meters.ts";
import { bearer, type Provider } from "./provider.ts";

export const cerebras: Provider = {
  ...openaiCompatible,
  id: "cerebras",
  name: "Cerebras",
  upstream: "https://api.cerebras.ai/v1",
  version: { kind: "in-base", prefix: "/v1" },
  meters: newerOpenaiMeters,
  credential: { env: ["CEREBRAS_API_KEY"], required: true, place: bearer, probe: "/models" },
  // Models that hide their reasoning where they are asked to.
  disconnect: { provider: "stops", hidden: /gpt-oss|qwen|glm/i },
  client: { keys: ["CEREBRAS_API_KEY"], bases: [["CEREBRAS_BASE_URL", ""]] },
};
