import { expect, test } from "bun:test";
import type { Refusal } from "../domain/refusal.ts";
import { knownProviders } from "../providers/catalogue.ts";
import { huggingfaceEndpoint } from "../providers/huggingface-endpoint.ts";
import { namedHosts, providerDomains } from "./named-hosts.ts";
import { findRoute } from "./route.ts";
import { createUpstream, type Upstreams } from "./upstreams.ts";

const ENDPOINT = "abc.us-east-1.aws.endpoints.huggingface.cloud";
const providers = [
  ...knownProviders.map((provider) => [provider, provider.upstream] as const),
  [huggingfaceEndpoint("lab", `https://${ENDPOINT}`), `https://${ENDPOINT}`] as const,
];
const upstreams: Upstreams = new Map(
  providers.flatMap(([provider, upstream]) => {
    const base = upstream ?? (provider.id === "azure" ? "https://mine.openai.azure.com" : undefined);
    return base === undefined ? [] : [[provider.id, createUpstream(provider, base)] as const];
  }),
);
const hosts = namedHosts(upstreams);

function route(url: string, known = upstreams, names = hosts) {
  const { hostname } = new URL(url);
  const named = names.get(hostname);
  if (named === undefined) throw new Error(`${hostname} is not known`);
  return findRoute(url, known, named);
}

function codeOf(url: string): string | undefined {
  try {
    route(url);
    return undefined;
  } catch (error) {
    return (error as Refusal).code;
  }
}

test.each([
  // What was called, where it goes, and the endpoint that rules see.
  ["https://api.openai.com/v1/chat/completions", "openai", "", "/chat/completions"],
  ["https://eu.api.openai.com/v1/chat/completions", "openai", "", "/chat/completions"],
  ["https://api.anthropic.com/v1/messages", "anthropic", "", "/messages"],
  [
    "https://mine.openai.azure.com/openai/deployments/d/chat/completions?api-version=1",
    "azure",
    "",
    "/deployments/d/chat/completions",
  ],
  ["https://api.groq.com/openai/v1/models", "groq", "", "/models"],
  ["https://openrouter.ai/api/v1/models", "openrouter", "", "/models"],
  ["https://router.huggingface.co/v1/chat/completions", "huggingface", "", "/chat/completions"],
  ["https://huggingface.co/api/models/a/b?expand=x", "huggingface", "", "/api/models/a/b"],
  [
    "https://api-inference.huggingface.co/models/a/b",
    "huggingface",
    "https://router.huggingface.co/hf-inference/models/a/b",
    "/hf-inference/models/a/b",
  ],
  [`https://${ENDPOINT}/v1/chat/completions`, "hf-lab", "", "/chat/completions"],
  [
    "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers/google/models/g:generateContent",
    "vertex",
    "",
    "/projects/p/locations/europe-west4/publishers/google/models/g:generatecontent",
  ],
  [
    "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/x",
    "vertex",
    "",
    "/projects/p/locations/eu/x",
  ],
  [
    "https://agent.deepgram.com/v1/agent/settings/think/models",
    "deepgram",
    "",
    "/agent/settings/think/models",
  ],
  ["https://llm-gateway.assemblyai.com/v1/models", "assemblyai", "", "/models"],
  ["https://streaming.assemblyai.com/v3/token?expires_in_seconds=60", "assemblyai", "", "/token"],
  ["https://sync.assemblyai.com/v2/x", "assemblyai", "", "/sync/v2/x"],
  [
    "https://r.jina.ai/https://example.com",
    "jina",
    "https://r.jina.ai/https:/example.com",
    "/reader/https:/example.com",
  ],
  ["https://stream.replicate.com/v1/streams/s", "replicate", "", "/hosts/stream.replicate.com/v1/streams/s"],
  ["https://api.cohere.ai/v2/chat", "cohere", "https://api.cohere.com/v2/chat", "/chat"],
  ["https://api.together.xyz/v1/models", "together", "https://api.together.ai/v1/models", "/models"],
  ["https://ai.mongodb.com/v1/embeddings", "voyage", "https://api.voyageai.com/v1/embeddings", "/embeddings"],
  ["https://api.us.elevenlabs.io/v1/text-to-speech/v", "elevenlabs", "", "/text-to-speech/v"],
])("%s is %s", (url, provider, sent, endpoint) => {
  const found = route(url);
  expect(found.upstream.provider.id).toBe(provider);
  expect(found.at.base + found.path + found.query).toBe(sent || url);
  expect(found.endpoint).toBe(endpoint);
});

test("whatever host is called, the call goes there or to its successor, and stays with its provider", () => {
  for (const named of hosts.values()) {
    if (named.tokens !== undefined) continue;
    const base = named.at?.basePath ?? "";
    const path = named.paths === undefined ? `${base}/models` : "/api/models/m";
    const { upstream, at } = route(`https://${named.host}${path}`);
    expect(upstream.provider.id).toBe(named.provider);
    const isRetired = (upstream.provider.names ?? []).some((one) => one.host === named.host && one.retired);
    expect(at.origin).toBe(isRetired ? upstream.origin : `https://${named.host}`);
  }
  expect(hosts.size).toBeGreaterThan(80);
});

test("what is no part of a provider's API is refused, however it is spelt", () => {
  for (const url of [
    "https://api.openai.com/dashboard/billing",
    "https://openrouter.ai/settings/keys",
    "https://huggingface.co/meta-llama/x/resolve/main/config.json",
    "https://huggingface.co/%61pi/whoami-v2",
    "https://huggingface.co/",
    "https://auth.vectara.io/oauth2/authorize",
  ])
    expect([url, codeOf(url)]).toEqual([url, "endpoint_not_allowed"]);
});

test("a provider whose address an administrator has replaced is called there, by whichever of its names", () => {
  const replaced: Upstreams = new Map(
    knownProviders.map((provider) => [provider.id, createUpstream(provider, "http://10.0.0.5:4000/v1")]),
  );
  const names = namedHosts(replaced);
  expect(route("https://eu.api.openai.com/v1/models", replaced, names).at.base).toBe(
    "http://10.0.0.5:4000/v1",
  );
  expect(names.has("10.0.0.5")).toBe(false);
});

test("nothing in a provider's domain may be tunnelled to, set up or not", () => {
  const domains = providerDomains(new Map());
  for (const domain of [
    "api.openai.com",
    "openai.azure.com",
    "endpoints.huggingface.cloud",
    "auth.vectara.io",
  ])
    expect(domains).toContain(domain);
  expect(domains.every((one) => /^[a-z0-9.-]+$/.test(one))).toBe(true);
});
