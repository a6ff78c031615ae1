import { openaiLimitHeaders } from "./formats/limit-headers.ts";
import { openaiCompatible } from "./formats/openai.ts";
import { bearer, type ErrorFormat, type Provider } from "./provider.ts";
import { administers, mints } from "./reasons.ts";

/** `{"error":{code,message,metadata}}`; the TypeScript SDK takes no other body, and no other `code` than a number. */
const errors: ErrorFormat = {
  body: (refusal, _, status) => ({
    error: { code: status, message: refusal.message, metadata: { refusal: refusal.code } },
  }),
  requestIdHeader: "x-request-id",
  limitHeaders: openaiLimitHeaders,
  // The TypeScript SDK repeats every 5xx for up to an hour, which mends no key.
  statusOf: ({ code, status }) => (code === "credential_rejected" ? 424 : status),
};

export const openrouter: Provider = {
  ...openaiCompatible,
  id: "openrouter",
  name: "OpenRouter",
  upstream: "https://openrouter.ai/api/v1",
  version: { kind: "in-base", prefix: "/api/v1", also: ["/v1"] },
  credential: {
    env: ["OPENROUTER_API_KEY"],
    required: true,
    place: bearer,
    probe: "/key",
    firstCall: "/models",
  },
  errors,
  denied: [
    { method: "*", path: /^\/auth(\/|$)/, why: mints },
    { method: "*", path: /^\/(?:keys?|organization|workspaces|guardrails)(\/|$)/, why: administers },
  ],
  // Of many that it passes calls on to, the whole answer is billed.
  disconnect: { provider: "bills" },
  client: { keys: ["OPENROUTER_API_KEY"], bases: [["OPENROUTER_BASE_URL", "/api/v1"]] },
};
