import { openaiObjects } from "./formats/objects.ts";
import { openaiErrors } from "./formats/openai.ts";
import { newerOpenaiMeters, openaiDeferred, openaiFree } from "./formats/openai-meters.ts";
import { openaiOwned } from "./formats/openai-owned.ts";
import { defaults, inHeader, type Provider } from "./provider.ts";
import { media, mints } from "./reasons.ts";

/**
 * Azure OpenAI: `LMK_AZURE_UPSTREAM=https://<resource>.openai.azure.com`, without `/openai`. Both its dated API
 * (`/openai/deployments/<name>/...?api-version=`) and the undated one (`/openai/v1/...`).
 */
export const azure: Provider = {
  ...defaults,
  id: "azure",
  name: "Azure OpenAI",
  upstream: undefined,
  domains: ["openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"],
  version: {
    kind: "in-path",
    prefix: "/openai/v1",
    also: ["/openai"],
    endpoints: ["chat", "completions", "responses", "embeddings", "models", "images", "audio", "batches"],
  },
  rewrites: [[/^\/(?=(?:v1|deployments)\/)/, "/openai/"]],
  credential: {
    env: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
    required: true,
    place: inHeader("api-key"),
    probe: "/openai/models?api-version=2024-10-21",
  },
  errors: openaiErrors,
  accountHeaders: ["openai-organization", "openai-project"],
  denied: [
    {
      method: "*",
      path: /^(?:\/deployments\/[^/]+)?\/realtime(?:api)?\/(?:client_secrets|sessions|transcription_sessions)(\/|$)/,
      why: mints,
    },
    { method: "*", path: /^(?:\/deployments\/[^/]+)?\/realtime(?:api)?\/calls(\/|$)/, why: media },
  ],
  modelForms: [/^(?:\/deployments\/[^/]+)?\/(?:audio|images|videos)(?:\/|$)/],
  // The model in the body is not looked at where the path names a deployment.
  modelInPath: /^\/openai\/deployments\/([^/]+)\//i,
  links: [{ path: /^/, headers: ["operation-location", "azure-asyncoperation", "location"] }],
  // A deployment may be called anything, so none is known not to think unseen.
  disconnect: { provider: "stops", hidden: /./ },
  requestIdHeaders: ["apim-request-id", "x-request-id", "x-ms-request-id"],
  streamUsage: "ask",
  objects: openaiObjects,
  free: openaiFree,
  owned: openaiOwned,
  deferred: openaiDeferred,
  meters: newerOpenaiMeters,
  client: { keys: ["AZURE_OPENAI_API_KEY"], bases: [["AZURE_OPENAI_ENDPOINT", ""]] },
};
