import { openaiCompatible } from "./formats/openai.ts";
import { bearer, type Provider } from "./provider.ts";
import { administers, mints } from "./reasons.ts";

export const fireworks: Provider = {
  ...openaiCompatible,
  id: "fireworks",
  name: "Fireworks",
  upstream: "https://api.fireworks.ai",
  modelInPath: /\/workflows\/(accounts\/[^/]+\/models\/[^/]+)/i,
  version: {
    kind: "in-path",
    prefix: "/inference/v1",
    also: ["/v1"],
    endpoints: ["chat", "completions", "responses", "messages", "embeddings", "rerank", "models", "images"],
  },
  // With a base address of one's own its SDK leaves `/inference` out; only `/v1/accounts` has a `/v1` without it.
  rewrites: [
    [
      /^\/v1(?=\/(?:chat|completions|responses|messages|embeddings|rerank|models|images|workflows)(?:\/|$))/,
      "/inference/v1",
    ],
  ],
  credential: { env: ["FIREWORKS_API_KEY"], required: true, place: bearer, probe: "/inference/v1/models" },
  denied: [
    { method: "*", path: /^\/accounts\/[^/]+\/users\/[^/]+\/apikeys(?:[/:]|$)/, why: mints },
    { method: "*", path: /^\/accounts\/[^/]+\/(?:users|secrets)(?:[/:]|$)/, why: administers },
  ],
  disconnect: { provider: "stops" },
  client: { keys: ["FIREWORKS_API_KEY"], bases: [["FIREWORKS_BASE_URL", ""]] },
};
