import { mistralOcrUsage } from "./formats/mistral-ocr.ts";
import { openaiChatUsage } from "./formats/openai-chat.ts";
import { transcriptionDemand } from "./formats/openai-demand.ts";
import { openaiMeters } from "./formats/openai-meters.ts";
import {
  classifierDemand,
  continuedConversationDemand,
  conversationsDemand,
  ocrDemand,
} from "./formats/other-demands.ts";
import { mistralOwned } from "./formats/other-owned.ts";
import { hosts } from "./host-name.ts";
import { bearer, defaults, type ErrorFormat, type Provider } from "./provider.ts";
import { mints } from "./reasons.ts";

/** `{"object":"error",message,type,param,code}`; the SDKs show the body as it is. */
const errors: ErrorFormat = {
  body: (refusal) => ({
    object: "error",
    message: refusal.message,
    type: refusal.code,
    param: null,
    code: refusal.code,
  }),
  requestIdHeader: "x-request-id",
};

export const mistral: Provider = {
  ...defaults,
  id: "mistral",
  name: "Mistral",
  upstream: "https://api.mistral.ai",
  version: {
    kind: "in-path",
    prefix: "/v1",
    also: ["/v2"],
    endpoints: ["chat", "fim", "embeddings", "models", "agents", "conversations", "ocr", "audio", "files"],
  },
  names: hosts("api.eu.mistral.ai", "api.us.mistral.ai"),
  credential: { env: ["MISTRAL_API_KEY"], required: true, place: bearer, probe: "/v1/models" },
  owned: mistralOwned,
  errors,
  denied: [{ method: "*", path: /^\/connectors\/[^/]+\/(?:.+\/)?credentials(\/|$)/, why: mints }],
  modelForms: [/^\/audio\//],
  disconnect: { provider: "stops" },
  requestIdHeaders: ["mistral-correlation-id", "x-request-id", "x-kong-request-id"],
  objects: { path: /^\/(?:files|batch\/jobs|fine_tuning|conversations|agents|libraries)(?:\/|$)/ },
  free: /^\/(?:files|agents)(?:\/(?!completions)|$)|\/cancel$/,
  deferred: /^\/(?:batch|fine_tuning)\/jobs$/,
  meters: [
    { method: "POST", path: /\/ocr$/, format: mistralOcrUsage, demand: ocrDemand },
    {
      method: "POST",
      path: /^\/conversations$/,
      format: openaiChatUsage,
      demand: conversationsDemand,
    },
    {
      method: "POST",
      path: /^\/conversations\/[^/]+$/,
      format: openaiChatUsage,
      demand: continuedConversationDemand,
    },
    {
      method: "POST",
      path: /^\/audio\/transcriptions$/,
      format: openaiChatUsage,
      demand: transcriptionDemand,
    },
    {
      method: "POST",
      path: /^\/(?:chat\/)?(?:moderations|classifications)$/,
      format: openaiChatUsage,
      demand: classifierDemand,
    },
    ...openaiMeters,
  ],
  client: { keys: [{ name: "MISTRAL_API_KEY", unguided: true }], bases: [] },
};
