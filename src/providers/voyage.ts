import { epochLimitHeaders } from "./formats/limit-headers.ts";
import { rerankDemand } from "./formats/openai-demand.ts";
import { voyageDemand } from "./formats/other-demands.ts";
import { filesOwned } from "./formats/other-owned.ts";
import { textErrors } from "./formats/text-errors.ts";
import { voyageUsage } from "./formats/voyage.ts";
import { bearer, defaults, type Provider } from "./provider.ts";

export const voyage: Provider = {
  ...defaults,
  id: "voyage",
  name: "Voyage",
  upstream: "https://api.voyageai.com/v1",
  version: { kind: "in-base", prefix: "/v1" },
  // What its SDK calls with keys that MongoDB gives out.
  names: [{ host: "ai.mongodb.com", retired: true }],
  credential: { env: ["VOYAGE_API_KEY"], required: true, place: bearer, probe: "/files" },
  owned: filesOwned,
  errors: { ...textErrors("detail"), limitHeaders: epochLimitHeaders },
  objects: { path: /^\/(?:files|batches)(?:\/|$)/ },
  free: /^\/files$|\/cancel$/,
  deferred: /^\/batches$/,
  meters: [
    { method: "POST", path: /\/rerank$/, format: voyageUsage, demand: rerankDemand },
    { method: "POST", path: /./, format: voyageUsage, demand: voyageDemand },
  ],
  unlisted: "Pictures: it bills them by the pixel.",
  client: { keys: [{ name: "VOYAGE_API_KEY", unguided: true }], bases: [] },
};
