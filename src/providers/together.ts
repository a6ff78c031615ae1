import { openaiCompatible } from "./formats/openai.ts";
import { togetherOwned } from "./formats/other-owned.ts";
import { bearer, type Provider } from "./provider.ts";
import { administers, mints } from "./reasons.ts";

export const together: Provider = {
  ...openaiCompatible,
  owned: togetherOwned,
  id: "together",
  name: "Together",
  upstream: "https://api.together.ai",
  version: {
    kind: "in-path",
    prefix: "/v1",
    also: ["/v2"],
    endpoints: [
      "chat",
      "completions",
      "embeddings",
      "rerank",
      "images",
      "videos",
      "audio",
      "voices",
      "models",
      "files",
      "fine-tunes",
      "batches",
    ],
  },
  names: [{ host: "api.together.xyz", retired: true }],
  // Of one and the same variable, TypeScript's SDK expects the version in it, and Python's puts it behind.
  rewrites: [[/^\/v1(?=\/v[12]\/)/, ""]],
  // An upload is answered with a signed link to storage, where the SDK puts the file without any key.
  clientRedirects: /^\/files\/?$/,
  credential: {
    env: ["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"],
    required: true,
    place: bearer,
    probe: "/v1/models",
  },
  denied: [
    { method: "*", path: /^\/(?:deployments\/secrets|api[-_]?keys)(\/|$)/, why: mints },
    {
      method: "*",
      path: /^\/(?:deployments|projects|organizations|billing|compute)(\/|$)/,
      why: administers,
    },
  ],
  disconnect: { provider: "stops" },
  client: {
    keys: ["TOGETHER_API_KEY"],
    bases: [
      ["TOGETHER_BASE_URL", "/v1"],
      // Read by the TypeScript SDK's uploads alone.
      ["TOGETHER_API_BASE_URL", "/v1"],
    ],
  },
};
