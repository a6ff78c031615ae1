import { resultDemand } from "./formats/demand.ts";
import { replicateDemand } from "./formats/other-demands.ts";
import { replicateOwned } from "./formats/other-owned.ts";
import { replicateUsage } from "./formats/replicate.ts";
import { bearer, defaults, type ErrorFormat, type Provider } from "./provider.ts";
import { mints } from "./reasons.ts";

/** RFC 7807. */
const errors: ErrorFormat = {
  body: (refusal, requestId, status) => ({
    type: "about:blank",
    title: refusal.code,
    status,
    detail: refusal.message,
    instance: requestId,
  }),
  requestIdHeader: undefined,
};

const followed = ["urls.get", "urls.cancel", "next", "previous", "results.urls.get", "results.urls.cancel"];

export const replicate: Provider = {
  ...defaults,
  id: "replicate",
  name: "Replicate",
  upstream: "https://api.replicate.com/v1",
  version: { kind: "in-base", prefix: "/v1" },
  hosts: [
    {
      path: /^\/hosts\/(stream[a-z0-9.-]*\.replicate\.(?:com|net))(?=\/)/,
      base: "https://$1",
      takesOff: true,
      withoutKey: true,
    },
  ],
  names: [
    {
      host: "stream.replicate.com",
      place: "/hosts/stream.replicate.com",
      withoutKey: true,
    },
  ],
  domains: ["replicate.com", "replicate.net"],
  credential: { env: ["REPLICATE_API_TOKEN"], required: true, place: bearer, probe: "/account" },
  owned: replicateOwned,
  errors,
  denied: [{ method: "*", path: /^\/webhooks\/[^/]+\/secret(\/|$)/, why: mints }],
  links: [
    { path: /^/, fields: followed },
    {
      // Python follows it with the key, JavaScript without any.
      path: /\/predictions(?:\/|$)/,
      fields: ["urls.stream", "results.urls.stream"],
      places: [[/^(stream[a-z0-9.-]*\.replicate\.(?:com|net))$/, "/hosts/$1"]],
      followedWithoutKey: true,
    },
  ],
  requestIdHeaders: ["x-request-id", "cf-ray"],
  objects: { path: /\/(?:predictions|files|trainings|deployments)(?:\/|$)/, balanced: /\/predictions$/ },
  free: /\/cancel$|^\/files$|^\/models$/,
  deferred: /^\/trainings$|\/versions\/[^/]+\/trainings$/,
  modelInPath: /^(?:\/v1)?\/(?:models|deployments)\/([^/]+\/[^/]+)\//i,
  meters: [
    { method: "POST", path: /\/predictions$/, format: replicateUsage, demand: replicateDemand },
    { path: /\/predictions(?:\/[^/]+)?$/, format: replicateUsage, demand: resultDemand },
  ],
  unlisted: "All: a model costs what its hardware does by the second, or has a price of its own.",
  client: { keys: ["REPLICATE_API_TOKEN"], bases: [["REPLICATE_BASE_URL", ""]] },
};
