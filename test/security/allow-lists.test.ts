/**
 * However a request is written, what the provider is asked for is inside the allow-list. The provider here records what
 * it was asked; the oracle reads that as leniently as any provider might, and every reading must be allowed.
 */
import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { startGateway } from "../support/gateway.ts";
import { type HeaderList, headBytes } from "../support/http1.ts";
import { rawExchange } from "../support/raw-client.ts";
import { type RecordedRequest, recordingUpstream, reply } from "../support/recording-upstream.ts";

const isFull = process.env["LMK_TEST_FULL"] === "1";
/** Fixed counts, not times: a slow machine tries as much as a fast one, and no request is left under way. */
const RUNS = isFull ? 40_000 : 2_000;
const LIMIT_MS = isFull ? 1_200_000 : 120_000;

const upstream = await recordingUpstream();
upstream.answer = reply({ body: "{}" });
const fake = "fake-allow-lists-0123456789";
const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: `sk-test-${fake}`,
    LMK_OPENAI_UPSTREAM: `${upstream.url}/v1`,
    ANTHROPIC_API_KEY: `sk-ant-test-${fake}`,
    LMK_ANTHROPIC_UPSTREAM: upstream.url,
    GEMINI_API_KEY: fake,
    LMK_GEMINI_UPSTREAM: upstream.url,
    AZURE_OPENAI_API_KEY: fake,
    LMK_AZURE_UPSTREAM: upstream.url,
    HF_TOKEN: `hf_${fake}`,
    LMK_HUGGINGFACE_UPSTREAM: upstream.url,
    REPLICATE_API_TOKEN: `r8_${fake}`,
    LMK_REPLICATE_UPSTREAM: `${upstream.url}/v1`,
    FIREWORKS_API_KEY: fake,
    LMK_FIREWORKS_UPSTREAM: upstream.url,
  },
});
const bearer: HeaderList = [
  ["Host", `127.0.0.1:${gateway.port}`],
  ["Authorization", `Bearer ${gateway.key}`],
];

const ALLOWED = /^(?:models\/)?allowed(?:-[a-z0-9]+)?$/i;
const models = fc.constantFrom(
  "allowed",
  "allowed-mini",
  "ALLOWED",
  "forbidden",
  "forbidden-allowed",
  "allowed/../forbidden",
  "allowed\u0000forbidden",
  "models/forbidden",
);

/** A JSON string, plain or with escapes that a parser undoes. */
const spelt = (text: string) =>
  fc.constantFrom(
    JSON.stringify(text),
    `"${[...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"`,
    `"\\u${text.charCodeAt(0).toString(16).padStart(4, "0")}${text.slice(1).replace("\0", "\\u0000")}"`,
  );

const member = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom('"model"', '"mod\\u0065l"', '"\\u006dodel"'), models.chain(spelt)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('"model"'), fc.constantFrom("null", "1", "[]", '["forbidden"]', "{}")),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<[string, string]>(
      ['"messages"', '[{"role":"user","content":"\\"model\\": \\"forbidden\\""}]'],
      ['"metadata"', '{"model":"nested"}'],
      ['"x"', '"}"'],
    ),
  },
);
const json = fc
  .tuple(
    fc.array(member, { maxLength: 3 }),
    fc.constantFrom("", "\ufeff", "  \n"),
    fc.constantFrom("", " ", "\n"),
  )
  .map(
    ([members, before, space]) =>
      `${before}{${members.map(([k, v]) => `${k}${space}:${v}`).join(`,${space}`)}}`,
  );

const BOUNDARY = "----fake0boundary";
const form = fc
  .array(models, { maxLength: 2 })
  .map((named) =>
    [
      ...named.map(
        (model) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n`,
      ),
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--${BOUNDARY}--\r\n`,
    ].join(""),
  );

type Sent = readonly [type: string | null, encoding: string | null, body: Buffer];
const body: fc.Arbitrary<Sent> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        json,
        fc.constantFrom(
          "application/json",
          "application/json; charset=utf-8",
          "APPLICATION/JSON",
          "text/plain",
          null,
        ),
        fc.constantFrom(null, null, null, "gzip", "identity", "GZIP"),
      )
      .map(([text, type, encoding]): Sent => {
        const bytes = Buffer.from(text);
        return [type, encoding, encoding?.toLowerCase() === "gzip" ? gzipSync(bytes) : bytes];
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        json,
        fc.constantFrom("application/octet-stream", "text/xml", "audio/wav", "application/x-ndjson"),
      )
      .map(([text, type]): Sent => [type, null, Buffer.from(text)]),
  },
  {
    weight: 2,
    arbitrary: form.map(
      (text): Sent => [`multipart/form-data; boundary=${BOUNDARY}`, null, Buffer.from(text)],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Sent>(["application/x-www-form-urlencoded", null, Buffer.from("model=forbidden")]),
  },
);

const encoded = (text: string) =>
  fc.constantFrom(
    encodeURIComponent(text),
    text.replace(/[^a-z-]/gi, encodeURIComponent),
    [...text].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`).join(""),
    encodeURIComponent(encodeURIComponent(text)),
  );
const modelPath = models.chain(encoded);
/** Endpoints that bill: where the model stands in the path, and where it does not. */
const endpoint = fc.oneof(
  fc.constantFrom(
    "/openai/v1/chat/completions",
    "/openai/responses",
    "/openai/v1/embeddings",
    "/openai/v1/images/edits",
    "/openai/v1/audio/transcriptions",
    "/anthropic/v1/messages",
    "/huggingface/v1/chat/completions",
    "/fireworks/inference/v1/chat/completions",
    "/azure/openai/v1/chat/completions",
    "/gemini/v1beta/openai/chat/completions",
  ),
  modelPath.map((model) => `/gemini/v1beta/models/${model}:generateContent`),
  modelPath.map((model) => `/gemini/models/${model}:streamGenerateContent?alt=sse`),
  modelPath.map((model) => `/gemini/v1beta/models/${model}%3AgenerateContent`),
  modelPath.map((model) => `/huggingface/hf-inference/models/${model}`),
  modelPath.map((model) => `/replicate/v1/models/acme/${model}/predictions`),
  modelPath.map((model) => `/azure/openai/deployments/${model}/chat/completions?api-version=2024-10-21`),
);
const trick = fc.constantFrom<(path: string) => string>(
  (path) => path,
  (path) => path,
  (path) => path,
  (path) => path.replaceAll("/", "//"),
  (path) => path.replace(/(\/v1(?:beta)?)\//, "$1/./"),
  (path) => path.replace(/\/([^/?]+)(\?|$)/, "/x/../$1$2"),
  (path) => path.replace(/\/([^/?]+)(\?|$)/, "/x/%2e%2e/$1$2"),
  (path) => path.replace(/\/([^/?]+)(\?|$)/, "/..;a=b/$1$2"),
  (path) => path.replace(/\/([^/?]+)(\?|$)/, "%2f$1$2"),
  (path) => path.replace(/\/([^/?]+)(\?|$)/, "/$1;a=b$2"),
  (path) => path.replace(/\/([^/?]+)(\?|$)/, "/$1%00$2"),
  (path) => path.replace(/\/([^/?]+)(\?|$)/, "\\$1$2"),
  (path) => path.replace(/allowed/, "allowed%3Aforbidden"),
  (path) => path.replace(/models\//, "models/forbidden:x/../"),
  (path) => path.replace(/[a-z]([^a-z/]*)$/, (last) => `%${last.charCodeAt(0).toString(16)}${last.slice(1)}`),
  (path) => path.toUpperCase().replace(/^\/[A-Z]+/, (provider) => provider.toLowerCase()),
);
const query = fc.oneof(
  { weight: 4, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: models.map((model) => `model=${encodeURIComponent(model)}`) },
  { weight: 1, arbitrary: models.map((model) => `mod%65l=${encodeURIComponent(model)}&model=allowed`) },
);

const IN_PATH = [
  /\/models\/(.+?)(?::|%3a)[a-z]+$/i,
  /\/deployments\/(.+?)\/chat/i,
  /\/hf-inference\/models\/([^;]+)/i,
  /\/models\/(.+?)\/predictions/i,
];

/** Every model that some reader could find in what the provider was asked. */
function modelsSeen({ target, headers, body: bytes }: RecordedRequest): string[] {
  const seen: string[] = [];
  const [path = "", asked = ""] = target.split("?");
  for (const once of new Set([path, decoded(path), decoded(decoded(path))])) {
    const inPath = IN_PATH.map((pattern) => pattern.exec(once)?.[1]).find((model) => model !== undefined);
    // A reader that does not decode at all finds a name that there is none of.
    if (inPath !== undefined && !inPath.includes("%")) seen.push(inPath);
  }
  // Where the path names it, the body does not count.
  if (seen.length > 0) return seen;
  seen.push(...new URLSearchParams(asked).getAll("model"));
  const isForm = headers.some(
    ([name, value]) => /^content-type$/i.test(name) && value.startsWith("multipart"),
  );
  const isPacked = headers.some(([name, value]) => /^content-encoding$/i.test(name) && /gzip/i.test(value));
  const text = (isPacked ? Buffer.from(Bun.gunzipSync(new Uint8Array(bytes))) : bytes).toString();
  if (isForm) {
    for (const [, model = ""] of text.matchAll(/name="model"\r\n\r\n([\s\S]*?)\r\n--/g)) seen.push(model);
    return seen;
  }
  try {
    const parsed = JSON.parse(text.replace(/^\ufeff/, "")) as { model?: unknown } | null;
    if (typeof parsed?.model === "string") seen.push(parsed.model);
    else if (seen.length === 0 && parsed?.model !== undefined && parsed.model !== null)
      seen.push(JSON.stringify(parsed.model));
  } catch {
    // No reader finds a model in what is no JSON.
  }
  // The first of two is what some parsers take.
  const first = /^[\s\ufeff{]*"mod(?:e|\\u0065)l"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  if (first !== undefined) seen.push(JSON.parse(first) as string);
  return seen;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function send(
  method: string,
  target: string,
  [type, encoding, bytes]: Sent,
): Promise<RecordedRequest[]> {
  upstream.clear();
  const headers: HeaderList = [
    ...bearer,
    ...(type === null ? [] : ([["Content-Type", type]] as HeaderList)),
    ...(encoding === null ? [] : ([["Content-Encoding", encoding]] as HeaderList)),
    ["Content-Length", String(bytes.length)],
    ["Connection", "close"],
  ];
  const head = headBytes(`${method} ${target.replaceAll("\0", "")} HTTP/1.1`, headers);
  await rawExchange(gateway.port, Buffer.concat([head, bytes]));
  return [...upstream.requests];
}

test(
  "every model that the provider could read is in the list",
  async () => {
    await gateway.api("PUT", "/policies/organisation", {
      models: ["allowed", "allowed-*", "models/allowed*"],
    });
    let reached = 0;
    let refused = 0;
    const property = fc.asyncProperty(endpoint, trick, query, body, async (path, spell, asked, sent) => {
      const target = spell(path) + (asked === "" ? "" : `${path.includes("?") ? "&" : "?"}${asked}`);
      const requests = await send("POST", target, sent);
      if (requests.length === 0) refused++;
      for (const request of requests) {
        reached++;
        for (const model of modelsSeen(request)) expect(model).toMatch(ALLOWED);
      }
    });
    await fc.assert(property, { numRuns: RUNS });
    // Neither may be rare, or nothing was tried.
    expect(reached).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  },
  LIMIT_MS,
);

/** What the provider may be asked under the second list, as any reader may read it. */
const OPEN = /^(?:\/v1|\/v1beta)?(?:\/models(?:\/[^/]*)?|\/chat\/completions)\/?$/;

function readings({ target }: RecordedRequest): string[] {
  const path = target.split("?")[0] ?? "";
  return [path, decoded(path), decoded(decoded(path))]
    .filter((one, n) => n > 0 || !one.includes("%"))
    .map((one) => {
      const segments: string[] = [];
      for (const segment of one.replaceAll("\\", "/").split("/")) {
        const bare = segment.split(/[;?#\0]/)[0] ?? "";
        if (bare === "..") segments.pop();
        else if (bare !== "." && bare !== "") segments.push(bare);
      }
      return `/${segments.join("/")}`.toLowerCase();
    });
}

test(
  "every path that the provider could read is in the list",
  async () => {
    await gateway.api("PUT", "/policies/organisation", {
      endpoints: [
        "GET,POST /openai/v1/models/*",
        "GET /openai/v1/models",
        "POST /openai/v1/chat/completions",
      ],
    });
    const paths = fc.constantFrom(
      "/openai/v1/models",
      "/openai/v1/models/m",
      "/openai/models/m",
      "/openai/v1/chat/completions",
      "/openai/v1/files",
      "/openai/v1/files/f/content",
      "/openai/v1/models/m/files",
      "/openai/v1/models/files/../../files",
      "/openai/v1/v1/files",
      "/openai/v1/models/..%2ffiles",
      "/openai/v1/models/%252e%252e%252ffiles",
      "/openai/v1/models/a%3f/../../../files",
      "/openai/v1/files;/../models",
      "/openai/v1/files%23/models",
      "/gemini/v1beta/models",
      "/anthropic/v1/models",
    );
    let [reached, refused] = [0, 0];
    const property = fc.asyncProperty(
      paths,
      trick,
      trick,
      fc.constantFrom("GET", "POST"),
      async (path, a, b, method) => {
        const requests = await send(method, b(a(path)), [null, null, Buffer.alloc(0)]);
        if (requests.length === 0) refused++;
        for (const request of requests) {
          reached++;
          for (const reading of readings(request)) expect(reading).toMatch(OPEN);
        }
      },
    );
    await fc.assert(property, { numRuns: RUNS * 1.5 });
    expect(reached).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  },
  LIMIT_MS,
);
