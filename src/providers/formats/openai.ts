import { defaults, type ErrorFormat, type Provider } from "../provider.ts";
import { openaiLimitHeaders } from "./limit-headers.ts";
import { openaiObjects } from "./objects.ts";
import { openaiDeferred, openaiFree, openaiMeters } from "./openai-meters.ts";
import { openaiOwned } from "./openai-owned.ts";

/** `{"error":{message,type,param,code}}`: OpenAI and all that imitate it. */
export const openaiErrors: ErrorFormat = {
  body: (refusal, _, status) => ({
    error: { message: refusal.message, type: errorType(status), param: null, code: refusal.code },
  }),
  requestIdHeader: "x-request-id",
  limitHeaders: openaiLimitHeaders,
};

function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 402) return "billing_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "api_error";
}

/** What holds for those whose API is OpenAI's, unless their own file says otherwise. */
export const openaiCompatible = {
  ...defaults,
  errors: openaiErrors,
  modelForms: [/^\/audio\/(?!speech)/, /^\/images\//],
  meters: openaiMeters,
  objects: openaiObjects,
  free: openaiFree,
  deferred: openaiDeferred,
  owned: openaiOwned,
  // OpenAI's SDKs write `meta-llama/Llama-4` in `GET /models/<model>` with an encoded slash.
  encodedSlashes: /^(?:\/[a-z]+)?(?:\/v1)?\/models\//,
} satisfies Partial<Provider>;
