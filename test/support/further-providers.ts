/** Stand-ins for the providers beside OpenAI and Anthropic, each with a real key of its own. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { AiMock, type Endpoint, type Endpoints, INNER } from "./aimock.ts";
import { type ObjectStore, startObjectStore } from "./object-store.ts";

export interface FurtherProviders {
  /** By the first segment of their paths at the gateway. */
  readonly byId: ReadonlyMap<string, AiMock>;
  /** The only credential that each of them takes. */
  readonly keys: Readonly<Record<string, string>>;
  /** Where Together's uploads go. */
  readonly store: ObjectStore;
  /** For the gateway's administrator, not for its users. */
  readonly env: Record<string, string>;
  stop(): Promise<void>;
}

interface StandIn {
  readonly id: string;
  readonly key: string;
  /** Where the administrator puts the key, and the address. */
  readonly keyVariable: string;
  readonly upstreamVariable?: string;
  /** What stands behind the address. */
  readonly base?: string;
  readonly requestIdHeader?: string;
  readonly aliases?: readonly (readonly [path: RegExp, name: string])[];
  readonly endpoints?: Endpoints;
}

export async function startFurtherProviders(): Promise<FurtherProviders> {
  const store = await startObjectStore();
  const byId = new Map<string, AiMock>();
  const keys: Record<string, string> = {};
  const env: Record<string, string> = {};
  for (const one of standIns(store)) {
    const { id, key, endpoints = [] } = one;
    const mock = new AiMock({
      key,
      endpoints,
      requestIdHeader: one.requestIdHeader ?? "x-request-id",
      ...(one.aliases === undefined ? {} : { aliases: one.aliases }),
    });
    await mock.start();
    byId.set(id, mock);
    keys[id] = key;
    env[one.keyVariable] = key;
    env[one.upstreamVariable ?? `LMK_${id.toUpperCase()}_UPSTREAM`] = mock.url + (one.base ?? "");
  }
  const stop = async () => {
    await Promise.all([...byId.values()].map((mock) => mock.stop()));
    await store.stop();
  };
  return { byId, keys, store, env, stop };
}

function standIns(store: ObjectStore): readonly StandIn[] {
  return [
    {
      id: "gemini",
      key: "AIza-test-fake-gemini-0123456789abcdef",
      keyVariable: "GEMINI_API_KEY",
      // The Python SDK asks for this version from 3.0 on.
      aliases: [[/^\/v1(?=\/models\/)/, "/v1beta"]],
      endpoints: geminiFiles,
    },
    {
      id: "azure",
      key: "test-fake-azure-0123456789abcdef",
      keyVariable: "AZURE_OPENAI_API_KEY",
      requestIdHeader: "apim-request-id",
      endpoints: [
        {
          method: "POST",
          path: /^\/openai\/deployments\/whisper-1\/audio\/transcriptions$/,
          answer: (request) => heard(request, "openai-transcription-duration"),
        },
      ],
    },
    {
      id: "cohere",
      key: "co-test-fake-0123456789abcdefghijklmnop",
      keyVariable: "CO_API_KEY",
      endpoints: [
        { method: "POST", path: /^\/v2\/rerank$/, answer: () => documented("cohere-rerank") },
        {
          method: "POST",
          path: /^\/v1\/datasets$/,
          answer: async (request) => Response.json({ id: await nameOfUpload(request, "data") }),
        },
      ],
    },
    {
      id: "mistral",
      key: "mistral-test-fake-0123456789abcdef",
      keyVariable: "MISTRAL_API_KEY",
      requestIdHeader: "mistral-correlation-id",
      endpoints: (mock) => [
        {
          method: "POST",
          path: /^\/v1\/chat\/completions$/,
          answer: chat("mistral-chat-stream", () => `${mock.within}/openai/v1/chat/completions`),
        },
        { method: "POST", path: /^\/v1\/ocr$/, answer: () => documented("mistral-ocr") },
        {
          method: "POST",
          path: /^\/v1\/audio\/transcriptions$/,
          answer: (request) => heard(request, "mistral-transcription"),
        },
        {
          method: "POST",
          path: /^\/v1\/files$/,
          async answer(request) {
            const file = await uploaded(request, "file");
            return Response.json({
              id: "497f6eca-6276-4993-bfeb-53cbbbba6f09",
              object: "file",
              bytes: file.size,
              created_at: 1716963433,
              filename: file.name,
              purpose: "ocr",
              sample_type: "ocr_input",
              source: "upload",
              signature: await digestOf(file),
            });
          },
        },
      ],
    },
    {
      id: "perplexity",
      key: "pplx-test-fake-0123456789abcdef",
      keyVariable: "PERPLEXITY_API_KEY",
      endpoints: [
        { method: "POST", path: /^\/chat\/completions$/, answer: sonar },
        {
          method: "POST",
          path: /^\/v1\/files$/,
          async answer(request) {
            const file = await uploaded(request, "file");
            return Response.json({
              id: `file-${await digestOf(file)}`,
              object: "file",
              bytes: file.size,
              created_at: 1716963433,
              filename: file.name,
              purpose: "batch",
            });
          },
        },
        {
          method: "POST",
          path: /^\/search$/,
          answer: () =>
            Response.json({
              id: "search_1",
              results: [{ title: "A page", url: "https://example.com/a", snippet: "What it says." }],
            }),
        },
      ],
    },
    {
      id: "huggingface",
      key: "hf_test_fake_0123456789abcdef",
      keyVariable: "HF_TOKEN",
      endpoints: [
        {
          method: "POST",
          path: /^\/hf-inference\/models\/owner\/classifier$/,
          answer: async (request) => {
            const label = await digestOf(await request.blob());
            return Response.json([{ label, score: 0.99 }]);
          },
        },
      ],
    },
    {
      id: "hf-lab",
      key: "hf_test_fake_lab_0123456789abcdef",
      keyVariable: "LMK_HF_ENDPOINT_LAB_KEY",
      upstreamVariable: "LMK_HF_ENDPOINT_LAB",
      endpoints: [
        {
          method: "POST",
          path: /^\/$/,
          // What runs there: a text generator for JSON, a classifier for pictures.
          answer: (request) =>
            documented(
              request.headers.get("content-type") === "application/json"
                ? "huggingface-generate"
                : "huggingface-task",
            ),
        },
        {
          method: "POST",
          path: /^\/v1\/completions$/,
          answer: () =>
            Response.json({
              id: "cmpl-standin",
              object: "text_completion",
              created: 1741569952,
              model: "my-model",
              choices: [{ index: 0, text: "Hi", logprobs: null, finish_reason: "length" }],
              usage: { prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 },
            }),
        },
      ],
    },
    {
      id: "anyscale",
      key: "esecret-test-fake-0123456789abcdef",
      keyVariable: "ANYSCALE_API_KEY",
      base: "/v1",
    },
    {
      id: "groq",
      key: "gsk_test_fake_0123456789abcdef",
      keyVariable: "GROQ_API_KEY",
      base: "/openai/v1",
      endpoints: (mock) => [
        {
          method: "POST",
          path: /^\/openai\/v1\/chat\/completions$/,
          answer: chat("groq-stream", () => `${mock.within}/v1/chat/completions`),
        },
        {
          method: "POST",
          path: /^\/openai\/v1\/audio\/transcriptions$/,
          answer: (request) => heard(request, "groq-transcription"),
        },
      ],
    },
    {
      id: "together",
      key: "tgp_v1_test_fake_0123456789abcdef",
      keyVariable: "TOGETHER_API_KEY",
      endpoints: togetherFiles(store),
    },
    {
      id: "vectara",
      key: "zut_test_fake_0123456789abcdef",
      keyVariable: "VECTARA_API_KEY",
      endpoints: [
        { method: "POST", path: /^\/v2\/query$/, answer: vectaraQuery },
        {
          method: "POST",
          path: /^\/v2\/corpora\/mine\/upload_file$/,
          answer: async (request) => {
            const file = await uploaded(request, "file");
            const storage_usage = { bytes_used: file.size, metadata_bytes_used: 0 };
            return Response.json(
              { id: `${file.name}-${await digestOf(file)}`, storage_usage },
              { status: 201 },
            );
          },
        },
      ],
    },
    {
      id: "deepseek",
      key: "sk-test-fake-deepseek-0123456789abcdef",
      keyVariable: "DEEPSEEK_API_KEY",
    },
    {
      id: "openrouter",
      key: "sk-or-v1-test-fake-0123456789abcdef",
      keyVariable: "OPENROUTER_API_KEY",
      base: "/api/v1",
    },
  ];
}

/** An answer as its provider documents it, from `test/fixtures/usage/`. */
function documented(name: string): Response {
  const file = new URL(`../fixtures/usage/${name}.json`, import.meta.url);
  const { headers, lines, body } = JSON.parse(readFileSync(file, "utf8")) as {
    headers: HeadersInit;
    lines?: string[];
    body?: unknown;
  };
  return new Response(lines?.map((line) => `${line}\n`).join("") ?? JSON.stringify(body), { headers });
}

/**
 * Streams as they are documented, with a usage that nobody has to ask for, which aimock wants to be asked for; all
 * else is aimock's to answer.
 * @param aimock Another path by which it knows this endpoint.
 */
function chat(stream: string, aimock: () => string): Endpoint["answer"] {
  return async (request) => {
    const body = await request.text();
    if ((JSON.parse(body) as { stream?: boolean }).stream === true) return documented(stream);
    const headers = new Headers(request.headers);
    headers.set(INNER, "1");
    return fetch(aimock(), { method: "POST", headers, body, decompress: false });
  };
}

/** What a transcriber answers to a form that has audio in it. */
async function heard(request: Request, name: string): Promise<Response> {
  const { size } = await uploaded(request, "file");
  return size > 0 ? documented(name) : Response.json({ error: { message: "No audio." } }, { status: 400 });
}

async function uploaded(request: Request, field: string): Promise<File> {
  const file = (await request.formData()).get(field);
  if (!(file instanceof File)) throw new Error(`The form has no file "${field}".`);
  return file;
}

async function nameOfUpload(request: Request, field: string): Promise<string> {
  const file = await uploaded(request, field);
  return `${file.name}-${await digestOf(file)}`;
}

async function digestOf(file: Blob): Promise<string> {
  return createHash("sha256")
    .update(new Uint8Array(await file.arrayBuffer()))
    .digest("hex");
}

/** Perplexity's answers name their price, which aimock's do not; its stream does so in every piece's running total. */
async function sonar(request: Request): Promise<Response> {
  const { messages, stream } = (await request.json()) as {
    messages: { content: string }[];
    stream?: boolean;
  };
  if (messages.at(-1)?.content.startsWith("Fail")) {
    const error = { message: "The stand-in fails with 400.", type: "invalid_message", code: 400 };
    return Response.json({ error }, { status: 400 });
  }
  if (stream !== true) return documented("perplexity-chat");
  const cost = { input_tokens_cost: 0.000078, output_tokens_cost: 0.00006, request_cost: 0.006 };
  const chunk = (content: string, completion_tokens: number, last: boolean) => ({
    id: "c1",
    object: "chat.completion.chunk",
    created: 1741569952,
    model: "sonar-pro",
    choices: [
      {
        index: 0,
        delta: { role: "assistant", content },
        message: { role: "assistant", content },
        finish_reason: last ? "stop" : null,
      },
    ],
    usage: {
      prompt_tokens: 26,
      completion_tokens,
      total_tokens: 26 + completion_tokens,
      cost: last
        ? { ...cost, total_cost: 0.006138 }
        : { input_tokens_cost: 0, output_tokens_cost: 0, total_cost: 0 },
    },
  });
  const chunks = [chunk("Hel", 2, false), chunk("lo", 4, true)];
  return new Response(chunks.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join(""), {
    headers: { "content-type": "text/event-stream" },
  });
}

/** An answer made of what was found, whole or as events; or as the API says that a corpus is missing. */
async function vectaraQuery(request: Request): Promise<Response> {
  const { query, search, stream_response } = (await request.json()) as {
    query: string;
    search: { corpora: { corpus_key: string }[] };
    stream_response?: boolean;
  };
  const [corpus] = search.corpora;
  if (corpus?.corpus_key !== "mine") {
    const body = { messages: ["The stand-in has no such corpus."], request_id: "req_standin" };
    return Response.json(body, { status: 404 });
  }
  const search_results = [{ text: `All about: ${query}`, score: 0.9, document_id: "d1" }];
  const parts = ["Hello from ", "the corpus, 你好 👋."];
  if (stream_response !== true) return Response.json({ summary: parts.join(""), search_results });
  const events = [
    { type: "search_results", search_results },
    ...parts.map((generation_chunk) => ({ type: "generation_chunk", generation_chunk })),
    { type: "generation_end" },
    { type: "end" },
  ];
  return new Response(events.map((one) => `event:${one.type}\ndata:${JSON.stringify(one)}\n\n`).join(""), {
    headers: { "content-type": "text/event-stream" },
  });
}

/** Files, sent in pieces to a link at Google's own host. */
function geminiFiles(mock: AiMock): readonly Endpoint[] {
  const pieces = new Map<string, Buffer[]>();
  const file = (id: string) => {
    const bytes = Buffer.concat(pieces.get(id) ?? []);
    return {
      name: `files/${id}`,
      mimeType: "text/plain",
      sizeBytes: String(bytes.length),
      sha256Hash: createHash("sha256").update(bytes).digest("base64"),
      uri: `https://generativelanguage.googleapis.com/v1/files/${id}`,
      state: "ACTIVE",
    };
  };
  return [
    {
      method: "POST",
      path: /^\/upload\/v1(?:beta)?\/files$/,
      async answer(request) {
        const { pathname, searchParams } = new URL(request.url);
        const id = searchParams.get("upload_id");
        if (id === null) {
          const made = `standin${pieces.size + 1}`;
          pieces.set(made, []);
          return new Response("", {
            headers: {
              "x-goog-upload-url": `${mock.url}${pathname}?upload_id=${made}&upload_protocol=resumable`,
              "x-goog-upload-status": "active",
            },
          });
        }
        pieces.get(id)?.push(Buffer.from(await request.arrayBuffer()));
        const isLast = request.headers.get("x-goog-upload-command")?.includes("finalize") === true;
        return isLast
          ? Response.json({ file: file(id) }, { headers: { "x-goog-upload-status": "final" } })
          : new Response("", { headers: { "x-goog-upload-status": "active" } });
      },
    },
    {
      method: "GET",
      path: /^\/v1(?:beta)?\/files\/([^/]+)$/,
      answer: (_, [, id = ""]) =>
        pieces.has(id)
          ? Response.json(file(id))
          : Response.json(
              { error: { code: 404, message: "File not found.", status: "NOT_FOUND" } },
              { status: 404 },
            ),
    },
  ];
}

/** A file is put into storage by a signed link and without any key, and then announced; each has an id of its own. */
function togetherFiles(store: ObjectStore): readonly Endpoint[] {
  let made = 0;
  const file = (_: unknown, [, id = ""]: readonly string[]) =>
    Response.json({
      id,
      object: "file",
      bytes: store.objects.get(`/bucket/${id}`)?.length ?? 0,
      created_at: 1716963433,
      filename: "data.jsonl",
      purpose: "fine-tune",
      processed: true,
      FileType: "jsonl",
      LineCount: 0,
    });
  return [
    {
      method: "POST",
      path: /^\/v1\/files$/,
      answer: () => {
        const id = `file-standin-${++made}`;
        const location = `${store.url}/bucket/${id}?signature=signed`;
        return new Response(null, { status: 302, headers: { location, "x-together-file-id": id } });
      },
    },
    // How the Python SDK announces it.
    { method: "POST", path: /^\/v1\/files\/(file-standin-\d+)\/preprocess$/, answer: file },
    { method: "GET", path: /^\/v1\/files\/(file-standin-\d+)$/, answer: file },
  ];
}
