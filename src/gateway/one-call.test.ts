import { describe, expect, test } from "bun:test";
import { compileScope } from "../domain/compiled-scope.ts";
import type { Refusal } from "../domain/refusal.ts";
import { knownProviders } from "../providers/catalogue.ts";
import { authorise } from "./authorise.ts";
import { type CostKind, costKind } from "./cost-kind.ts";
import { Exchange } from "./exchange.ts";
import { findRoute } from "./route.ts";
import { createUpstream } from "./upstreams.ts";

const GATEWAY = "http://gateway.example";
const upstreams = new Map(
  knownProviders.map((provider) => [
    provider.id,
    createUpstream(provider, provider.upstream ?? `https://${provider.id}.test`),
  ]),
);

const JSON_TYPE = "application/json";
const FORM = "multipart/form-data; boundary=xyz";
const form = (...fields: (readonly [name: string, value: string])[]) =>
  `${fields.map(([name, value]) => `--xyz\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join("")}--xyz--\r\n`;

/** The model that a call is authorised for, or the refusal's code. */
async function modelOf(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  type = JSON_TYPE,
): Promise<string | null> {
  const headers = { "content-type": type, "content-length": String(body.length) };
  const request = new Request(GATEWAY + path, { method: "POST", headers, body });
  const exchange = new Exchange("id", "POST", 0, null, 0, 1000);
  try {
    await authorise(request, findRoute(request.url, upstreams), exchange, []);
    return exchange.model;
  } catch (error) {
    return (error as Refusal).code;
  }
}

describe("a model in several places", () => {
  const chat = "/openai/v1/chat/completions";
  const heard = "/openai/v1/audio/transcriptions";
  const cases: readonly (readonly [
    what: string,
    path: string,
    body: string,
    type: string,
    model: string | null,
  ])[] = [
    ["the body alone", chat, '{"model":"a"}', JSON_TYPE, "a"],
    ["the query alone, which this provider does not read", `${chat}?model=a`, "{}", JSON_TYPE, null],
    ["the same in both", `${chat}?model=a`, '{"model":"a"}', JSON_TYPE, "a"],
    ["others in both", `${chat}?model=a`, '{"model":"b"}', JSON_TYPE, "bad_request"],
    ["others in both, escaped", `${chat}?%6dodel=a`, '{"mod\\u0065l":"b"}', JSON_TYPE, "bad_request"],
    ["twice in the query", `${chat}?model=a&model=b`, "{}", JSON_TYPE, "bad_request"],
    ["twice in the body", chat, '{"model":"a","model":"a"}', JSON_TYPE, "bad_request"],
    ["a form", heard, form(["model", "a"]), FORM, "a"],
    ["a form, twice the same", heard, form(["model", "a"], ["model", "a"]), FORM, "a"],
    ["a form, twice", heard, form(["model", "a"], ["model", "b"]), FORM, "bad_request"],
    ["a form and another in the query", `${heard}?model=b`, form(["model", "a"]), FORM, "bad_request"],
    ["a form of two boundaries", heard, form(["model", "a"]), `${FORM}; boundary=abc`, "bad_request"],
    ["a form like a query", chat, "model=a&n=2", "application/x-www-form-urlencoded", "a"],
    [
      "a form like a query, twice",
      chat,
      "model=a&model=b",
      "application/x-www-form-urlencoded",
      "bad_request",
    ],
    ["JSON that is called a form", chat, '{"model":"a"}', "application/x-www-form-urlencoded", "a"],
    ["JSON that is called bytes", chat, '{"model":"a"}', "application/octet-stream", "a"],
    ["Gemini's path", "/gemini/v1beta/models/g:generateContent?model=a", '{"model":"b"}', JSON_TYPE, "g"],
    [
      "Deepgram's query",
      "/deepgram/v1/listen?model=nova-3",
      '{"model":"b","url":"https://a.example"}',
      JSON_TYPE,
      "nova-3",
    ],
    [
      "ElevenLabs' own name for it",
      "/elevenlabs/v1/text-to-speech/v",
      '{"text":"a","model_id":"e"}',
      JSON_TYPE,
      "e",
    ],
    [
      "ElevenLabs' forms",
      "/elevenlabs/v1/speech-to-text",
      form(["model_id", "scribe_v1"]),
      FORM,
      "scribe_v1",
    ],
    ["Replicate's version", "/replicate/v1/predictions", '{"version":"v"}', JSON_TYPE, "v"],
    [
      "Replicate's two names",
      "/replicate/v1/predictions",
      '{"version":"v","model":"w"}',
      JSON_TYPE,
      "bad_request",
    ],
    [
      "Replicate's path",
      "/replicate/v1/models/meta/llama/predictions",
      '{"input":{}}',
      JSON_TYPE,
      "meta/llama",
    ],
  ];
  test.each(cases)("%s", async (_, path, body, type, model) => {
    expect(await modelOf(path, body, type)).toBe(model);
  });

  test("further models that may answer are outside of a list of models", async () => {
    const policy = { models: ["a"] };
    const scope = compileScope(
      { scope: { kind: "key", id: "k" }, policy, budgets: [], version: 1 },
      "key k",
      (_, path) => path,
    );
    const ask = async (path: string, value: object) => {
      const body = JSON.stringify(value);
      const headers = { "content-type": JSON_TYPE, "content-length": String(body.length) };
      const request = new Request(GATEWAY + path, { method: "POST", headers, body });
      const exchange = new Exchange("id", "POST", 0, null, 0, 1000);
      return authorise(request, findRoute(request.url, upstreams), exchange, [scope]);
    };
    const openrouter = "/openrouter/v1/chat/completions";
    await ask(openrouter, { model: "a" });
    await expect(ask(openrouter, { model: "a", models: ["a", "b"] })).rejects.toThrow("lets others answer");
    const advisor = { type: "advisor_20260301", name: "advisor", model: "b" };
    await expect(ask("/anthropic/v1/messages", { model: "a", tools: [advisor] })).rejects.toThrow(
      "lets others answer",
    );
  });

  test("a body in UTF-16 is refused", async () => {
    const body = Buffer.from('{"model":"a"}', "utf16le").swap16() as unknown as Uint8Array<ArrayBuffer>;
    expect(await modelOf(chat, new Uint8Array(body))).toBe("bad_request");
  });
});

describe("what a call costs shows", () => {
  const POST = "POST";
  const kinds: Readonly<
    Record<string, readonly (readonly [method: string, path: string, kind: CostKind])[]>
  > = {
    openai: [
      [POST, "/chat/completions", "metered"],
      [POST, "/completions", "metered"],
      [POST, "/responses", "metered"],
      [POST, "/responses/compact", "metered"],
      [POST, "/responses/input_tokens", "free"],
      [POST, "/responses/r/cancel", "free"],
      ["GET", "/responses/r", "metered"],
      ["DELETE", "/responses/r", "free"],
      [POST, "/embeddings", "metered"],
      [POST, "/moderations", "free"],
      [POST, "/images/generations", "metered"],
      [POST, "/images/edits", "metered"],
      [POST, "/audio/speech", "metered"],
      [POST, "/audio/transcriptions", "metered"],
      ["GET", "/models", "free"],
      ["HEAD", "/models", "free"],
      ["DELETE", "/models/ft", "free"],
      [POST, "/files", "free"],
      [POST, "/uploads/u/parts", "free"],
      [POST, "/batches", "deferred"],
      ["GET", "/batches/b", "metered"],
      [POST, "/batches/b/cancel", "free"],
      [POST, "/fine_tuning/jobs", "deferred"],
      [POST, "/videos", "deferred"],
      ["GET", "/videos/v", "metered"],
      [POST, "/vector_stores", "free"],
      [POST, "/vector_stores/v/search", "unknown"],
      [POST, "/threads", "free"],
      [POST, "/threads/t/runs", "unknown"],
      [POST, "/threads/t/runs/r/submit_tool_outputs", "unknown"],
      [POST, "/containers", "unknown"],
      [POST, "/threads/runs", "unknown"],
      [POST, "/something/new", "unknown"],
      ["PUT", "/something/new", "unknown"],
      ["GET", "/something/new", "free"],
    ],
    anthropic: [
      [POST, "/v1/messages", "metered"],
      [POST, "/v1/messages/count_tokens", "free"],
      [POST, "/v1/messages/batches", "deferred"],
      [POST, "/v1/messages/batches/b/cancel", "free"],
      ["GET", "/v1/messages/batches/b", "free"],
      ["GET", "/v1/messages/batches/b/results", "metered"],
      [POST, "/v1/files", "free"],
      [POST, "/v1/complete", "unknown"],
      [POST, "/v1/sessions", "unknown"],
    ],
    gemini: [
      [POST, "/v1beta/models/g:generateContent", "metered"],
      [POST, "/v1beta/models/g:streamGenerateContent", "metered"],
      [POST, "/v1beta/models/g:countTokens", "free"],
      [POST, "/v1beta/models/g:embedContent", "metered"],
      [POST, "/v1beta/models/g:batchEmbedContents", "metered"],
      [POST, "/v1beta/models/g:predict", "metered"],
      [POST, "/v1beta/models/g:predictLongRunning", "deferred"],
      [POST, "/v1beta/models/g:batchGenerateContent", "deferred"],
      ["GET", "/v1beta/batches/b", "metered"],
      [POST, "/v1beta/cachedContents", "unknown"],
      [POST, "/v1beta/fileSearchStores", "unknown"],
      [POST, "/upload/v1beta/files", "free"],
      [POST, "/v1beta/interactions", "metered"],
      [POST, "/v1beta/openai/chat/completions", "metered"],
    ],
    vertex: [
      [POST, "/v1/projects/p/locations/l/publishers/google/models/g:generateContent", "metered"],
      [POST, "/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict", "metered"],
      [POST, "/v1/projects/p/locations/l/publishers/google/models/g:countTokens", "free"],
      [POST, "/v1/projects/p/locations/l/publishers/google/models/g:predict", "metered"],
      [POST, "/v1/projects/p/locations/l/publishers/google/models/g:predictLongRunning", "deferred"],
      [POST, "/v1/projects/p/locations/l/batchPredictionJobs", "deferred"],
      [POST, "/v1/projects/p/locations/l/reasoningEngines", "unknown"],
    ],
    azure: [
      [POST, "/openai/deployments/d/chat/completions", "metered"],
      [POST, "/openai/v1/responses", "metered"],
      [POST, "/openai/v1/batches", "deferred"],
      [POST, "/openai/v1/files", "free"],
    ],
    cohere: [
      [POST, "/v2/chat", "metered"],
      [POST, "/v2/embed", "metered"],
      [POST, "/v2/rerank", "metered"],
      [POST, "/v1/classify", "metered"],
      [POST, "/v1/tokenize", "free"],
      [POST, "/v1/embed-jobs", "deferred"],
      [POST, "/v1/datasets", "free"],
    ],
    mistral: [
      [POST, "/v1/chat/completions", "metered"],
      [POST, "/v1/fim/completions", "metered"],
      [POST, "/v1/agents/completions", "metered"],
      [POST, "/v1/agents", "free"],
      [POST, "/v1/ocr", "metered"],
      [POST, "/v1/conversations", "metered"],
      [POST, "/v1/batch/jobs", "deferred"],
      [POST, "/v1/files", "free"],
    ],
    perplexity: [
      [POST, "/chat/completions", "metered"],
      [POST, "/search", "metered"],
      [POST, "/async/chat/completions", "deferred"],
      ["GET", "/async/chat/completions/a", "metered"],
    ],
    huggingface: [
      [POST, "/v1/chat/completions", "metered"],
      [POST, "/hf-inference/models/m", "metered"],
      ["GET", "/v1/models", "free"],
    ],
    replicate: [
      [POST, "/v1/predictions", "metered"],
      ["GET", "/v1/predictions/p", "metered"],
      [POST, "/v1/predictions/p/cancel", "free"],
      [POST, "/v1/trainings", "deferred"],
    ],
    vectara: [
      [POST, "/v2/query", "metered"],
      [POST, "/v2/corpora/c/query", "metered"],
      [POST, "/v2/corpora", "free"],
      [POST, "/v2/corpora/c/documents/d/summarize", "unknown"],
      [POST, "/v2/llms/chat/completions", "metered"],
    ],
    voyage: [
      [POST, "/v1/embeddings", "metered"],
      [POST, "/v1/rerank", "metered"],
      [POST, "/v1/batches", "deferred"],
    ],
    jina: [
      [POST, "/v1/embeddings", "metered"],
      [POST, "/v1/rerank", "metered"],
      ["GET", "/reader/https://a.example", "metered"],
      ["GET", "/search/", "metered"],
      ["GET", "/v1/models", "free"],
    ],
    elevenlabs: [
      [POST, "/v1/text-to-speech/v", "metered"],
      [POST, "/v1/speech-to-text", "metered"],
      [POST, "/v1/music", "metered"],
      [POST, "/v1/voices/add", "free"],
      [POST, "/v1/studio/projects/p/convert", "metered"],
      ["GET", "/v1/voices", "free"],
    ],
    deepgram: [
      [POST, "/v1/listen", "metered"],
      [POST, "/v1/speak", "metered"],
      [POST, "/v1/something", "unknown"],
    ],
    assemblyai: [
      [POST, "/v2/upload", "free"],
      [POST, "/v2/transcript", "deferred"],
      ["GET", "/v2/transcript/t", "metered"],
      [POST, "/v1/chat/completions", "metered"],
    ],
    tavily: [
      [POST, "/search", "metered"],
      [POST, "/crawl", "metered"],
      ["GET", "/usage", "free"],
    ],
    ollama: [
      [POST, "/api/chat", "metered"],
      [POST, "/api/pull", "free"],
      [POST, "/v1/chat/completions", "metered"],
    ],
  };
  /** Those whose API is OpenAI's and nothing else. */
  const imitators = [
    "anyscale",
    "groq",
    "together",
    "fireworks",
    "deepseek",
    "openrouter",
    "xai",
    "cerebras",
    "vllm",
    "llamacpp",
  ];
  const compatible: readonly (readonly [string, string, CostKind])[] = [
    [POST, "/v1/chat/completions", "metered"],
    [POST, "/v1/completions", "metered"],
    [POST, "/v1/embeddings", "metered"],
    [POST, "/v1/files", "free"],
    [POST, "/v1/batches", "deferred"],
    ["GET", "/v1/models", "free"],
    [POST, "/v1/something/new", "unknown"],
  ];
  const table = [...Object.entries(kinds), ...imitators.map((id) => [id, compatible] as const)];
  test.each(table)("%s", (id, endpoints) => {
    for (const [method, path, kind] of endpoints) {
      const route = findRoute(`${GATEWAY}/${id}${path}`, upstreams);
      expect([method, path, costKind(route, method)]).toEqual([method, path, kind]);
    }
  });

  test("for every provider", () => {
    expect(table.map(([id]) => id).toSorted()).toEqual(knownProviders.map(({ id }) => id).toSorted());
  });

  test("and what is metered says how its cost is bounded", () => {
    for (const { id, meters } of knownProviders) {
      for (const { path, demand } of meters)
        expect([id, path.source, demand !== undefined]).toEqual([id, path.source, true]);
    }
  });
});
