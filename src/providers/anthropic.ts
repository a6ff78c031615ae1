import { anthropicBatchUsage } from "./formats/anthropic-batch.ts";
import { messagesDemand } from "./formats/anthropic-demand.ts";
import { anthropicMessagesUsage } from "./formats/anthropic-messages.ts";
import { anthropicOwned } from "./formats/anthropic-owned.ts";
import { resultDemand } from "./formats/demand.ts";
import { anthropicLimitHeaders } from "./formats/limit-headers.ts";
import { anthropicObjects } from "./formats/objects.ts";
import { defaultTimeouts, type ErrorFormat, type Provider } from "./provider.ts";
import { administers, mints } from "./reasons.ts";

/** `{"type":"error","error":{type,message,details},"request_id"}`; the SDKs choose their error class by type or status. */
const errors: ErrorFormat = {
  body: (refusal, requestId, status) => ({
    type: "error",
    error: {
      type: ERROR_TYPES[status] ?? "api_error",
      message: refusal.message,
      details: { error_code: refusal.code },
    },
    request_id: requestId,
  }),
  requestIdHeader: "request-id",
  limitHeaders: anthropicLimitHeaders,
};

const ERROR_TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
};

/** From this API version on the SDKs send keys as bearer tokens. */
const BEARER_SINCE = "2026-10-21";

export const anthropic: Provider = {
  id: "anthropic",
  name: "Anthropic",
  upstream: "https://api.anthropic.com",
  version: {
    kind: "in-path",
    prefix: "/v1",
    endpoints: ["messages", "models", "files", "complete", "skills", "agents", "sessions", "memory_stores"],
  },
  credential: {
    env: ["ANTHROPIC_API_KEY"],
    required: true,
    // Which form a key must have depends on the API version that the client speaks. Up to 2023-06-01 it is
    // documented as `x-api-key`; newer clients choose, so theirs is kept.
    place: (secret, client) =>
      (client.get("anthropic-version") ?? "") >= BEARER_SINCE && client.has("authorization")
        ? ["authorization", `Bearer ${secret}`]
        : ["x-api-key", secret],
    probe: "/v1/models?limit=1",
    probeHeaders: { "anthropic-version": "2023-06-01" },
  },
  errors,
  accountHeaders: ["anthropic-workspace-id"],
  denied: [
    { method: "*", path: /^\/organizations(\/|$)/, why: administers },
    { method: "*", path: /^\/oauth\/token(\/|$)/, why: mints },
    { method: "*", path: /^\/(vaults|tunnels)(\/|$)/, why: mints },
    { method: "*", path: /^\/environments\/[^/]+\/work(\/|$)/, why: mints },
    { method: "*", path: /^\/user_profiles\/[^/]+\/enrollment_url(\/|$)/, why: mints },
  ],
  modelForms: [],
  owned: anthropicOwned,
  links: [{ path: /^\/messages\/batches(\/|$)/, fields: ["results_url", "data.results_url"] }],
  disconnect: { provider: "stops" },
  requestIdHeaders: ["request-id"],
  timeouts: defaultTimeouts,
  objects: anthropicObjects,
  streamUsage: "given",
  free: /^\/(?:messages\/count_tokens|files|skills|agents|memory_stores|models)(?:\/|$)|\/cancel$/,
  deferred: /^\/messages\/batches$/,
  meters: [
    { method: "POST", path: /^\/messages$/, format: anthropicMessagesUsage, demand: messagesDemand },
    { path: /^\/messages\/batches\/[^/]+\/results$/, format: anthropicBatchUsage, demand: resultDemand },
  ],
  client: { keys: ["ANTHROPIC_API_KEY"], bases: [["ANTHROPIC_BASE_URL", ""]] },
};
