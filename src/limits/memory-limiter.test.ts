import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { CallSize, Exceeded, LimitedScope, Permit } from "../domain/limits.ts";
import type { Limits } from "../domain/policy.ts";
import { MemoryLimiter } from "./memory-limiter.ts";
import { GRAIN_MS, WINDOW_MS } from "./sliding-window.ts";

const call: CallSize = { keyId: "key_a", model: "m", usesTokens: true, inputBytes: 400, outputCap: 50 };
const ofSize = (tokens: number): CallSize => ({ ...call, inputBytes: tokens * 4, outputCap: 0 });

function scope(id: string, limits: Limits, shadow = false): LimitedScope {
  return { id, label: `scope ${id}`, limits, shadow };
}

function permitOf(limiter: MemoryLimiter, scopes: LimitedScope[], size: CallSize, now: number): Permit {
  const acquired = limiter.acquire(scopes, size, now);
  if ("refused" in acquired) throw new Error(`Refused: ${acquired.refused.kind}`);
  return acquired.permit;
}

function refusalOf(
  limiter: MemoryLimiter,
  scopes: LimitedScope[],
  size: CallSize,
  now: number,
): Exceeded | undefined {
  const acquired = limiter.acquire(scopes, size, now);
  return "refused" in acquired ? acquired.refused : undefined;
}

test("any 60 s have at most the limit, and nobody is refused while the last 60.1 s had fewer", () => {
  const gap = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 0, max: 4_000 }),
    fc.integer({ min: WINDOW_MS - 200, max: WINDOW_MS + 200 }),
  );
  fc.assert(
    fc.property(
      fc.array(gap, { maxLength: 300, size: "max" }),
      fc.integer({ min: 1, max: 20 }),
      (gaps, limit) => {
        const limiter = new MemoryLimiter();
        const scopes = [scope("key:a", { requestsPerMinute: limit })];
        const admitted: number[] = [];
        const within = (now: number, spanMs: number) => admitted.filter((at) => at > now - spanMs).length;
        let now = 0;
        for (const ms of gaps) {
          now += ms;
          const acquired = limiter.acquire(scopes, call, now);
          if ("permit" in acquired) {
            admitted.push(now);
            acquired.permit.release(undefined);
            expect(within(now, WINDOW_MS)).toBeLessThanOrEqual(limit);
          } else {
            expect(within(now, WINDOW_MS + GRAIN_MS)).toBeGreaterThanOrEqual(limit);
            const { retryAfterMs } = acquired.refused;
            expect(retryAfterMs).toBeGreaterThan(0);
            expect(retryAfterMs).toBeLessThanOrEqual(WINDOW_MS + GRAIN_MS);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("who comes again when it was told to is let in, and a millisecond sooner is not", () => {
  const limiter = new MemoryLimiter();
  const scopes = [scope("key:a", { requestsPerMinute: 2 })];
  permitOf(limiter, scopes, call, 1_010);
  permitOf(limiter, scopes, call, 30_000);
  const again = 30_500 + (refusalOf(limiter, scopes, call, 30_500)?.retryAfterMs ?? 0);
  expect(again).toBe(61_100);
  expect(refusalOf(limiter, scopes, call, again - 1)?.retryAfterMs).toBe(1);
  permitOf(limiter, scopes, call, again);
  // The second place is free only a minute after the second call.
  expect(refusalOf(limiter, scopes, call, again)?.retryAfterMs).toBe(90_100 - again);
});

describe("several scopes", () => {
  const group = scope("group:g", { requestsPerMinute: 3 });
  const key = scope("key:a", { requestsPerMinute: 1 });

  test("apply together, and what one refuses is counted in none", () => {
    const limiter = new MemoryLimiter();
    permitOf(limiter, [group, key], call, 0);
    for (let n = 0; n < 10; n++) {
      expect(refusalOf(limiter, [group, key], call, 1)).toMatchObject({ scope: key, kind: "requests" });
    }
    permitOf(limiter, [group], call, 2);
    permitOf(limiter, [group], call, 3);
    expect(refusalOf(limiter, [group], call, 4)).toMatchObject({ scope: group, limit: 3, remaining: 0 });
  });

  test("tell of the one that will hold longest", () => {
    const limiter = new MemoryLimiter();
    const narrow = scope("user:u", { requestsPerMinute: 1 });
    permitOf(limiter, [key], call, 0);
    permitOf(limiter, [narrow], call, 20_000);
    expect(refusalOf(limiter, [narrow, key], call, 30_000)).toMatchObject({ scope: narrow });
    expect(refusalOf(limiter, [key, narrow], call, 30_000)).toMatchObject({ scope: narrow });
  });

  test("in shadow count, report and refuse nothing", () => {
    const limiter = new MemoryLimiter();
    const shadow = scope("organisation", { requestsPerMinute: 1, concurrentRequests: 1 }, true);
    expect(permitOf(limiter, [shadow], call, 0).exceeded).toEqual([]);
    const { exceeded } = permitOf(limiter, [shadow, group], call, 1);
    expect(exceeded).toMatchObject([{ scope: shadow, kind: "requests", limit: 1 }]);
    // Once it is in force, what passed in the shadow counts.
    expect(refusalOf(limiter, [{ ...shadow, shadow: false }], call, 2)).toMatchObject({ kind: "requests" });
  });
});

test("a policy that changes keeps what was counted", () => {
  const limiter = new MemoryLimiter();
  for (let n = 0; n < 5; n++) permitOf(limiter, [scope("key:a", { requestsPerMinute: 5 })], call, n);
  expect(refusalOf(limiter, [scope("key:a", { requestsPerMinute: 5 })], call, 9)).toBeDefined();
  permitOf(limiter, [scope("key:a", { requestsPerMinute: 6 })], call, 10);
  expect(refusalOf(limiter, [scope("key:a", { requestsPerMinute: 6 })], call, 11)).toBeDefined();
});

test("a limit of nothing lets nothing pass", () => {
  const limiter = new MemoryLimiter();
  for (const limits of [{ requestsPerMinute: 0 }, { tokensPerMinute: 0 }, { concurrentRequests: 0 }]) {
    expect(refusalOf(limiter, [scope("key:none", limits)], call, 0)).toBeDefined();
  }
  permitOf(limiter, [scope("key:none", { tokensPerMinute: 0 })], { ...call, usesTokens: false }, 0);
});

describe("concurrency", () => {
  const scopes = [scope("key:a", { concurrentRequests: 2 })];

  test("is given back once, however often a call ends", () => {
    const limiter = new MemoryLimiter();
    const first = permitOf(limiter, scopes, call, 0);
    permitOf(limiter, scopes, call, 0);
    expect(refusalOf(limiter, scopes, call, 0)).toMatchObject({ kind: "concurrency", limit: 2 });
    first.release(undefined);
    first.release(undefined);
    first.cancel();
    permitOf(limiter, scopes, call, 0);
    expect(refusalOf(limiter, scopes, call, 0)).toMatchObject({ kind: "concurrency" });
  });

  test("is kept by calls that last longer than any window", () => {
    const limiter = new MemoryLimiter();
    permitOf(limiter, scopes, call, 0);
    permitOf(limiter, scopes, call, 0);
    expect(refusalOf(limiter, scopes, call, 10 * WINDOW_MS)).toMatchObject({ kind: "concurrency" });
  });
});

describe("tokens", () => {
  const scopes = [scope("key:a", { tokensPerMinute: 1000 })];

  test("are taken as estimated, and what was really used takes the estimate's place where that was taken", () => {
    const limiter = new MemoryLimiter();
    const permit = permitOf(limiter, scopes, ofSize(900), 0);
    expect(refusalOf(limiter, scopes, ofSize(101), 1)).toMatchObject({ kind: "tokens", remaining: 100 });
    permit.release({ total: 300, output: 0 });
    permitOf(limiter, scopes, ofSize(700), 30_000);
    expect(refusalOf(limiter, scopes, ofSize(1), 59_999)).toBeDefined();
    // The first call's 300 leave a minute after it came, not after it ended.
    permitOf(limiter, scopes, ofSize(300), 60_100);
  });

  test("are taken for the answer as its key and model answered lately, up to the client's cap", () => {
    const limiter = new MemoryLimiter();
    const open = { ...ofSize(0), outputCap: null };
    for (let n = 0; n < 50; n++) {
      permitOf(limiter, scopes, open, n * 2 * WINDOW_MS).release({ total: 90, output: 90 });
    }
    const now = 200 * WINDOW_MS;
    permitOf(limiter, scopes, open, now);
    expect(refusalOf(limiter, scopes, ofSize(1000), now)?.remaining).toBe(910);
    permitOf(limiter, scopes, { ...open, outputCap: 10 }, now);
    expect(refusalOf(limiter, scopes, ofSize(1000), now)?.remaining).toBe(900);
    // Of another model nothing is known yet.
    permitOf(limiter, scopes, { ...open, model: "other" }, now);
    expect(refusalOf(limiter, scopes, ofSize(1000), now)?.remaining).toBe(400);
  });

  test("of a call that is larger than the limit are those of a whole minute", () => {
    const limiter = new MemoryLimiter();
    permitOf(limiter, scopes, ofSize(5_000), 0);
    expect(refusalOf(limiter, scopes, ofSize(5_000), 1)).toBeDefined();
    permitOf(limiter, scopes, ofSize(5_000), WINDOW_MS + GRAIN_MS);
  });

  test("are free again where a call was never sent", () => {
    const limiter = new MemoryLimiter();
    const both = [scope("key:a", { tokensPerMinute: 1000, requestsPerMinute: 1 })];
    permitOf(limiter, both, ofSize(1000), 0).cancel();
    permitOf(limiter, both, ofSize(1000), 1);
  });

  test("any 60 s have at most the limit, where calls use what was estimated", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: 1, max: 400 })), {
          maxLength: 200,
          size: "max",
        }),
        (calls) => {
          const limiter = new MemoryLimiter();
          const admitted: [number, number][] = [];
          let now = 0;
          for (const [gap, tokens] of calls) {
            now += gap;
            const used = (spanMs: number) =>
              admitted.reduce((sum, [at, size]) => (at > now - spanMs ? sum + size : sum), 0);
            const acquired = limiter.acquire(scopes, ofSize(tokens), now);
            if ("refused" in acquired) {
              expect(used(WINDOW_MS + GRAIN_MS) + tokens).toBeGreaterThan(1000);
              continue;
            }
            admitted.push([now, tokens]);
            acquired.permit.release({ total: tokens, output: 0 });
            expect(used(WINDOW_MS)).toBeLessThanOrEqual(1000);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

test("of scopes that are idle for a minute nothing is kept", () => {
  const limiter = new MemoryLimiter();
  for (let n = 0; n < 1000; n++) {
    permitOf(limiter, [scope(`key:${n}`, { requestsPerMinute: 5 })], call, 0).release(undefined);
  }
  expect(limiter.size).toBe(1000);
  permitOf(limiter, [scope("key:last", { requestsPerMinute: 5 })], call, 2 * WINDOW_MS);
  expect(limiter.size).toBe(1);
});
