import { jinaUsage } from "./formats/jina.ts";
import { openaiChatUsage } from "./formats/openai-chat.ts";
import { jinaDemand, openDemand } from "./formats/other-demands.ts";
import { textErrors } from "./formats/text-errors.ts";
import { bearer, defaults, type Provider } from "./provider.ts";

/** Its reader (`r.jina.ai`) is at `/jina/reader`, its search (`s.jina.ai`) at `/jina/search`. */
export const jina: Provider = {
  ...defaults,
  id: "jina",
  name: "Jina",
  upstream: "https://api.jina.ai",
  version: {
    kind: "in-path",
    prefix: "/v1",
    endpoints: ["embeddings", "rerank", "classify", "segment", "train", "classifiers", "models", "chat"],
  },
  hosts: [
    { path: /^\/v1\/(?=chat\/)/, base: "https://deepsearch.jina.ai" },
    { path: /^\/reader(?=\/|$)/, base: "https://r.jina.ai", takesOff: true },
    { path: /^\/search(?=\/|$)/, base: "https://s.jina.ai", takesOff: true },
  ],
  names: [
    { host: "deepsearch.jina.ai" },
    { host: "r.jina.ai", place: "/reader" },
    { host: "s.jina.ai", place: "/search" },
  ],
  credential: {
    env: ["JINA_API_KEY", "JINAAI_API_KEY"],
    required: true,
    place: bearer,
    probe: "/v1/classifiers",
  },
  errors: textErrors("detail"),
  meters: [
    { method: "POST", path: /\/chat\/completions$/, format: openaiChatUsage, demand: openDemand },
    // The web that it reads is billed by its length.
    { path: /^\/(?:reader|search)(?:\/|$)/, format: jinaUsage, demand: openDemand },
    {
      method: "POST",
      path: /^\/(?:embeddings|rerank|classify|segment)$/,
      format: jinaUsage,
      demand: jinaDemand,
    },
    { method: "POST", path: /./, format: jinaUsage, demand: openDemand },
  ],
  unlisted: "All: tokens are bought in packs whose price no page states.",
  client: { keys: [{ name: "JINA_API_KEY", unguided: true }], bases: [] },
};
