import { resultDemand } from "./formats/demand.ts";
import { geminiUsage } from "./formats/gemini.ts";
import { geminiBatchUsage } from "./formats/gemini-batch.ts";
import { geminiBatchFileUsage } from "./formats/gemini-batch-file.ts";
import {
  embedContentDemand,
  generateDemand,
  interactionsDemand,
  predictDemand,
} from "./formats/gemini-demand.ts";
import { geminiInteractionsUsage } from "./formats/gemini-interactions.ts";
import { googleAccountHeaders, googleErrors } from "./formats/google.ts";
import { geminiOwned } from "./formats/google-owned.ts";
import { googlePredictUsage } from "./formats/google-predict.ts";
import { googleObjects } from "./formats/objects.ts";
import { openaiMeters } from "./formats/openai-meters.ts";
import { bearer, defaults, type Provider } from "./provider.ts";
import { administers, mints } from "./reasons.ts";

export const gemini: Provider = {
  ...defaults,
  id: "gemini",
  name: "Gemini",
  upstream: "https://generativelanguage.googleapis.com",
  version: {
    kind: "in-path",
    prefix: "/v1beta",
    also: ["/v1alpha", "/v1"],
    endpoints: [
      "models",
      "files",
      "cachedContents",
      "batches",
      "tunedModels",
      "fileSearchStores",
      "interactions",
      "openai",
    ],
  },
  rewrites: [[/^\/v1(?:beta)?\/(?=chat\/completions$|embeddings$)/, "/v1beta/openai/"]],
  // Python's google-genai takes this base for Vertex as well.
  handovers: [{ to: "vertex", when: /^\/v1(?:beta1|alpha1)?\/(?:projects|publishers)\// }],
  credential: {
    // GOOGLE_API_KEY is not among them: on many machines it is a key for maps.
    env: ["GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"],
    required: true,
    place: (secret, _, path) =>
      /^\/v1(?:beta|alpha)?\/openai\//.test(path) ? bearer(secret) : ["x-goog-api-key", secret],
    probe: "/v1beta/models?pageSize=1",
  },
  owned: geminiOwned,
  errors: googleErrors,
  accountHeaders: googleAccountHeaders,
  denied: [
    { method: "*", path: /^\/auth_?tokens(?:[/:]|$)/, why: mints },
    { method: "*", path: /^\/(?:credentials|environments)(?:[/:]|$)/, why: administers },
  ],
  // Python calls every piece of a file JSON.
  fileBodies: /^\/upload\//,
  // What the body says of a model does not count.
  modelInPath: /\/(?:models\/)?((?<=models\/)[^/]+|tunedModels\/[^/]+):/i,
  // Python sends the pieces of an upload without any key.
  links: [{ path: /^\/upload\//, headers: ["x-goog-upload-url"], followedWithoutKey: true }],
  // Its models think unseen, and say how much; but whoever asks for some fields alone is told nothing.
  disconnect: { provider: "stops", hidden: /./, tells: true },
  requestIdHeaders: [],
  objects: googleObjects,
  free: /:(?:counttokens|counttextTokens|cancel)$|^\/(?:upload\/|files(?:\/|$)|webhooks)/i,
  deferred:
    /:(?:asyncbatchembedcontent|batchgeneratecontent|predictlongrunning)$|^\/(?:batches|tunedmodels)$/,
  meters: [
    { method: "POST", path: /:(?:stream)?generatecontent$/, format: geminiUsage, demand: generateDemand },
    { method: "POST", path: /:(?:batch)?embedcontents?$/, format: geminiUsage, demand: embedContentDemand },
    { path: /\/batches\/[^/]+$/, format: geminiBatchUsage, demand: resultDemand },
    { path: /\/files\/[^/]+:download$/, format: geminiBatchFileUsage, demand: resultDemand },
    { path: /\/interactions(?:\/[^/]+)?$/, format: geminiInteractionsUsage, demand: interactionsDemand },
    { method: "POST", path: /:predict$/, format: googlePredictUsage, demand: predictDemand },
    ...openaiMeters,
  ],
  client: {
    keys: ["GEMINI_API_KEY", { name: "GOOGLE_API_KEY", broad: true }],
    bases: [["GOOGLE_GEMINI_BASE_URL", ""]],
  },
};
