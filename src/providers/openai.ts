import { openaiObjects } from "./formats/objects.ts";
import { openaiErrors } from "./formats/openai.ts";
import { newerOpenaiMeters, openaiDeferred, openaiFree } from "./formats/openai-meters.ts";
import { openaiOwned } from "./formats/openai-owned.ts";
import { hosts } from "./host-name.ts";
import { bearer, defaultTimeouts, type Provider } from "./provider.ts";
import { administers, media, mints } from "./reasons.ts";

/** Where data stay in the region that their project was given. */
const REGIONS = ["us", "eu", "au", "ca", "jp", "in", "sg", "kr", "gb", "ae"];

export const openai: Provider = {
  id: "openai",
  name: "OpenAI",
  upstream: "https://api.openai.com/v1",
  version: { kind: "in-base", prefix: "/v1" },
  credential: { env: ["OPENAI_API_KEY"], required: true, place: bearer, probe: "/models" },
  errors: openaiErrors,
  accountHeaders: ["openai-organization", "openai-project"],
  denied: [
    { method: "*", path: /^\/realtime\/(client_secrets|sessions|transcription_sessions)(\/|$)/, why: mints },
    { method: "*", path: /^\/realtime\/calls(\/|$)/, why: media },
    { method: "*", path: /^\/live\/sessions(\/|$)/, why: media },
    { method: "*", path: /^\/chatkit\/sessions(\/|$)/, why: mints },
    { method: "*", path: /^\/vaults(\/|$)/, why: mints },
    { method: "*", path: /^\/(organization|projects)(\/|$)/, why: administers },
  ],
  names: hosts(...REGIONS.map((region) => `${region}.api.openai.com`)),
  // TypeScript's AzureOpenAI prefers OPENAI_BASE_URL to its own variable, and the `/v1` in it.
  handovers: [
    {
      to: "azure",
      when: /[?&]api-version=(?:v1|latest|preview)(?:&|$)/,
      rewrite: [/^(?:\/openai)?(?=\/)/, "/openai"],
    },
    {
      to: "azure",
      when: /^(?:\/openai)?(?:\/v1)?\/deployments\/|[?&]api-version=/,
      rewrite: [/^(?:\/openai)?(?:\/v1)?(?=\/)/, "/openai"],
    },
  ],
  modelForms: [/^\/audio\/(?!speech)/, /^\/images\//, /^\/videos(\/|$)/],
  links: [],
  disconnect: { provider: "stops", hidden: /(?:^|\/)(?:o\d|gpt-[5-9]|codex)/ },
  owned: openaiOwned,
  requestIdHeaders: ["x-request-id"],
  timeouts: defaultTimeouts,
  objects: openaiObjects,
  streamUsage: "ask",
  free: openaiFree,
  deferred: openaiDeferred,
  meters: newerOpenaiMeters,
  client: { keys: ["OPENAI_API_KEY"], bases: [["OPENAI_BASE_URL", "/v1"]] },
};
