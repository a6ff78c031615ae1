import { beforeAll, expect, test } from "bun:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { type Behind, behindGateway } from "../support/behind-gateway.ts";
import { expectedAnswer, receivedAnswer } from "../support/differences.ts";
import { type Framing, type HeaderList, header } from "../support/http1.ts";
import type { RawResponse } from "../support/raw-client.ts";
import { reply } from "../support/recording-upstream.ts";

const runs = process.env["LMK_TEST_FULL"] ? 2000 : 200;
const limitMs = process.env["LMK_TEST_FULL"] ? 300_000 : 60_000;

let behind: Behind;
beforeAll(async () => {
  behind = await behindGateway();
});

/** All but 401 and redirects, which have rows of their own. */
const statuses = fc.oneof(
  { weight: 3, arbitrary: fc.constant(200) },
  fc.constantFrom(
    201,
    202,
    203,
    204,
    206,
    207,
    226,
    300,
    304,
    400,
    402,
    403,
    404,
    408,
    409,
    410,
    413,
    418,
    422,
  ),
  fc.constantFrom(425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 520, 529, 599),
);
const headerName = fc.oneof(
  fc.constantFrom(
    "Content-Type",
    "Set-Cookie",
    "X-Request-Id",
    "request-id",
    "openai-processing-ms",
    "Retry-After",
    "x-should-retry",
    "x-ratelimit-remaining-tokens",
    "WWW-Authenticate",
    "Cache-Control",
    "Date",
    "Server",
    "ETag",
    "Vary",
    "Link",
    "Content-Disposition",
    "Content-Range",
    "Access-Control-Allow-Origin",
    "Alt-Svc",
    "Strict-Transport-Security",
  ),
  fc
    .array(fc.constantFrom(..."abcXYZ019-_!#$%&'*+.^`|~"), { minLength: 1, maxLength: 12 })
    .map((parts) => `x-${parts.join("")}`),
);
const headerValue = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(..."abcXYZ019 ,;:=\"'()<>@/[]?{}\\%&+-_.!#$*^`|~\t") },
      fc.integer({ min: 0xa1, max: 0xff }).map((code) => String.fromCharCode(code)),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join("").replace(/^[ \t]+|[ \t]+$/g, ""));
const headers: fc.Arbitrary<HeaderList> = fc
  .array(fc.tuple(headerName, headerValue), { maxLength: 8 })
  .map((list) => {
    // One type and one date, as any answer has.
    const single = new Set<string>();
    return list.filter(([name, value]) => {
      const key = name.toLowerCase();
      // An empty one has a test of its own.
      if (key === "content-type" && value === "") return false;
      if (key !== "content-type" && key !== "date") return true;
      if (single.has(key)) return false;
      return single.add(key);
    });
  });

const events = fc
  .array(fc.record({ delta: fc.string(), index: fc.nat() }), { maxLength: 12 })
  .map((list) =>
    Buffer.from(`${list.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("")}data: [DONE]\n\n`),
  );
const bodies = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  events,
  events.map((bytes) => gzipSync(bytes)),
  fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 5000 }).map((bytes) => brotliCompressSync(bytes)),
  fc.integer({ min: 200_000, max: 400_000 }).map((size) => Buffer.alloc(size, "answer")),
  fc.constant(Buffer.alloc(0)),
);
const framings = fc.constantFrom<Framing>("length", "chunked", "close");
const cuts = fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 8 });

function expectSame(response: RawResponse, sent: HeaderList, body: Buffer): void {
  expect(receivedAnswer(response.headers, sent)).toEqual(expectedAnswer(sent));
  expect(response.complete).toBe(true);
  expect(response.body.equals(body)).toBe(true);
}

test(
  "what the client receives is what the provider answered: status, headers and body, but for the listed differences",
  async () => {
    const property = fc.asyncProperty(
      fc.constantFrom("GET", "POST"),
      statuses,
      headers,
      bodies,
      framings,
      cuts,
      async (method, status, sent, body, framing, sizes) => {
        behind.upstream.answer = reply({ status, headers: sent, body, framing, cuts: sizes });
        const response = await behind.ask({ method, target: "/openai/v1/anything" });
        expect(response.status).toBe(status);
        const bodiless = status === 204 || status === 304;
        expectSame(response, sent, bodiless ? Buffer.alloc(0) : body);
        const length = header(response, "content-length");
        if (length !== undefined && status !== 304) expect(Number(length)).toBe(response.body.length);
      },
    );
    await fc.assert(property, { numRuns: runs });
  },
  limitMs,
);

test("a stream of events arrives the same, wherever it is cut", async () => {
  const body = Buffer.from(
    'event: message_start\ndata: {"type":"message_start","é":"€😀"}\n\n: ping\n\ndata: {"a":1}\r\n\r\ndata: [DONE]\n\n',
  );
  const sent: HeaderList = [["Content-Type", "text/event-stream"]];
  for (let at = 1; at < body.length; at++) {
    behind.upstream.answer = reply({ headers: sent, body, framing: "chunked", cuts: [at] });
    expectSame(await behind.ask({ method: "POST", target: "/openai/v1/responses" }), sent, body);
  }
});

test("an event that the provider sends byte by byte arrives the same", async () => {
  const body = Buffer.from('data: {"choices":[{"delta":{"content":"€"}}]}\n\ndata: [DONE]\n\n');
  const sent: HeaderList = [["Content-Type", "text/event-stream"]];
  behind.upstream.answer = reply({
    headers: sent,
    body,
    framing: "chunked",
    cuts: Array.from(body, () => 1),
  });
  expectSame(await behind.ask({ method: "POST", target: "/openai/v1/responses" }), sent, body);
});

test("a compressed answer keeps its bytes and its content-encoding", async () => {
  const body = gzipSync(Buffer.alloc(300_000, "data: {}\n\n"));
  const sent: HeaderList = [
    ["Content-Type", "text/event-stream"],
    ["Content-Encoding", "gzip"],
  ];
  for (const framing of ["length", "chunked", "close"] as const) {
    behind.upstream.answer = reply({ headers: sent, body, framing, cuts: [1, 10, 100] });
    expectSame(await behind.ask({ target: "/openai/v1/x" }), sent, body);
  }
});

test("an answer without a content-type gains none", async () => {
  for (const framing of ["length", "chunked", "close"] as const) {
    for (const body of ["", "plain", "<html>", "{}"]) {
      behind.upstream.answer = reply({ body, framing });
      const response = await behind.ask({ target: "/openai/v1/x" });
      expect(header(response, "content-type")).toBeUndefined();
      expect(response.body.toString()).toBe(body);
    }
  }
});

test("an empty content-type stays empty", async () => {
  behind.upstream.answer = reply({ headers: [["Content-Type", ""]], body: "plain" });
  const response = await behind.ask({ target: "/openai/v1/x" });
  expect(header(response, "content-type") ?? "").toBe("");
});

test("the answer to HEAD has the provider's headers and the length of what a GET would bring", async () => {
  const sent: HeaderList = [
    ["Content-Type", "application/json"],
    ["ETag", '"x"'],
  ];
  behind.upstream.answer = reply({ headers: sent, body: "x".repeat(12345) });
  const response = await behind.ask({ method: "HEAD", target: "/openai/v1/x/content" });
  expect(receivedAnswer(response.headers, sent)).toEqual(expectedAnswer(sent));
  expect(header(response, "content-length")).toBe("12345");
});

test("the answer to HEAD claims no length where the provider gave none", async () => {
  behind.upstream.answer = reply({ framing: "chunked", body: "x" });
  const response = await behind.ask({ method: "HEAD", target: "/openai/v1/x" });
  expect(header(response, "content-length")).toBeUndefined();
});

test("204 and 304 have no body and leave the connection usable", async () => {
  for (const status of [204, 304]) {
    behind.upstream.answer = reply({ status, headers: [["ETag", '"x"']] });
    const response = await behind.ask({ target: "/openai/v1/x" });
    expect([response.status, response.body.length]).toEqual([status, 0]);
    expect(header(response, "etag")).toBe('"x"');
  }
});

test("set-cookie stays several headers, in order", async () => {
  const sent: HeaderList = [
    ["Set-Cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
    ["Set-Cookie", "b=2"],
    ["Set-Cookie", "a=3"],
  ];
  behind.upstream.answer = reply({ headers: sent });
  const response = await behind.ask({ target: "/openai/v1/x" });
  expect(response.headers.filter(([name]) => /set-cookie/i.test(name)).map(([, value]) => value)).toEqual(
    sent.map(([, value]) => value),
  );
});

test("an upstream cannot speak in the gateway's own name", async () => {
  behind.upstream.answer = reply({
    headers: [
      ["x-llamakey-refusal", "budget_exhausted"],
      ["x-llamakey-request-id", "forged"],
    ],
  });
  const response = await behind.ask({ target: "/openai/v1/x" });
  expect(header(response, "x-llamakey-refusal")).toBeUndefined();
  expect(header(response, "x-llamakey-request-id")).toMatch(/^lmkreq-/);
});

test("an answer with a status that HTTP does not have is a bad gateway, and is logged as one", async () => {
  for (const status of [600, 999]) {
    behind.upstream.answer = reply({ status, headers: [["Content-Type", "text/plain"]], body: "x" });
    const response = await behind.ask({ target: "/openai/v1/x" });
    expect([response.status, header(response, "x-llamakey-refusal")]).toEqual([502, "upstream_unreachable"]);
    const row = await behind.gateway.requestRow(header(response, "x-llamakey-request-id"));
    expect([row.status, row.ending]).toEqual([502, "refused"]);
  }
});
