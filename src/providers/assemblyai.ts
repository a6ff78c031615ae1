import { assemblyaiUsage } from "./formats/assemblyai.ts";
import { resultDemand } from "./formats/demand.ts";
import { epochLimitHeaders } from "./formats/limit-headers.ts";
import { openaiChatUsage } from "./formats/openai-chat.ts";
import { chatDemand } from "./formats/openai-demand.ts";
import { openDemand } from "./formats/other-demands.ts";
import { assemblyaiOwned } from "./formats/other-owned.ts";
import { textErrors } from "./formats/text-errors.ts";
import { hosts } from "./host-name.ts";
import { defaults, inHeader, type Provider } from "./provider.ts";
import { mints } from "./reasons.ts";

export const assemblyai: Provider = {
  ...defaults,
  id: "assemblyai",
  name: "AssemblyAI",
  upstream: "https://api.assemblyai.com",
  version: { kind: "in-path", prefix: "/v2", also: ["/v3", "/v1"], endpoints: ["upload", "transcript"] },
  hosts: [
    { path: /^\/v3(?=\/)/, base: "https://streaming.assemblyai.com" },
    { path: /^\/v1(?=\/chat\/)/, base: "https://llm-gateway.assemblyai.com" },
    { path: /^\/sync(?=\/)/, base: "https://sync.assemblyai.com", takesOff: true },
  ],
  names: [
    ...hosts("api.eu.assemblyai.com", "streaming.assemblyai.com", "streaming.eu.assemblyai.com"),
    ...hosts("llm-gateway.assemblyai.com", "llm-gateway.eu.assemblyai.com"),
    { host: "sync.assemblyai.com", place: "/sync" },
  ],
  credential: {
    env: ["ASSEMBLYAI_API_KEY"],
    required: true,
    place: inHeader("authorization"),
    probe: "/v2/transcript?limit=1",
  },
  owned: assemblyaiOwned,
  errors: { ...textErrors("error"), limitHeaders: epochLimitHeaders },
  denied: [{ method: "*", path: /^(?:\/realtime)?\/token(\/|$)/, why: mints }],
  links: [{ path: /^\/transcript\/?$/, fields: ["page_details.prev_url", "page_details.next_url"] }],
  objects: { path: /\/(?:upload|transcript)(?:\/|$)/ },
  free: /^\/upload$/,
  deferred: /^\/transcript$/,
  meters: [
    { method: "GET", path: /\/transcript\/[^/]+$/, format: assemblyaiUsage, demand: resultDemand },
    { method: "POST", path: /\/lemur\//, format: assemblyaiUsage, demand: openDemand },
    {
      method: "POST",
      path: /\/chat\/completions$/,
      format: openaiChatUsage,
      demand: chatDemand("max_tokens"),
    },
  ],
  unlisted: "Add-ons, live streams and its language models.",
  client: {
    keys: ["ASSEMBLYAI_API_KEY"],
    bases: [
      ["ASSEMBLYAI_BASE_URL", ""],
      ["ASSEMBLYAI_SYNC_BASE_URL", "/sync"],
    ],
  },
};
