import { deepgramUsage } from "./formats/deepgram.ts";
import { epochLimitHeaders } from "./formats/limit-headers.ts";
import { deepgramListenDemand, deepgramSpeakDemand, openDemand } from "./formats/other-demands.ts";
import { hosts } from "./host-name.ts";
import { defaults, type ErrorFormat, type Provider } from "./provider.ts";
import { administers, mints } from "./reasons.ts";

/** `{err_code,err_msg,request_id}`, which its API says of keys. */
const errors: ErrorFormat = {
  body: (refusal, requestId) => ({
    err_code: refusal.code.toUpperCase(),
    err_msg: refusal.message,
    request_id: requestId,
  }),
  requestIdHeader: "dg-request-id",
  limitHeaders: epochLimitHeaders,
};

export const deepgram: Provider = {
  ...defaults,
  id: "deepgram",
  name: "Deepgram",
  upstream: "https://api.deepgram.com",
  version: {
    kind: "in-path",
    prefix: "/v1",
    also: ["/v2"],
    endpoints: ["listen", "speak", "read", "models", "projects"],
  },
  hosts: [{ path: /^(?:\/v1)?\/agent(?=\/|$)/, base: "https://agent.deepgram.com" }],
  names: hosts("agent.deepgram.com", "api.eu.deepgram.com"),
  credential: {
    env: ["DEEPGRAM_API_KEY"],
    required: true,
    place: (secret) => ["authorization", `Token ${secret}`],
    probe: "/v1/projects",
  },
  errors,
  rawBodies: /^\/listen$/,
  denied: [
    { method: "*", path: /^\/auth\/grant(\/|$)/, why: mints },
    { method: "*", path: /^\/projects\/[^/]+\/keys(\/|$)/, why: mints },
    {
      method: "*",
      path: /^\/(?:projects\/[^/]+\/)?self-hosted\/distribution\/credentials(\/|$)/,
      why: mints,
    },
    { method: "*", path: /^\/projects\/[^/]+\/(?:members|invites)(\/|$)/, why: administers },
  ],
  requestIdHeaders: ["dg-request-id", "x-dg-request-id"],
  // Its bodies are sound and text alone.
  modelInQuery: "model",
  meters: [
    { method: "POST", path: /^\/listen$/, format: deepgramUsage, demand: deepgramListenDemand },
    { method: "POST", path: /^\/speak$/, format: deepgramUsage, demand: deepgramSpeakDemand },
    { method: "POST", path: /^\/read$/, format: deepgramUsage, demand: openDemand },
  ],
  unlisted: "Speech to text: it depends on the plan and on options that answers do not tell.",
  client: { keys: [{ name: "DEEPGRAM_API_KEY", unguided: true }], bases: [] },
};
