/** Documented answers go through the gateway, and what a person works out is in their rows and in `lmk usage`. */
import { expect, test } from "bun:test";
import { costFixtures } from "../support/cost-fixtures.ts";
import { startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { serveRecorded } from "../support/record.ts";
import { serviceAccountFile, startTokenServer } from "../support/token-server.ts";

interface Call {
  /** Of test/fixtures/costs.json. */
  readonly answer: string;
  /** Behind the provider's id. */
  readonly path: string;
  readonly body?: object;
  /** What goes beside a file, where the body is a form. */
  readonly form?: Readonly<Record<string, string>>;
}

const messages = [{ role: "user", content: "Hi" }];
const calls: readonly Call[] = [
  {
    answer: "openai-chat-stream",
    path: "/v1/chat/completions",
    body: { model: "gpt-4o-mini", messages, stream: true },
  },
  { answer: "openai-image", path: "/v1/images/generations", body: { model: "gpt-image-1", prompt: "a cat" } },
  {
    answer: "anthropic-stream",
    path: "/v1/messages",
    body: { model: "claude-opus-5-5", messages, stream: true },
  },
  {
    answer: "anthropic-advisor",
    path: "/v1/messages",
    body: { model: "claude-sonnet-5-5", messages, stream: true },
  },
  { answer: "anthropic-cached-us", path: "/v1/messages", body: { model: "claude-opus-5-5", messages } },
  {
    answer: "cohere-rerank",
    path: "/v2/rerank",
    body: { model: "rerank-v3.5", query: "a", documents: ["a"] },
  },
  {
    answer: "gemini-stream",
    path: "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    body: {},
  },
  {
    answer: "vertex-anthropic",
    path: vertexPath(),
    body: { anthropic_version: "vertex-2023-10-16", messages },
  },
  {
    answer: "groq-transcription",
    path: "/openai/v1/audio/transcriptions",
    form: { model: "whisper-large-v3" },
  },
  {
    answer: "mistral-transcription",
    path: "/v1/audio/transcriptions",
    form: { model: "voxtral-mini-latest" },
  },
  { answer: "perplexity-chat", path: "/chat/completions", body: { model: "sonar-pro", messages } },
  { answer: "voyage-embeddings", path: "/v1/embeddings", body: { model: "voyage-3.5", input: ["a"] } },
  { answer: "deepgram-speech", path: "/v1/speak?model=aura-2-thalia-en", body: { text: "Hello" } },
  { answer: "tavily", path: "/search", body: { query: "Who is Leo Messi?" } },
  { answer: "vectara-query", path: "/v2/query", body: { query: "a" } },
];

function vertexPath(): string {
  const model = "publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict";
  return `/v1/projects/my-project/locations/europe-west1/${model}`;
}

/** Whatever it is asked, it answers with these bytes. */
let answer = costFixtures[0]?.answer;
const upstream = await serveRecorded({
  async fetch(request) {
    await request.arrayBuffer();
    return new Response(new Uint8Array(answer?.body ?? []), { headers: new Headers(answer?.headers) });
  },
});

const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: "sk-test-fake-costs-0123456789",
    LMK_OPENAI_UPSTREAM: `${upstream.origin}/v1`,
    ANTHROPIC_API_KEY: "sk-ant-test-fake-costs-0123456789",
    LMK_ANTHROPIC_UPSTREAM: await upstream.another(),
    CO_API_KEY: "co-test-fake-costs-0123456789",
    LMK_COHERE_UPSTREAM: await upstream.another(),
    GEMINI_API_KEY: "AIza-test-fake-costs-0123456789",
    LMK_GEMINI_UPSTREAM: await upstream.another(),
    GOOGLE_APPLICATION_CREDENTIALS: serviceAccountFile(`${(await startTokenServer()).url}/token`).file,
    LMK_VERTEX_UPSTREAM: await upstream.another(),
    GROQ_API_KEY: "gsk_test-fake-costs-0123456789",
    LMK_GROQ_UPSTREAM: await upstream.another(),
    MISTRAL_API_KEY: "mistral-test-fake-costs-0123456789",
    LMK_MISTRAL_UPSTREAM: await upstream.another(),
    PERPLEXITY_API_KEY: "pplx-test-fake-costs-0123456789",
    LMK_PERPLEXITY_UPSTREAM: await upstream.another(),
    VOYAGE_API_KEY: "pa-test-fake-costs-0123456789",
    LMK_VOYAGE_UPSTREAM: await upstream.another(),
    DEEPGRAM_API_KEY: "deepgram-test-fake-costs-0123456789",
    LMK_DEEPGRAM_UPSTREAM: await upstream.another(),
    TAVILY_API_KEY: "tvly-test-fake-costs-0123456789",
    LMK_TAVILY_UPSTREAM: await upstream.another(),
    VECTARA_API_KEY: "zut_test-fake-costs-0123456789",
    LMK_VECTARA_UPSTREAM: await upstream.another(),
  },
});

function fixtureOf({ answer: name }: Call) {
  const found = costFixtures.find((fixture) => fixture.name === name);
  if (found === undefined) throw new Error(`There is no ${name} in costs.json`);
  return found;
}

async function rowOf(call: Call) {
  const fixture = fixtureOf(call);
  answer = fixture.answer;
  const response = await fetch(`${gateway.url}/${fixture.provider}${call.path}`, {
    method: "POST",
    headers: { ...gateway.bearer, ...(call.form ? {} : { "content-type": "application/json" }) },
    body: call.form === undefined ? JSON.stringify(call.body) : formOf(call.form),
  });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
  return gateway.requestRow(response.headers.get("x-llamakey-request-id"));
}

function formOf(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set("file", new File(["not really audio"], "speech.mp3", { type: "audio/mpeg" }));
  return form;
}

interface Sums {
  items: { keys: { provider: string }; requests: number; costNanos: string; unpriced: number }[];
  total: { requests: number; costNanos: string; unpriced: number };
}

test("a row has the cost that was worked out by hand, and lmk usage the sum of them", async () => {
  const expected = new Map<string, bigint>();
  for (const call of calls) {
    const { provider, costNanos } = fixtureOf(call);
    const row = await rowOf(call);
    expect({ call: call.answer, cost: row.costNanos }).toEqual({
      call: call.answer,
      cost: costNanos === null ? null : String(costNanos),
    });
    expected.set(provider, (expected.get(provider) ?? 0n) + (costNanos ?? 0n));
  }

  const { out, err } = await runLmk(gateway, ["usage", "--by", "provider", "--json"]);
  expect(err).toBe("");
  const { items, total } = JSON.parse(out) as Sums;
  const sums = Object.fromEntries(items.map(({ keys, costNanos }) => [keys.provider, BigInt(costNanos)]));
  expect(sums).toEqual(Object.fromEntries(expected));
  expect(BigInt(total.costNanos)).toBe([...expected.values()].reduce((sum, cost) => sum + cost, 0n));
  // Vectara's call cost something too, but nobody has said what.
  expect([total.requests, total.unpriced]).toEqual([calls.length, 1]);
});
