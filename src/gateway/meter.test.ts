import { describe, expect, test } from "bun:test";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  constants as zlib,
  zstdCompressSync,
} from "node:zlib";
import fc from "fast-check";
import { formats, type UsageFixture, usageFixtures } from "../../test/support/usage-fixtures.ts";
import type { Usage } from "../domain/usage.ts";
import { openaiChatUsage } from "../providers/formats/openai-chat.ts";
import { createMeter } from "./meter.ts";

type Pieces = Iterable<Uint8Array>;

/** Not awaited where nothing is compressed: the answer must be there at once. */
function metered(fixture: UsageFixture, pieces: Pieces): Usage | null {
  const meter = createMeter(fixture.format, fixture.headers, fixture.path);
  for (const piece of pieces) meter.push(piece);
  const usage = meter.end();
  if (usage instanceof Promise) throw new Error("A promise, though nothing was compressed");
  return usage;
}

async function meteredCoded(fixture: UsageFixture, coding: string, pieces: Pieces): Promise<Usage | null> {
  const headers = new Headers(fixture.headers);
  headers.set("content-encoding", coding);
  const meter = createMeter(fixture.format, headers, fixture.path);
  for (const piece of pieces) await meter.push(piece);
  return meter.end();
}

function* cutAt(body: Uint8Array, at: number): Pieces {
  yield body.subarray(0, at);
  yield body.subarray(at);
}

function* byteByByte(body: Uint8Array): Pieces {
  for (let at = 0; at < body.length; at++) yield body.subarray(at, at + 1);
}

const codings: readonly [name: string, encode: (body: Uint8Array) => Uint8Array][] = [
  ["gzip", (body) => gzipSync(body)],
  ["deflate", (body) => deflateSync(body)],
  ["deflate", (body) => deflateRawSync(body)],
  ["br", (body) => brotliCompressSync(body, { params: { [zlib.BROTLI_PARAM_QUALITY]: 4 } })],
  ["zstd", (body) => zstdCompressSync(body)],
];

const every = usageFixtures.map((fixture) => [fixture.name, fixture] as const);
const streamed = every.filter(([, fixture]) => fixture.isStreamed);

test("every format has an answer that shows it", () => {
  const shown = new Set(usageFixtures.map(({ format }) => format));
  expect(Object.values(formats).filter((format) => !shown.has(format))).toEqual([]);
  expect(usageFixtures.length).toBeGreaterThanOrEqual(40);
});

describe("what a documented answer used", () => {
  test.each(every)("%s", (_, fixture) => {
    expect(metered(fixture, [fixture.body])).toEqual(fixture.expected);
    expect(metered(fixture, byteByByte(fixture.body))).toEqual(fixture.expected);
  });
});

describe("is the same wherever a stream is cut", () => {
  test.each(streamed)("%s", (_, fixture) => {
    const expected = Bun.inspect(fixture.expected);
    for (let at = 0; at <= fixture.body.length; at++) {
      const usage = metered(fixture, cutAt(fixture.body, at));
      if (Bun.inspect(usage) !== expected) expect({ at, usage }).toEqual({ at, usage: fixture.expected });
    }
  });
});

describe("is the same compressed, whole and byte by byte", () => {
  test.each(every)("%s", async (_, fixture) => {
    await Promise.all(
      codings.map(async ([coding, encode]) => {
        const body = encode(fixture.body);
        const whole = await meteredCoded(fixture, coding, [body]);
        expect({ coding, usage: whole }).toEqual({ coding, usage: fixture.expected });
        const pieces = await meteredCoded(fixture, coding, byteByByte(body));
        expect({ coding, usage: pieces }).toEqual({ coding, usage: fixture.expected });
      }),
    );
  });
});

describe("is the same wherever a compressed stream is cut", () => {
  test.each(streamed)("%s", async (_, fixture) => {
    const expected = Bun.inspect(fixture.expected);
    for (const [coding, encode] of codings) {
      const body = encode(fixture.body);
      const cuts = Array.from({ length: body.length + 1 }, (_, at) => at);
      await Promise.all(
        cuts.map(async (at) => {
          const usage = await meteredCoded(fixture, coding, cutAt(body, at));
          if (Bun.inspect(usage) !== expected) {
            expect({ coding, at, usage }).toEqual({ coding, at, usage: fixture.expected });
          }
        }),
      );
    }
  });
});

const json = new Headers({ "content-type": "application/json" });
const events = new Headers({ "content-type": "text/event-stream" });

test("no bytes make it throw, in any format, framing or coding", async () => {
  const names = fc.constantFrom(...Object.keys(formats));
  const types = fc.constantFrom(
    "application/json",
    "text/event-stream",
    "application/x-ndjson",
    "audio/mpeg",
  );
  const coding = fc.constantFrom("identity", "gzip", "deflate", "br", "zstd", "gzip, br", "constructor", "");
  const fragments = fc.constantFrom("{", "}", "[", "]", '"', "\\", ":", ",", "\n\n", "data:", "1e999", "-1");
  const words = fc.constantFrom('"usage":', '"usageMetadata":{', '"iterations":[null,{', "null", '"id":{}');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(fc.oneof(fragments, words), { maxLength: 60 }).map((all) => Buffer.from(all.join(""))),
  );
  await fc.assert(
    fc.asyncProperty(
      names,
      types,
      coding,
      fc.array(bytes, { maxLength: 4 }),
      async (name, type, code, all) => {
        const headers = new Headers({ "content-type": type, "content-encoding": code });
        const meter = createMeter(formats[name], headers, "/");
        for (const piece of all) await meter.push(piece);
        const usage = await meter.end();
        const quantities = Object.values(usage?.quantities ?? {});
        expect(quantities.every((quantity) => Number.isSafeInteger(quantity) && quantity > 0)).toBe(true);
      },
    ),
    { numRuns: 3000 },
  );
});

test("whatever stands where usage should does not make it throw, negative or odd", () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(-1, 0.5, 1e300, 2 ** 60, Number.MAX_SAFE_INTEGER, "12", null, [], {}),
  );
  const stored = usageFixtures.filter(({ isStreamed }) => !isStreamed);
  fc.assert(
    fc.property(fc.constantFrom(...stored), fc.nat(200), value, (fixture, at, odd) => {
      let left = at;
      const text = JSON.stringify(JSON.parse(fixture.body.toString()), (_, kept) =>
        left-- === 0 ? odd : kept,
      );
      const usage = metered(fixture, [Buffer.from(text ?? "null")]);
      for (const quantity of Object.values(usage?.quantities ?? {})) {
        expect(Number.isSafeInteger(quantity) && quantity > 0).toBe(true);
      }
      expect((usage?.reportedCost ?? 0n) >= 0n).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

test("memory does not grow with an endless line", () => {
  const piece = Buffer.alloc(1024 * 1024, "x");
  for (const [headers, start] of [
    [events, 'data: {"choices":[{"delta":{"content":"'],
    [events, ": "],
    [json, '{"choices":[{"message":{"content":"'],
    [json, '{"usage":{"text":"'],
    [json, '{"'],
    [json, ""],
  ] as const) {
    const meter = createMeter(openaiChatUsage, headers, "/");
    meter.push(Buffer.from(start));
    Bun.gc(true);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 100; i++) meter.push(piece);
    expect(process.memoryUsage().rss - before).toBeLessThan(20 * 1024 * 1024);
    expect(meter.end()).toBeNull();
  }
});

test("usage is found behind 100 MB of an answer", () => {
  const piece = Buffer.alloc(1024 * 1024, "x");
  const meter = createMeter(openaiChatUsage, json, "/");
  meter.push(Buffer.from('{"choices":[{"finish_reason":"stop","message":{"content":"'));
  for (let i = 0; i < 100; i++) meter.push(piece);
  meter.push(Buffer.from('"}}],"usage":{"prompt_tokens":7,"completion_tokens":2}}'));
  expect(meter.end()).toMatchObject({ quantities: { input_tokens: 7, output_tokens: 2 } });
});

/** A body of so many decoded megabytes whose usage comes last. */
function large(megabytes: number): Buffer {
  const start = '{"choices":[{"finish_reason":"stop"}],"text":"';
  const end = '","usage":{"prompt_tokens":7,"completion_tokens":2}}';
  return Buffer.concat([Buffer.from(start), Buffer.alloc(megabytes * 1024 * 1024, "x"), Buffer.from(end)]);
}

test("what decodes to more than 256 MiB is given up, in bounded memory", async () => {
  const headers = new Headers({ "content-type": "application/json", "content-encoding": "gzip" });
  for (const [megabytes, isRead] of [
    [200, true],
    [260, false],
  ] as const) {
    const body = gzipSync(large(megabytes), { level: 1 });
    Bun.gc(true);
    const before = process.memoryUsage().rss;
    const meter = createMeter(openaiChatUsage, headers, "/");
    for (let at = 0; at < body.length; at += 65_536) await meter.push(body.subarray(at, at + 65_536));
    const usage = await meter.end();
    expect(usage !== null).toBe(isRead);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  }
});

test("who does not wait for a decoder that is far behind goes without usage, and memory stays bounded", async () => {
  const headers = new Headers({ "content-type": "application/json", "content-encoding": "gzip" });
  const meter = createMeter(openaiChatUsage, headers, "/");
  const noise = gzipSync(crypto.getRandomValues(new Uint8Array(65_536)), { level: 1 });
  let promises = 0;
  for (let i = 0; i < 400; i++) if (meter.push(noise) !== undefined) promises++;
  expect(promises).toBeGreaterThan(0);
  expect(await meter.end()).toBeNull();
});

test("a compressed answer that is broken off says what it said until then", async () => {
  const fixture = usageFixtures.find(({ name }) => name === "gemini-stream");
  if (fixture === undefined) throw new Error("no such fixture");
  const lines = fixture.body.toString().split("\r\n\r\n");
  const { createGzip } = await import("node:zlib");
  const gzip = createGzip();
  const parts: Buffer[] = [];
  gzip.on("data", (part: Buffer) => parts.push(part));
  gzip.write(`${lines[0]}\r\n\r\n`);
  await new Promise<void>((resolve) => gzip.flush(() => resolve()));
  const usage = await meteredCoded(fixture, "gzip", parts);
  expect(usage).toMatchObject({ evidence: "counted", quantities: { output_tokens: 2 } });
  const corrupt = await meteredCoded(fixture, "gzip", [...parts, Buffer.alloc(64, 0xff), Buffer.alloc(64)]);
  expect(corrupt).toMatchObject({ evidence: "counted", quantities: { output_tokens: 2 } });
});

test("codings that nobody knows, and several at once, say nothing", async () => {
  for (const coding of ["gzip, br", "compress", "constructor", "aws-chunked"]) {
    const headers = new Headers({ "content-type": "application/json", "content-encoding": coding });
    const meter = createMeter(openaiChatUsage, headers, "/");
    meter.push(Buffer.from('{"usage":{"prompt_tokens":1}}'));
    expect(await meter.end()).toBeNull();
  }
});

test("without a format nothing is read", () => {
  const meter = createMeter(undefined, json, "/");
  meter.push(Buffer.from('{"usage":{"prompt_tokens":1}}'));
  expect(meter.end()).toBeNull();
});
