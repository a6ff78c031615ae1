import { cohereUsage } from "./formats/cohere.ts";
import { epochLimitHeaders } from "./formats/limit-headers.ts";
import { openaiMeters } from "./formats/openai-meters.ts";
import { textErrors } from "./formats/text-errors.ts";
import { bearer, defaults, type Provider } from "./provider.ts";
import { mints } from "./reasons.ts";

/** Both versions of its API; where a path names none, the newer one that has such an endpoint. */
export const cohere: Provider = {
  ...defaults,
  id: "cohere",
  name: "Cohere",
  upstream: "https://api.cohere.com",
  version: { kind: "in-path", prefix: "/v2", also: ["/v1"], endpoints: ["chat", "embed", "rerank", "audio"] },
  rewrites: [
    [
      /^\/(?=(?:models|tokenize|detokenize|classify|datasets|embed-jobs|connectors|finetuning)(?:\/|$))/,
      "/v1/",
    ],
  ],
  credential: { env: ["CO_API_KEY", "COHERE_API_KEY"], required: true, place: bearer, probe: "/v1/models" },
  errors: { ...textErrors("message"), limitHeaders: epochLimitHeaders },
  denied: [{ method: "*", path: /^\/connectors\/[^/]+\/oauth(\/|$)/, why: mints }],
  modelForms: [/^\/audio\//],
  meters: [
    { method: "POST", path: /\/(?:chat|embed|rerank|generate|classify|summarize)$/, format: cohereUsage },
    ...openaiMeters,
  ],
  client: { keys: ["CO_API_KEY"], bases: [["CO_API_URL", ""]] },
};
