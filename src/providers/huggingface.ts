import type { Refusal } from "../domain/refusal.ts";
import { huggingfaceTaskUsage } from "./formats/huggingface-task.ts";
import { ietfLimitHeaders } from "./formats/limit-headers.ts";
import { openaiMeters } from "./formats/openai-meters.ts";
import { huggingfaceTaskDemand } from "./formats/other-demands.ts";
import { textErrors } from "./formats/text-errors.ts";
import { bearer, defaults, type ErrorFormat, type Provider } from "./provider.ts";
import { administers } from "./reasons.ts";

/** Its SDKs read `error` only where it is a string. */
export const huggingfaceErrors: ErrorFormat = {
  ...textErrors("error"),
  limitHeaders: ietfLimitHeaders,
  // The TypeScript client repeats a 503 at once and for ever.
  statusOf: ({ code, status }: Refusal) => (status === 503 || code === "credential_rejected" ? 500 : status),
};

/**
 * Inference Providers: OpenAI's API under `/v1`, a chosen backend's own under `/<backend>`, and what the retired
 * `api-inference` host served at its old paths. Of the Hub only what inference clients look up.
 */
export const huggingface: Provider = {
  ...defaults,
  id: "huggingface",
  name: "Hugging Face",
  upstream: "https://router.huggingface.co",
  version: { kind: "in-path", prefix: "/v1", endpoints: ["chat", "responses"] },
  rewrites: [
    [/^\/pipeline\/([^/]+)\/(.+)$/, "/hf-inference/models/$2/pipeline/$1"],
    [/^\/models\/(?=.)/, "/hf-inference/models/"],
  ],
  hosts: [{ path: /^\/api\//, base: "https://huggingface.co" }],
  names: [
    // Of the Hub, what inference clients look up; its files and pages are no part of the API.
    { host: "huggingface.co", paths: /^\/api\//, keyless: /^\/api\/models\/[^?]+$/ },
    { host: "api-inference.huggingface.co", retired: true },
  ],
  domains: ["huggingface.co", "endpoints.huggingface.cloud"],
  modelInPath:
    /^\/(?:hf-inference\/models|fal-ai|wavespeed\/api\/v3|replicate\/v1\/models)\/(.+?)(?:\/(?:pipeline|v1|requests)\/.*|\/predictions)?$/i,
  encodedSlashes: /^\/(?:v1|hf-inference)\/models\//,
  credential: {
    env: ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN"],
    required: true,
    place: bearer,
    // The router lists its models for anybody; only the Hub tells a valid token.
    probe: "/api/whoami-v2",
    firstCall: "/v1/models",
  },
  errors: huggingfaceErrors,
  accountHeaders: ["x-hf-bill-to"],
  denied: [
    { method: "*", path: /^\/api(?!\/(?:models\/.|tasks(?:\/|$)))(?:\/|$)/, why: administers },
    ...["POST", "PUT", "PATCH", "DELETE"].map((method) => ({
      method,
      path: /^\/api\//,
      why: administers,
    })),
  ],
  modelForms: [/^\/audio\//],
  // Its SDKs send audio and pictures as they are.
  rawBodies: /^\/hf-inference\//,
  links: [
    {
      // Of these links the SDKs keep the path alone and put it behind the base that the first call went to.
      path: /^\/fal-ai\//,
      fields: ["response_url", "status_url", "cancel_url"],
      places: [[/^queue\.fal\.run$/, "/fal-ai"]],
    },
    {
      path: /^\/wavespeed\//,
      fields: ["data.urls.get", "urls.get"],
      places: [[/^api\.wavespeed\.ai$/, "/wavespeed"]],
    },
    {
      path: /^\/replicate\//,
      fields: ["urls.get", "urls.cancel"],
      places: [[/^api\.replicate\.com$/, "/replicate"]],
    },
  ],
  streamUsage: "ask",
  meters: [
    ...openaiMeters,
    { method: "POST", path: /./, format: huggingfaceTaskUsage, demand: huggingfaceTaskDemand },
  ],
  unlisted: "Tasks on its own machines: they cost what the hardware does by the second.",
  client: { keys: [{ name: "HF_TOKEN", prefix: "hf_", broad: true, unguided: true }], bases: [] },
};
