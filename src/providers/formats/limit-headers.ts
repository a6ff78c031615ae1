import type { Exceeded } from "../../domain/limits.ts";
import type { LimitHeaders } from "../provider.ts";

/** `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, the time as Go writes it: `12.5s`, `80ms`. */
export const openaiLimitHeaders: LimitHeaders = ({ kind, limit, remaining, retryAfterMs }) =>
  kind === "concurrency"
    ? {}
    : {
        [`x-ratelimit-limit-${kind}`]: String(limit),
        [`x-ratelimit-remaining-${kind}`]: String(remaining),
        [`x-ratelimit-reset-${kind}`]: retryAfterMs < 1000 ? `${retryAfterMs}ms` : `${retryAfterMs / 1000}s`,
      };

/** `anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}`, the time as RFC 3339. */
export const anthropicLimitHeaders: LimitHeaders = ({ kind, limit, remaining, retryAfterMs }, now) =>
  kind === "concurrency"
    ? {}
    : {
        [`anthropic-ratelimit-${kind}-limit`]: String(limit),
        [`anthropic-ratelimit-${kind}-remaining`]: String(remaining),
        [`anthropic-ratelimit-${kind}-reset`]: new Date(now + retryAfterMs).toISOString(),
      };

/** The IETF's draft, which `huggingface_hub` reads: `ratelimit: "requests";r=0;t=55`. */
export const ietfLimitHeaders: LimitHeaders = ({ kind, limit, remaining, retryAfterMs }) => ({
  ratelimit: `"${kind}";r=${remaining};t=${seconds(retryAfterMs)}`,
  ...(kind === "concurrency" ? {} : { "ratelimit-policy": `"sliding window";"${kind}";q=${limit};w=60` }),
});

/** What the SDKs that Fern makes look for beside `retry-after`: `x-ratelimit-reset`, epoch seconds. */
export const epochLimitHeaders: LimitHeaders = ({ retryAfterMs }, now) => ({
  "x-ratelimit-reset": String(Math.ceil((now + retryAfterMs) / 1000)),
});

/** Google's SDKs read no header; Gemini CLI reads this detail of the error. */
export function googleRetryInfo({ retryAfterMs }: Exceeded): object {
  return { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${seconds(retryAfterMs)}s` };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
