import { cohereUsage } from "./formats/cohere.ts";
import { epochLimitHeaders } from "./formats/limit-headers.ts";
import { rerankDemand } from "./formats/openai-demand.ts";
import { openaiMeters } from "./formats/openai-meters.ts";
import { cohereChatDemand, cohereClassifyDemand, cohereEmbedDemand } from "./formats/other-demands.ts";
import { cohereOwned } from "./formats/other-owned.ts";
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
  names: [{ host: "api.cohere.ai", retired: true }],
  rewrites: [
    [
      /^\/(?=(?:models|tokenize|detokenize|classify|datasets|embed-jobs|connectors|finetuning)(?:\/|$))/,
      "/v1/",
    ],
  ],
  credential: { env: ["CO_API_KEY", "COHERE_API_KEY"], required: true, place: bearer, probe: "/v1/models" },
  owned: cohereOwned,
  errors: { ...textErrors("message"), limitHeaders: epochLimitHeaders },
  denied: [{ method: "*", path: /^\/connectors\/[^/]+\/oauth(\/|$)/, why: mints }],
  modelForms: [/^\/audio\//],
  objects: { path: /^\/(?:datasets|embed-jobs|connectors|finetuning|batches)(?:\/|$)/ },
  free: /^\/(?:tokenize|detokenize|check-api-key|datasets|connectors)(?:\/|$)|[/:]cancel$/,
  deferred: /^\/(?:embed-jobs|batches|finetuning\/finetuned-models)$/,
  meters: [
    {
      method: "POST",
      path: /\/(?:chat|generate|summarize)$/,
      format: cohereUsage,
      demand: cohereChatDemand,
    },
    { method: "POST", path: /\/embed$/, format: cohereUsage, demand: cohereEmbedDemand },
    { method: "POST", path: /\/rerank$/, format: cohereUsage, demand: rerankDemand },
    { method: "POST", path: /\/classify$/, format: cohereUsage, demand: cohereClassifyDemand },
    ...openaiMeters,
  ],
  client: { keys: ["CO_API_KEY"], bases: [["CO_API_URL", ""]] },
};
