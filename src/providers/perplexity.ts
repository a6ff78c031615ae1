import { resultDemand } from "./formats/demand.ts";
import { openaiCompatible } from "./formats/openai.ts";
import { chatDemand } from "./formats/openai-demand.ts";
import { metersWith } from "./formats/openai-meters.ts";
import { callDemand } from "./formats/other-demands.ts";
import { perplexityOwned } from "./formats/other-owned.ts";
import { perRequestUsage } from "./formats/per-request.ts";
import { perplexityAsyncUsage } from "./formats/perplexity-async.ts";
import { bearer, type Provider } from "./provider.ts";
import { mints } from "./reasons.ts";

export const perplexity: Provider = {
  ...openaiCompatible,
  owned: perplexityOwned,
  id: "perplexity",
  name: "Perplexity",
  upstream: "https://api.perplexity.ai",
  version: {
    kind: "in-path",
    prefix: "/v1",
    endpoints: [
      "responses",
      "embeddings",
      "contextualizedembeddings",
      "agent",
      "sonar",
      "models",
      "files",
      "browser",
    ],
  },
  // Its older endpoints have no version, which OpenAI's SDKs put there all the same.
  rewrites: [
    [/^\/v1(?=\/(?:chat|search)(?:\/|$))/, ""],
    [/^\/v1(?=\/async\/chat(?:\/|$))/, ""],
  ],
  credential: {
    env: ["PERPLEXITY_API_KEY", "PPLX_API_KEY"],
    required: true,
    place: bearer,
    probe: "/async/chat/completions",
  },
  denied: [{ method: "*", path: /^\/(?:generate|revoke)_auth_token(\/|$)/, why: mints }],
  deferred: /^\/async\/chat\/completions$/,
  meters: [
    { path: /\/async\/chat\/completions(?:\/[^/]+)?$/, format: perplexityAsyncUsage, demand: resultDemand },
    { method: "POST", path: /^\/search$/, format: perRequestUsage, demand: callDemand },
    // Every model searches: that is in the price of a request. Deep research alone does so as often as it likes.
    ...metersWith(
      chatDemand(
        "max_tokens",
        { selfDirected: /deep-research/, reasoning: "beside" },
        { web_search_options: {} },
      ),
    ),
  ],
  client: { keys: ["PERPLEXITY_API_KEY"], bases: [["PERPLEXITY_BASE_URL", ""]] },
};
