import { beforeAll, expect, test } from "bun:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { type Behind, behindGateway, OPENAI_KEY, SERVER_KEY } from "../support/behind-gateway.ts";
import { type Destination, expectedRequest, listed, merged } from "../support/differences.ts";
import { chunk, type HeaderList, headBytes, header, LAST_CHUNK } from "../support/http1.ts";
import { rawClient } from "../support/raw-client.ts";

const runs = process.env["LMK_TEST_FULL"] ? 2000 : 200;
const limitMs = process.env["LMK_TEST_FULL"] ? 300_000 : 60_000;

let behind: Behind;
let destinations: Destination[];

beforeAll(async () => {
  behind = await behindGateway();
  const host = behind.upstream.url.slice("http://".length);
  destinations = [
    {
      provider: "openai",
      basePath: "/v1",
      host,
      credential: ["authorization", `Bearer ${OPENAI_KEY}`],
    },
    { provider: "box", basePath: "/deep/v1", host, credential: ["authorization", `Bearer ${SERVER_KEY}`] },
    { provider: "bare", basePath: "", host, credential: undefined },
  ];
});

const hex = [..."0123456789abcdefABCDEF"];
/** Escapes that have one meaning only; what is refused is in differences.test.ts. */
const escapes = fc
  .tuple(fc.constantFrom(...hex), fc.constantFrom(...hex))
  .map(([high, low]) => `%${high}${low}`)
  .filter((text) => {
    const code = Number.parseInt(text.slice(1), 16);
    return code >= 0x20 && code < 0x7f && ![0x25, 0x2e, 0x2f, 0x5c].includes(code);
  });
const unicode = fc
  .constantFrom("é", "€", "模型", "😀", "\u0301", "%")
  .map((text) => encodeURIComponent(text));
const pathCharacter = fc.constantFrom(..."abcXYZ019-._~!$&'()*+,;=:@|[]", ...'"<>^`{}');
const segment = fc
  .array(fc.oneof({ weight: 6, arbitrary: pathCharacter }, escapes, unicode), { maxLength: 12 })
  .map((parts) => parts.join(""))
  // Dot segments, with and without parameters, have rows of their own.
  .filter((text) => !/^(\.|%2e){1,2}(;|$)/i.test(text) && !/%25(2[ef]|5c|00)/i.test(text));
const queryCharacter = fc.constantFrom(..."abcXYZ019-._~!$&'()*+,;=:@|[]/?%\"<>^`{}\\", "%00", "%2F", "%zz");
const query = fc.option(
  fc.array(queryCharacter, { maxLength: 20 }).map((parts) => `?${parts.join("")}`),
  { nil: "" },
);
const paths = fc
  .tuple(fc.constantFrom("", "/v1", "/v1/v1", "/", "/v10"), fc.array(segment, { maxLength: 4 }), query)
  .map(([start, segments, tail]) => start + segments.map((one) => `/${one}`).join("") + tail);

/** Names that mean something to the gateway, to a hop or to a message's framing: each has a row or a test of its own. */
const reserved =
  /^(authorization|x-api-key|api-key|x-goog-api-key|xi-api-key|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|expect|cookie|forwarded|x-forwarded-.*|x-real-ip|content-length|content-type|content-encoding|openai-.*|sec-fetch-dest)$/i;
const headerName = fc
  .oneof(
    fc.constantFrom(
      "X-Stainless-Lang",
      "x-request-id",
      "OpenAI-Beta",
      "anthropic-beta",
      "Accept-Encoding",
      "User-Agent",
      "Accept",
      "Range",
      "If-None-Match",
      "Idempotency-Key",
      "Accept-Language",
      "Origin",
      "Referer",
      "Sec-Fetch-Mode",
      "Content-Language",
      "Cache-Control",
    ),
    fc
      .array(fc.constantFrom(..."abcXYZ019-_!#$%&'*+.^`|~"), { minLength: 1, maxLength: 12 })
      .map((parts) => parts.join("")),
  )
  .filter((name) => !reserved.test(name) || /^openai-beta$/i.test(name));
const headerValue = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(..."abcXYZ019 ,;:=\"'()<>@/[]?{}\\%&+-_.!#$*^`|~\t") },
      fc.integer({ min: 0xa1, max: 0xff }).map((code) => String.fromCharCode(code)),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join("").replace(/^[ \t]+|[ \t]+$/g, ""));
const headers: fc.Arbitrary<HeaderList> = fc.array(fc.tuple(headerName, headerValue), { maxLength: 8 });

interface GeneratedBody {
  type: string | undefined;
  encoding: string | undefined;
  bytes: Buffer;
}

const plainBodies: fc.Arbitrary<{ type: string | undefined; bytes: Buffer }> = fc.oneof(
  fc.json().map((text) => ({ type: "application/json", bytes: Buffer.from(text) })),
  fc
    .record({ model: fc.string(), messages: fc.array(fc.jsonValue()), stream: fc.boolean() })
    .map((value) => ({
      type: "application/json; charset=utf-8",
      bytes: Buffer.from(JSON.stringify(value, null, 1)),
    })),
  fc
    .uint8Array({ maxLength: 3000 })
    .map((bytes) => ({ type: "application/octet-stream", bytes: Buffer.from(bytes) })),
  fc.uint8Array({ maxLength: 3000 }).map((bytes) => ({ type: "audio/wav", bytes: Buffer.from(bytes) })),
  fc
    .tuple(fc.uint8Array({ maxLength: 2000 }), fc.stringMatching(/^[a-z0-9-]{0,12}$/))
    .map(([bytes, model]) => ({ type: "multipart/form-data; boundary=frontier", bytes: form(bytes, model) })),
  fc.string().map((text) => ({ type: "text/plain", bytes: Buffer.from(text.replace(/^\s*\{/, "x")) })),
  fc.constant({ type: undefined, bytes: Buffer.from('{"model":"gpt-5"}') }),
  fc.constant({ type: "application/json", bytes: Buffer.alloc(0) }),
);

function form(bytes: Uint8Array, model: string): Buffer {
  return Buffer.concat([
    Buffer.from(`--frontier\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n`),
    bytes,
    Buffer.from(`\r\n--frontier\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}`),
    Buffer.from("\r\n--frontier--\r\n"),
  ]);
}

const compressors: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: gzipSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};
const bodies: fc.Arbitrary<GeneratedBody> = fc
  .tuple(plainBodies, fc.constantFrom(undefined, undefined, "gzip", "br", "zstd"))
  .map(([{ type, bytes }, encoding]) => ({
    type,
    encoding,
    bytes: encoding === undefined ? bytes : (compressors[encoding]?.(bytes) ?? bytes),
  }));

/** How a body is sent: its length in front, or in chunks of these sizes. */
const framings = fc.option(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }), {
  nil: undefined,
});

test(
  "what the provider receives is what the client sent: method, path, headers and body, but for the listed differences",
  async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(0, 1, 2),
      fc.constantFrom("GET", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"),
      paths,
      headers,
      bodies,
      framings,
      async (to, method, path, extra, body, sizes) => {
        const destination = destinations[to];
        // A base without a version has a test of its own.
        if (destination === undefined || (destination.basePath === "" && /^\/+v1([/?]|$)/.test(path))) return;
        const hasBody = !["GET", "HEAD"].includes(method);
        const target = `/${destination.provider}${path}`;
        const own: [string, string][] = [...extra.map(([name, value]): [string, string] => [name, value])];
        if (hasBody && body.type !== undefined) own.push(["Content-Type", body.type]);
        if (hasBody && body.encoding !== undefined) own.push(["Content-Encoding", body.encoding]);
        const sent = [...behind.auth, ...own];

        behind.upstream.clear();
        const client = await rawClient(behind.gateway.port);
        if (!hasBody) client.request({ method, target, headers: sent });
        else if (sizes === undefined) client.request({ method, target, headers: sent, body: body.bytes });
        else {
          client.send(headBytes(`${method} ${target} HTTP/1.1`, [...sent, ["Transfer-Encoding", "chunked"]]));
          for (const piece of pieces(body.bytes, sizes)) client.send(chunk(piece));
          client.send(LAST_CHUNK);
        }
        const response = await client.response(method);
        client.close();
        expect(response?.status).toBe(200);
        expect(behind.upstream.requests).toHaveLength(1);

        const { last } = behind.upstream;
        const expected = expectedRequest({ method, target, headers: sent, body: body.bytes }, destination);
        const received = merged(last.headers, false);
        for (const name of ["content-length", "transfer-encoding"]) delete received[name];
        expect(last.method).toBe(method);
        expect(last.target).toBe(expected.target);
        expect(received).toEqual(expected.headers);
        if (hasBody) expect(last.body.equals(body.bytes)).toBe(true);
        else expect(last.body).toHaveLength(0);
      },
    );
    await fc.assert(property, { numRuns: runs });
  },
  limitMs,
);

function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test("a body cut into chunks at every single byte arrives whole", async () => {
  const body = Buffer.from('{"model":"gpt-5","input":"\\u20ac \u{1F600} é"}');
  for (let at = 1; at < body.length; at++) {
    const client = await rawClient(behind.gateway.port);
    const head = [
      ...behind.auth,
      ["Content-Type", "application/json"],
      ["Transfer-Encoding", "chunked"],
    ] as const;
    client.send(headBytes("POST /openai/v1/responses HTTP/1.1", head));
    client.send(chunk(body.subarray(0, at)));
    await Bun.sleep(0);
    client.send(Buffer.concat([chunk(body.subarray(at)), LAST_CHUNK]));
    expect((await client.response())?.status).toBe(200);
    client.close();
    expect(behind.upstream.last.body.equals(body)).toBe(true);
  }
});

test("requests that share a connection do not mix", async () => {
  const client = await rawClient(behind.gateway.port);
  for (let i = 0; i < 50; i++) {
    const body = JSON.stringify({ model: `m${i}`, padding: "x".repeat(i * 97) });
    client.request({
      method: "POST",
      target: `/openai/v1/chat/completions?n=${i}`,
      headers: [...behind.auth, ["Content-Type", "application/json"]],
      body,
    });
    expect((await client.response())?.status).toBe(200);
    expect(behind.upstream.last.target).toBe(`/v1/chat/completions?n=${i}`);
    expect(behind.upstream.last.body.toString()).toBe(body);
  }
  client.close();
});

test("a server whose base has no version keeps the version that a path has", async () => {
  const response = await behind.ask({ target: "/bare/v1/models" });
  expect(response.status).toBe(200);
  expect(behind.upstream.last.target).toBe("/v1/models");
});

test("a path with raw bytes beyond ASCII arrives as it was sent, or is refused", async () => {
  for (const bytes of [Buffer.from("é€").toString("latin1"), "\xe9\xff"]) {
    behind.upstream.clear();
    const response = await behind.ask({ target: `/openai/v1/${bytes}` });
    const arrived = behind.upstream.requests.map(({ target }) => decodeURI(target));
    expect([response.status, arrived]).toBeOneOf([
      [400, []],
      [200, [`/v1/${Buffer.from(bytes, "latin1").toString()}`]],
    ]);
    expect(arrived.join()).not.toContain("\uFFFD");
  }
});

test("a header's value may hold any byte that ends no line", async () => {
  for (const value of ["a\x7fb", "caf\xe9", "a\tb", "\xff"]) {
    const response = await behind.ask({ target: "/openai/v1/x", headers: [["x-any", value]] });
    expect([response.status, header(behind.upstream.last, "x-any")]).toEqual([200, value]);
  }
});

test("TRACE and CONNECT, which mean something else to a proxy, reach no provider", async () => {
  for (const method of ["TRACE", "CONNECT"]) {
    behind.upstream.clear();
    const response = await behind.ask({ method, target: "/openai/v1/x" });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(behind.upstream.requests).toHaveLength(0);
  }
});

test("the page of differences is there and is read", () => {
  expect(listed.size).toBeGreaterThan(20);
});
