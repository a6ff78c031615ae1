import { epochLimitHeaders } from "./formats/limit-headers.ts";
import { textErrors } from "./formats/text-errors.ts";
import { voyageUsage } from "./formats/voyage.ts";
import { bearer, defaults, type Provider } from "./provider.ts";

export const voyage: Provider = {
  ...defaults,
  id: "voyage",
  name: "Voyage",
  upstream: "https://api.voyageai.com/v1",
  version: { kind: "in-base", prefix: "/v1" },
  credential: { env: ["VOYAGE_API_KEY"], required: true, place: bearer, probe: "/files" },
  errors: { ...textErrors("detail"), limitHeaders: epochLimitHeaders },
  meters: [{ method: "POST", path: /./, format: voyageUsage }],
  unlisted: "Pictures: it bills them by the pixel.",
  client: { keys: [{ name: "VOYAGE_API_KEY", unguided: true }], bases: [] },
};
