import { epochLimitHeaders } from "./formats/limit-headers.ts";
import { openaiChatUsage } from "./formats/openai-chat.ts";
import { chatDemand } from "./formats/openai-demand.ts";
import { callDemand } from "./formats/other-demands.ts";
import { perRequestUsage } from "./formats/per-request.ts";
import { jsonMembers, type TokenRequest, UnusableCredential } from "./mint.ts";
import { defaults, type ErrorFormat, inHeader, type Provider } from "./provider.ts";
import { administers, mints } from "./reasons.ts";

/** `{"messages":[...],"request_id"}`. */
const errors: ErrorFormat = {
  body: (refusal, requestId) => ({ messages: [refusal.message], request_id: requestId }),
  requestIdHeader: "x-request-id",
  limitHeaders: epochLimitHeaders,
};

/**
 * What an app client gets its tokens with, from `{"client_id","client_secret"}`; an API key is sent as it is.
 * @throws UnusableCredential
 */
function appClientGrant(secret: string, auth: string): TokenRequest | undefined {
  const client = jsonMembers(secret);
  if (client === undefined) return undefined;
  const { client_id, client_secret } = client;
  if (typeof client_id !== "string" || typeof client_secret !== "string") {
    throw new UnusableCredential('is JSON, but not {"client_id":"...","client_secret":"..."}.');
  }
  return {
    name: client_id,
    url: `${auth}/oauth2/token`,
    contentType: "application/x-www-form-urlencoded",
    body: new URLSearchParams({ client_id, client_secret, grant_type: "client_credentials" }).toString(),
  };
}

/** Version 2 of its API with an API key or an app client, and version 1, which wants the customer named. */
export const vectara: Provider = {
  ...defaults,
  id: "vectara",
  name: "Vectara",
  upstream: "https://api.vectara.io",
  version: {
    kind: "in-path",
    prefix: "/v2",
    also: ["/v1"],
    endpoints: [
      "query",
      "corpora",
      "chats",
      "agents",
      "llms",
      "encoders",
      "rerankers",
      "generation_presets",
      "jobs",
    ],
  },
  credential: {
    env: ["VECTARA_API_KEY"],
    required: true,
    place: inHeader("x-api-key"),
    mint: {
      variables: [
        ["VECTARA_CLIENT_ID", "client_id"],
        ["VECTARA_CLIENT_SECRET", "client_secret"],
      ],
      auth: "https://auth.vectara.io",
      request: appClientGrant,
    },
    probe: "/v2/corpora?limit=1",
  },
  names: [{ host: "auth.vectara.io", tokens: "/vectara-auth" }],
  errors,
  accountHeaders: ["customer-id"],
  account: { header: "customer-id", path: /^\/v1\//, variable: "VECTARA_CUSTOMER_ID" },
  clientTokens: {
    // The second is what its Python SDK asks from 0.4 on, and version 1's own token server, with the secret in `Basic`.
    paths: ["/vectara-auth/oauth/token", "/vectara-auth/oauth2/token"],
    grants: { client_credentials: "client_secret" },
  },
  denied: [
    { method: "*", path: /^\/(?:api_keys|app_clients)(\/|$)/, why: mints },
    { method: "*", path: /^\/users(\/|$)/, why: administers },
    { method: "*", path: /^\/[a-z]+-(?:api-keys?|app-clients?)(\/|$)/, why: mints },
    { method: "*", path: /^\/[a-z]+-users?(\/|$)/, why: administers },
  ],
  objects: { path: /\/(?:corpora|chats|agents|jobs|sessions)(?:\/|$)/ },
  free: /^\/(?:corpora(?:\/[^/]+(?:\/(?:documents|upload_file))?)?|generation_presets)$/,
  meters: [
    {
      method: "POST",
      path: /\/llms\/chat\/completions$/,
      format: openaiChatUsage,
      demand: chatDemand("max_tokens"),
    },
    { method: "POST", path: /\/(?:query|chats|turns|events)$/, format: perRequestUsage, demand: callDemand },
  ],
  unlisted: "All: calls cost what the plan says.",
  client: {
    keys: [
      { name: "VECTARA_API_KEY", unguided: true },
      { name: "VECTARA_CLIENT_ID", unguided: true, value: "llamakey" },
      // The key is enough, and goes before.
      { name: "VECTARA_CLIENT_SECRET", unguided: true, inProxyMode: false },
    ],
    bases: [],
  },
};
