import { messagesDemand } from "./formats/anthropic-demand.ts";
import { geminiUsage } from "./formats/gemini.ts";
import { embedContentDemand, generateDemand, predictDemand } from "./formats/gemini-demand.ts";
import { googleAccountHeaders, googleErrors } from "./formats/google.ts";
import { vertexOwned } from "./formats/google-owned.ts";
import { googlePredictUsage } from "./formats/google-predict.ts";
import { googleObjects } from "./formats/objects.ts";
import { openaiMeters } from "./formats/openai-meters.ts";
import { serviceAccountGrant, serviceAccountProject } from "./formats/service-account.ts";
import { vertexAnthropicUsage } from "./formats/vertex-anthropic.ts";
import { hosts } from "./host-name.ts";
import { bearer, defaults, type Provider } from "./provider.ts";
import { mints } from "./reasons.ts";

const location = (pattern: string) =>
  new RegExp(`^/v[0-9a-z]+/projects/[^/]+/locations/(${pattern})(?=[/:]|$)`);

/** Every location that has a host of its own. */
const LOCATIONS = [
  ...["us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3"],
  ...["us-west4", "northamerica-northeast1", "northamerica-northeast2", "southamerica-east1"],
  ...["southamerica-west1", "europe-central2", "europe-north1", "europe-southwest1", "europe-west1"],
  ...["europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9"],
  ...["europe-west12", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3"],
  ...["asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2", "australia-southeast1"],
  ...["australia-southeast2", "me-central1", "me-central2", "me-west1", "africa-south1"],
];
const MULTI_REGIONS = ["aiplatform.us.rep.googleapis.com", "aiplatform.eu.rep.googleapis.com"];

const title = "For Vertex AI, with what lmk env --format adc writes as llamakey_adc.json:";

/** Google Vertex AI: the host follows the location in the path. */
export const vertex: Provider = {
  ...defaults,
  id: "vertex",
  name: "Vertex AI",
  upstream: "https://aiplatform.googleapis.com",
  version: { kind: "in-path", prefix: "/v1", also: ["/v1beta1"], endpoints: ["projects", "publishers"] },
  hosts: [
    { path: location("us|eu"), base: "https://aiplatform.$1.rep.googleapis.com" },
    { path: location("[a-z]+-[a-z]+[0-9]+"), base: "https://$1-aiplatform.googleapis.com" },
  ],
  names: hosts(...LOCATIONS.map((one) => `${one}-aiplatform.googleapis.com`), ...MULTI_REGIONS),
  // "Express mode": with an API key and nothing else, Google's SDKs name neither project nor location.
  accountPath: {
    path: /^(\/v[0-9a-z]+)(?=\/publishers\/[^/]+\/models\/[^/]+(?::|%3a)[a-z]+$)/i,
    part: (project, location) => `/projects/${project}/locations/${location}`,
    variable: "GOOGLE_CLOUD_LOCATION",
    location: "global",
  },
  credential: {
    env: [],
    required: true,
    place: bearer,
    mint: {
      files: ["GOOGLE_APPLICATION_CREDENTIALS"],
      account: serviceAccountProject,
      request: (secret, _, now) => serviceAccountGrant(secret, now),
    },
    probe: "/v1/publishers/google/models/gemini-2.5-flash",
  },
  owned: vertexOwned,
  errors: googleErrors,
  accountHeaders: googleAccountHeaders,
  // What the body says of a model does not count.
  modelInPath: /\/(?:models\/)?((?<=models\/)[^/]+|endpoints\/[^/]+):/i,
  // Ours, and nothing of it is for Google, however it is spelt.
  denied: [{ method: "*", path: /^\/oauth2(?:\/|$)/, why: mints }],
  clientTokens: {
    paths: ["/vertex/oauth2/token"],
    grants: {
      refresh_token: "refresh_token",
      "urn:ietf:params:oauth:grant-type:token-exchange": "subject_token",
    },
  },
  requestIdHeaders: [],
  objects: googleObjects,
  tierHeaders: ["x-vertex-ai-llm-shared-request-type"],
  free: /:(?:counttokens|computetokens|cancel)$|\/count-tokens(?:@[^:/]*)?:rawpredict$/,
  deferred: /:predictlongrunning$|\/(?:batchpredictionjobs|tuningjobs|custom[jJ]obs)$/,
  meters: [
    {
      method: "POST",
      path: /\/publishers\/anthropic\/.*:(?:stream)?rawpredict$/,
      format: vertexAnthropicUsage,
      demand: messagesDemand,
    },
    { method: "POST", path: /:(?:stream)?generatecontent$/, format: geminiUsage, demand: generateDemand },
    { method: "POST", path: /:(?:batch)?embedcontents?$/, format: geminiUsage, demand: embedContentDemand },
    { method: "POST", path: /:predict$/, format: googlePredictUsage, demand: predictDemand },
    ...openaiMeters,
  ],
  // Its models think unseen, and say how much; but whoever asks for some fields alone is told nothing.
  disconnect: { provider: "stops", hidden: /./, tells: true },
  client: {
    keys: [
      { name: "GOOGLE_APPLICATION_CREDENTIALS", broad: true, value: "llamakey_adc.json", title },
      { name: "GOOGLE_GENAI_USE_VERTEXAI", broad: true, value: "true", title },
    ],
    bases: [
      ["GOOGLE_VERTEX_BASE_URL", ""],
      ["ANTHROPIC_VERTEX_BASE_URL", "/v1"],
    ],
  },
};
