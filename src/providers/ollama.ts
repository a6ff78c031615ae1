import { ollamaUsage } from "./formats/ollama.ts";
import { openaiMeters } from "./formats/openai-meters.ts";
import { ollamaDemand } from "./formats/other-demands.ts";
import { textErrors } from "./formats/text-errors.ts";
import { bearer, defaultTimeouts, type Provider } from "./provider.ts";

/**
 * Ollama: its own API under `/api`, OpenAI's under `/v1`.
 * `LMK_OLLAMA_UPSTREAM=http://127.0.0.1:11434`; `OLLAMA_API_KEY` only for the hosted service.
 */
export const ollama: Provider = {
  id: "ollama",
  name: "Ollama",
  upstream: undefined,
  version: {
    kind: "in-path",
    prefix: "/v1",
    endpoints: ["chat", "completions", "responses", "embeddings", "models", "messages"],
  },
  credential: { env: ["OLLAMA_API_KEY"], required: false, place: bearer, probe: "/api/tags" },
  errors: textErrors("error"),
  accountHeaders: [],
  denied: [],
  modelForms: [],
  links: [],
  requestIdHeaders: [],
  timeouts: defaultTimeouts,
  streamUsage: "given",
  free: /^\/api\/(?!chat$|generate$|embed$|embeddings$)/,
  meters: [
    {
      method: "POST",
      path: /^\/api\/(?:chat|generate|embed|embeddings)$/,
      format: ollamaUsage,
      demand: ollamaDemand,
    },
    ...openaiMeters,
  ],
  pricing: "free",
  client: { keys: ["OLLAMA_API_KEY"], bases: [["OLLAMA_HOST", ""]] },
};
