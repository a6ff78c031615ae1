import { elevenlabsUsage } from "./formats/elevenlabs.ts";
import { epochLimitHeaders } from "./formats/limit-headers.ts";
import { elevenlabsSpeechDemand, elevenlabsTranscriptDemand, openDemand } from "./formats/other-demands.ts";
import { elevenlabsOwned } from "./formats/other-owned.ts";
import { hosts } from "./host-name.ts";
import { defaults, type ErrorFormat, inHeader, type Provider } from "./provider.ts";
import { administers, mints } from "./reasons.ts";

/** `{"detail":{status,message}}`. */
const errors: ErrorFormat = {
  body: (refusal) => ({ detail: { status: refusal.code, message: refusal.message } }),
  requestIdHeader: "request-id",
  limitHeaders: epochLimitHeaders,
};

export const elevenlabs: Provider = {
  ...defaults,
  id: "elevenlabs",
  name: "ElevenLabs",
  upstream: "https://api.elevenlabs.io",
  version: {
    kind: "in-path",
    prefix: "/v1",
    also: ["/v2"],
    endpoints: [
      "text-to-speech",
      "speech-to-text",
      "text-to-dialogue",
      "sound-generation",
      "voices",
      "models",
    ],
  },
  names: hosts(
    "api.us.elevenlabs.io",
    "api.eu.residency.elevenlabs.io",
    "api.in.residency.elevenlabs.io",
    "api-global-preview.elevenlabs.io",
  ),
  credential: {
    env: ["ELEVENLABS_API_KEY", "ELEVEN_API_KEY"],
    required: true,
    place: inHeader("xi-api-key"),
    probe: "/v1/user/subscription",
  },
  owned: elevenlabsOwned,
  errors,
  modelParameter: "model_id",
  denied: [
    { method: "*", path: /^\/single-use-token(\/|$)/, why: mints },
    {
      method: "*",
      path: /^\/convai\/conversations?\/(?:get[-_]signed[-_]url|token)(\/|$)/,
      why: mints,
    },
    { method: "*", path: /^\/(?:service-accounts|workspace)(\/|$)/, why: administers },
    // Its answer has a field for the account's key.
    { method: "*", path: /^\/user\/?$/, why: mints },
  ],
  requestIdHeaders: ["request-id", "x-trace-id"],
  objects: { path: /\/(?:voices|history|dubbing|studio|pronunciation-dictionaries|convai)(?:\/|$)/ },
  modelForms: [/^\/speech-to-text(?:\/|$)/],
  free: /^\/(?:voices|pronunciation-dictionaries|history)(?:\/|$)/,
  // The model is `model_id` here.
  meters: [
    {
      method: "POST",
      path: /^\/text-to-(?:speech|dialogue)(?:\/|$)/,
      format: elevenlabsUsage,
      demand: elevenlabsSpeechDemand,
    },
    {
      method: "POST",
      path: /^\/speech-to-text$/,
      format: elevenlabsUsage,
      demand: elevenlabsTranscriptDemand,
    },
    { method: "POST", path: /./, format: elevenlabsUsage, demand: openDemand },
  ],
  unlisted: "All: it bills credits, which cost what the plan says.",
  client: { keys: [{ name: "ELEVENLABS_API_KEY", unguided: true }], bases: [] },
};
