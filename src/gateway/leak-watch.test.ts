import { beforeEach, describe, expect, test } from "bun:test";
import type { MasterKey } from "../domain/directory.ts";
import { createKey } from "../domain/key.ts";
import { createPersonalToken } from "../domain/personal-token.ts";
import type { KeyHolder } from "./directory.ts";
import { Exchange } from "./exchange.ts";
import { LeakWatch, type Sighting } from "./leak-watch.ts";

const NOW = 1_000_000;
const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest();
const mine = createKey();

let seen: Sighting[] = [];
let key: MasterKey;
let hashed = 0;
let watch: LeakWatch;
beforeEach(() => {
  seen = [];
  hashed = 0;
  const secret = { version: 1, hash: sha256(mine.text), createdAt: 0, expiresAt: null };
  const life = { createdAt: 0, revokedAt: null, expiresAt: null };
  key = { id: mine.id, name: "k", userId: "u", secrets: [secret], ...life };
  watch = new LeakWatch({
    directory: { find: (id) => (id === mine.id ? ({ key } as KeyHolder) : undefined) },
    hasher: {
      hashKey: (text) => {
        hashed++;
        return sha256(text);
      },
      sameHash: (a, b) => Buffer.compare(a, b) === 0,
    },
    clock: { now: () => NOW },
    tell: async (sighting) => void seen.push(sighting),
  });
});

function exchange(): Exchange {
  return new Exchange("req_1", "POST", NOW, null, 0, 1000);
}

function look(body: string | Uint8Array): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  watch.watchBody({ body: bytes as Uint8Array<ArrayBuffer>, read: { bytes, form: null } }, exchange());
}

/** @param sizes Of one piece after another, again and again. */
function stream(body: string, sizes: readonly number[]): void {
  const way = exchange();
  watch.watchBody({ body: new ReadableStream() }, way);
  const bytes = Buffer.from(body);
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const end = at + (sizes[n % sizes.length] ?? 1);
    way.onPiece?.(bytes.subarray(at, end));
    at = end;
  }
}

describe("a key in a prompt", () => {
  test.each([
    ["alone", mine.text],
    ["in JSON", `{"content":"use ${mine.text}, please"}`],
    ["behind an alias", `export OPENAI_API_KEY=sk-proj-${mine.text}\n`],
    ["behind other things that begin so", `lmk_ lmk_lmk_${"x".repeat(60)} ${createKey().text}${mine.text}`],
    ["at the very end", `${"x".repeat(100_000)}${mine.text}`],
  ])("is seen %s", (_, body) => {
    look(body);
    expect(seen).toMatchObject([{ secretVersion: 1, place: "prompt", requestId: "req_1" }]);
  });

  test("is told of once while that is noted, and no more once it is", async () => {
    look(mine.text + mine.text);
    expect(seen).toHaveLength(1);
    await Promise.resolve();
    key = { ...key, leak: { at: NOW, place: "prompt", secretVersion: 1, requestId: "req_1" } };
    look(mine.text);
    expect(seen).toHaveLength(1);
  });

  test("is told of again where it could not be noted", async () => {
    look(mine.text);
    await new Promise(setImmediate);
    look(mine.text);
    expect(seen).toHaveLength(2);
  });

  test.each([
    ["one of its letters wrong", mine.text.replace(/.$/, (last) => (last === "A" ? "B" : "A"))],
    ["cut short", mine.text.slice(0, -1)],
    ["another installation's", createKey().text],
    ["a secret of its id that is not its own", createKey(mine.id).text],
    ["a personal token", createPersonalToken().text],
    ["its id alone", `lmk_${mine.id}_...`],
    ["escaped", mine.text.replace("_", "\\u005f")],
  ])("is none: %s", (_, body) => {
    look(`{"content":"${body}"}`);
    expect(seen).toEqual([]);
  });

  test("does not count once it opens nothing", () => {
    const [secret] = key.secrets;
    if (secret === undefined) throw new Error("no secret");
    const { secrets } = key;
    key = { ...key, revokedAt: 1 };
    look(mine.text);
    key = { ...key, revokedAt: null, secrets: [{ ...secret, expiresAt: NOW }] };
    look(mine.text);
    expect(seen).toEqual([]);
    key = { ...key, secrets: [{ ...secret, version: 2, hash: sha256("other") }, ...secrets] };
    look(mine.text);
    expect(seen).toMatchObject([{ secretVersion: 1 }]);
  });
});

test("a key in the URL is seen in path and query", async () => {
  for (const url of [
    { path: `/v1/files/${mine.text}.txt`, query: "" },
    { path: "/v1/chat", query: `?url=https%3A%2F%2Fx%2F%3Fkey%3D${mine.text}` },
  ]) {
    seen = [];
    watch.watchUrl(url, exchange());
    expect(seen).toMatchObject([{ place: "url" }]);
    await new Promise(setImmediate);
  }
});

test("a key in a stream is seen wherever the pieces part", async () => {
  const body = `${"-".repeat(70)}${mine.text}${"-".repeat(70)}`;
  for (let size = 1; size < 200; size++) {
    seen = [];
    stream(body, [size]);
    await new Promise(setImmediate);
    expect([size, seen.length]).toEqual([size, 1]);
  }
  seen = [];
  stream(body, [90, 1, 2, 3, 50]);
  expect(seen).toHaveLength(1);
});

test("what never was one piece is no key", () => {
  const half = mine.text.slice(0, 30);
  stream(`${half}${"-".repeat(60)}${mine.text.slice(30)}`, [30, 60]);
  expect(seen).toEqual([]);
});

describe("what it costs", () => {
  const MB = 1024 * 1024;
  const text = Buffer.from(
    '{"role":"user","content":"All llamas like lmk and l_m_k, and lemurs in Kalmykia."},',
  );
  const body = Buffer.alloc(5 * MB, text);

  /** The best of many, milliseconds: the machine has other work. */
  function best(bytes: Uint8Array): number {
    let least = Number.POSITIVE_INFINITY;
    for (let n = 0; n < 40; n++) {
      const start = performance.now();
      look(bytes);
      least = Math.min(least, performance.now() - start);
    }
    return least;
  }

  test("5 MB without a key take less than a millisecond", () => {
    expect(best(body)).toBeLessThan(1);
  });

  test("a body of prefixes, or of shapes that are none, is given up on", () => {
    const shape = `lmk_${"a".repeat(10)}_${"b".repeat(32)}_${"c".repeat(6)}`;
    expect(best(Buffer.alloc(5 * MB, "lmk_"))).toBeLessThan(25);
    expect(best(Buffer.alloc(5 * MB, shape))).toBeLessThan(25);
    const forged = createKey(mine.id).text;
    look(Buffer.alloc(5 * MB, forged));
    expect(hashed).toBeLessThan(1000);
    expect(seen).toEqual([]);
  });
});
