/** The providers whose SDKs read no base address, each at its own names. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { atEnd } from "../support/cleanup.ts";
import { startFurtherProviders } from "../support/further-providers.ts";
import { type RealHosts, serveRealHosts } from "../support/real-hosts.ts";
import { note, serveRecorded } from "../support/record.ts";
import { noteAddress } from "../support/record-gateway.ts";

export interface StandIns extends RealHosts {
  /** The administrator's real keys. */
  readonly env: Record<string, string>;
}

type Answer = (request: Request, body: Buffer, path: RegExpExecArray) => Response | Promise<Response>;

interface StandIn {
  readonly id: string;
  readonly variable: string;
  readonly key: string;
  /** Where its key must be, and how. */
  readonly place: readonly [header: string, value: string];
  readonly hosts: readonly string[];
  readonly paths: readonly (readonly [request: RegExp, answer: Answer])[];
}

export async function startStandIns(): Promise<StandIns> {
  const ports = new Map<string, number>();
  const env: Record<string, string> = {};
  const further = await startFurtherProviders();
  atEnd(() => further.stop());
  for (const [id, variable, ...hosts] of FROM_ELSEWHERE) {
    const url = further.byId.get(id)?.url ?? "";
    noteAddress(id, url);
    env[variable] = further.keys[id] ?? "";
    for (const host of hosts) ports.set(host, Number(new URL(url).port));
  }
  for (const one of own) {
    const { origin, port } = await serveRecorded({ fetch: (request) => answer(one, request) });
    noteAddress(one.id, origin);
    note({ what: "secret", owner: one.id, text: one.key });
    env[one.variable] = one.key;
    for (const host of one.hosts) ports.set(host, port);
  }
  return { ...(await serveRealHosts(ports)), env };
}

/** Those that answer without a key as well. */
const OPEN_HOSTS = new Set(["stream.replicate.com", "huggingface.co"]);

const FROM_ELSEWHERE = [
  ["mistral", "MISTRAL_API_KEY", "api.mistral.ai"],
  ["huggingface", "HF_TOKEN", "router.huggingface.co"],
  ["vectara", "VECTARA_API_KEY", "api.vectara.io"],
  ["cohere", "CO_API_KEY", "api.cohere.com"],
] as const;

async function answer(one: StandIn, request: Request): Promise<Response> {
  const [header, value] = one.place;
  const isOpen = OPEN_HOSTS.has(request.headers.get("host") ?? "");
  if (request.headers.get(header) !== value && !(isOpen && request.headers.get(header) === null))
    return Response.json({ detail: "That is not the real key." }, { status: 401 });
  const { pathname } = new URL(request.url);
  const body = Buffer.from(await request.arrayBuffer());
  for (const [pattern, reply] of one.paths) {
    const match = pattern.exec(`${request.method} ${pathname}`);
    if (match !== null) return reply(request, body, match);
  }
  return Response.json({ detail: `The stand-in has no ${request.method} ${pathname}.` }, { status: 404 });
}

/** An error that is the provider's own, where the request's text asks for one. */
function failing(body: Buffer, shape: (message: string) => unknown): Response | undefined {
  if (!body.includes("Fail with 400")) return undefined;
  return Response.json(shape("The stand-in fails with 400."), { status: 400 });
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function documented(name: string): Response {
  const file = new URL(`../fixtures/usage/${name}.json`, import.meta.url);
  const { headers, body } = JSON.parse(readFileSync(file, "utf8")) as { headers: HeadersInit; body: unknown };
  return new Response(JSON.stringify(body), { headers });
}

const sound = Buffer.from("ID3 no real sound, but bytes in two pieces");

/** In two pieces, a moment apart. */
function pieces(bytes: Uint8Array, type: string): Response {
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(bytes.slice(0, 7));
      await Bun.sleep(20);
      controller.enqueue(bytes.slice(7));
      controller.close();
    },
  });
  return new Response(stream, { headers: { "content-type": type } });
}

async function fileIn(request: Request, body: Buffer, field: string): Promise<Uint8Array> {
  const form = await new Response(Uint8Array.from(body), {
    headers: { "content-type": request.headers.get("content-type") ?? "" },
  }).formData();
  const file = form.get(field);
  if (!(file instanceof Blob)) throw new Error(`The form has no file "${field}".`);
  return new Uint8Array(await file.arrayBuffer());
}

const own: readonly StandIn[] = [
  {
    // The Hub, which says of a model that its own machines run it.
    id: "huggingface",
    variable: "HF_TOKEN",
    key: "hf_test_fake_0123456789abcdef",
    place: ["authorization", "Bearer hf_test_fake_0123456789abcdef"],
    hosts: ["huggingface.co"],
    paths: [
      [
        /^GET \/api\/models\/owner\/classifier$/,
        () => {
          const mapping = { status: "live", providerId: "owner/classifier", task: "image-classification" };
          const inferenceProviderMapping = [{ provider: "hf-inference", ...mapping }];
          return Response.json({
            _id: "m",
            id: "owner/classifier",
            pipeline_tag: mapping.task,
            inferenceProviderMapping,
          });
        },
      ],
    ],
  },
  {
    id: "voyage",
    variable: "VOYAGE_API_KEY",
    key: "pa-test-fake-voyage-0123456789abcdef",
    place: ["authorization", "Bearer pa-test-fake-voyage-0123456789abcdef"],
    hosts: ["api.voyageai.com"],
    paths: [
      [
        /^POST \/v1\/embeddings$/,
        (_, body) => failing(body, (detail) => ({ detail })) ?? documented("voyage-embeddings"),
      ],
    ],
  },
  {
    id: "elevenlabs",
    variable: "ELEVENLABS_API_KEY",
    key: "sk_test_fake_elevenlabs_0123456789abcdef",
    place: ["xi-api-key", "sk_test_fake_elevenlabs_0123456789abcdef"],
    hosts: ["api.elevenlabs.io"],
    paths: [
      [
        /^POST \/v1\/text-to-speech\/voice(\/stream)?$/,
        (_, body) =>
          failing(body, (message) => ({ detail: { status: "bad", message } })) ?? pieces(sound, "audio/mpeg"),
      ],
      [
        /^POST \/v1\/speech-to-text$/,
        async (request, body) =>
          Response.json({
            language_code: "en",
            language_probability: 1,
            text: digest(await fileIn(request, body, "file")),
            words: [],
          }),
      ],
    ],
  },
  {
    id: "deepgram",
    variable: "DEEPGRAM_API_KEY",
    key: "test-fake-deepgram-0123456789abcdef",
    place: ["authorization", "Token test-fake-deepgram-0123456789abcdef"],
    hosts: ["api.deepgram.com"],
    paths: [
      [
        /^POST \/v1\/listen$/,
        (request, body) => {
          const isFile = request.headers.get("content-type") !== "application/json";
          const text = isFile ? digest(body) : "The sun was setting slowly.";
          return Response.json({
            metadata: {
              request_id: "11111111-2222-3333-4444-555555555555",
              created: "2026-11-01T00:00:00Z",
              duration: 5,
              channels: 1,
              models: [],
              model_info: {},
              sha256: text,
            },
            results: { channels: [{ alternatives: [{ transcript: text, confidence: 1, words: [] }] }] },
          });
        },
      ],
      [
        /^POST \/v1\/speak$/,
        (_, body) =>
          failing(body, (err_msg) => ({ err_code: "Bad Request", err_msg, request_id: "r" })) ??
          pieces(sound, "audio/mpeg"),
      ],
    ],
  },
  {
    id: "tavily",
    variable: "TAVILY_API_KEY",
    key: "tvly-test-fake-0123456789abcdef",
    place: ["authorization", "Bearer tvly-test-fake-0123456789abcdef"],
    hosts: ["api.tavily.com"],
    paths: [
      [
        /^POST \/search$/,
        (_, body) =>
          failing(body, (error) => ({ detail: { error } })) ??
          Response.json({
            query: "who?",
            images: [],
            results: [{ title: "A page", url: "https://example.com/a", content: "What it says.", score: 1 }],
            response_time: 0.1,
            usage: { credits: 1 },
          }),
      ],
      [/^POST \/research$/, () => pieces(Buffer.from("data: one\n\ndata: two\n\n"), "text/event-stream")],
    ],
  },
  {
    id: "replicate",
    variable: "REPLICATE_API_TOKEN",
    key: "r8_test_fake_0123456789abcdefghijklmnopq",
    place: ["authorization", "Bearer r8_test_fake_0123456789abcdefghijklmnopq"],
    hosts: ["api.replicate.com", "stream.replicate.com"],
    paths: [
      [
        /^POST \/v1\/models\/owner\/name\/predictions$/,
        (_, body) =>
          failing(body, (detail) => ({ title: "Bad", detail, status: 400 })) ??
          Response.json(prediction("starting"), { status: 201 }),
      ],
      [/^GET \/v1\/predictions\/p1$/, () => Response.json(prediction("succeeded"))],
      [
        /^GET \/v1\/stream\/p1$/,
        () =>
          pieces(
            Buffer.from("event: output\nid: 1\ndata: Hello\n\nevent: done\nid: 2\ndata: {}\n\n"),
            "text/event-stream",
          ),
      ],
      [
        /^POST \/v1\/files$/,
        async (request, body) =>
          Response.json({ id: "f1", checksums: { sha256: digest(await fileIn(request, body, "content")) } }),
      ],
    ],
  },
];

function prediction(status: string) {
  return {
    id: "p1",
    model: "owner/name",
    version: "hidden",
    status,
    input: {},
    output: status === "succeeded" ? ["Hello"] : null,
    error: null,
    logs: "",
    created_at: "2026-11-01T00:00:00Z",
    metrics: { predict_time: 1 },
    urls: {
      get: "https://api.replicate.com/v1/predictions/p1",
      cancel: "https://api.replicate.com/v1/predictions/p1/cancel",
      stream: "https://stream.replicate.com/v1/stream/p1",
    },
  };
}
