import { openDemand, tavilySearchDemand } from "./formats/other-demands.ts";
import { tavilyUsage } from "./formats/tavily.ts";
import { bearer, defaults, type ErrorFormat, type Provider } from "./provider.ts";
import { mints } from "./reasons.ts";

/** `{"detail":{"error":"..."}}`. */
const errors: ErrorFormat = {
  body: (refusal) => ({ detail: { error: refusal.message } }),
  requestIdHeader: "x-request-id",
};

export const tavily: Provider = {
  ...defaults,
  id: "tavily",
  name: "Tavily",
  upstream: "https://api.tavily.com",
  version: { kind: "none" },
  credential: { env: ["TAVILY_API_KEY"], required: true, place: bearer, probe: "/usage" },
  errors,
  accountHeaders: ["x-project-id", "x-tavily-orgid"],
  denied: [{ method: "*", path: /^\/(?:generate-keys|deactivate-keys|key-info)(\/|$)/, why: mints }],
  meters: [
    { method: "POST", path: /^\/search$/, format: tavilyUsage, demand: tavilySearchDemand },
    { method: "POST", path: /./, format: tavilyUsage, demand: openDemand },
  ],
  client: {
    keys: [{ name: "TAVILY_API_KEY", unguided: true }],
    bases: [],
    proxies: ["TAVILY_HTTP_PROXY", "TAVILY_HTTPS_PROXY"],
  },
};
