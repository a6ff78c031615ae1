/** The sums beside the request log are those of its rows, whatever happened to the rows. */

import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RequestRecord, UsageKey } from "../../src/domain/request-record.ts";
import { sqlStore } from "../../src/storage/sql-store.ts";
import { openSqlite } from "../../src/storage/sqlite/sqlite.ts";

const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 10, 20);
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function open() {
  const folder = mkdtempSync(join(tmpdir(), "lmk-rollups-"));
  folders.push(folder);
  const path = join(folder, "x.db");
  return { path, store: sqlStore(openSqlite(path)) };
}

/** The same numbers for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

function row(n: number, random: (below: number) => number): RequestRecord {
  const refused = random(6) === 0;
  const known = random(8) > 0;
  const user = random(4);
  return {
    id: `r${n}`,
    at: T0 + random(5 * 24 * HOUR),
    keyId: known ? `k${user}${random(2)}` : null,
    userId: known ? `u${user}` : null,
    groupId: known ? `g${user % 2}` : null,
    provider: random(20) === 0 ? null : (["openai", "cohere"][random(2)] ?? ""),
    method: "POST",
    endpoint: "/x",
    model: random(10) === 0 ? null : `m${random(3)}`,
    status: refused ? 429 : ([200, 200, 200, 500][random(4)] ?? 200),
    refusal: refused ? "rate_limited" : null,
    shadowRefusal: null,
    ending: refused ? "refused" : "complete",
    sentMs: 1,
    firstByteMs: refused ? null : random(5000) / 3,
    durationMs: random(90_000) / 3,
    bytesIn: 1,
    bytesOut: 1,
    upstreamRequestId: null,
    address: null,
    metered:
      refused || random(5) === 0
        ? null
        : {
            quantities: { input_tokens: random(1000), output_tokens: random(1000) },
            evidence: "reported",
            costNanos: random(7) === 0 ? null : BigInt(random(1_000_000)),
            priceBook: "b",
          },
  };
}

const commit = { block: null, jobs: [], costs: [], checkpoint: null };

for (let seed = 1; seed <= 8; seed++) {
  test(`seed ${seed}: usage by anything, in any time, is the sum of the rows`, async () => {
    const random = numbers(seed);
    const { path, store } = open();
    for (const g of ["g0", "g1"])
      await store.addGroup({ id: g, name: `group ${g}`, createdAt: 0, revokedAt: null, expiresAt: null });
    let n = 0;
    const written: RequestRecord[] = [];
    for (let round = 0; round < 12; round++) {
      const rows = Array.from({ length: random(120) }, () => row(n++, random));
      written.push(...rows);
      await store.commit({ ...commit, rows });
      await store.rollUp(1 + random(150));
      const costs = written
        .filter(() => random(12) === 0)
        .map(({ id, at }) => ({
          requestId: id,
          at,
          amount: BigInt(random(500)),
          evidence: null,
          priceBook: null,
        }));
      await store.commit({ ...commit, rows: [], costs });
      if (random(5) === 0) await store.pruneRequests(T0 + random(2 * 24 * HOUR));
    }
    expect(await store.listRollupDifferences()).toEqual([]);
    const database = new Database(path, { readonly: true });
    const byOptions: UsageKey[][] = [
      [],
      ["provider"],
      ["model", "key"],
      ["day"],
      ["hour", "provider"],
      ["key", "day"],
    ];
    for (const by of byOptions) {
      for (let time = 0; time < 6; time++) {
        const since = time === 0 ? undefined : T0 + random(3 * 24 * HOUR);
        const until = time < 2 ? undefined : (since ?? T0) + random(3 * 24 * HOUR);
        const user = random(3) === 0 ? `u${random(4)}` : undefined;
        const columns: Partial<Record<UsageKey, string>> = {
          day: "strftime('%Y-%m-%d', at / 1000, 'unixepoch')",
          hour: "strftime('%Y-%m-%dT%H:00Z', at / 1000, 'unixepoch')",
          key: "key_id",
        };
        const keys = by.map((key) => columns[key] ?? key);
        const expected = database
          .query(
            `SELECT ${[...keys, "COUNT(*)", "COALESCE(SUM(input_tokens), 0)", "CAST(COALESCE(SUM(cost_nanos), 0) AS TEXT)", "COALESCE(SUM(usage IS NOT NULL AND cost_nanos IS NULL), 0)"].join(", ")}
             FROM requests WHERE at >= ? AND at < ? AND (? IS NULL OR user_id = ?)
             ${keys.length > 0 ? `GROUP BY ${keys.map((_, at) => at + 1).join(", ")}` : ""}`,
          )
          .values(since ?? 0, until ?? Number.MAX_SAFE_INTEGER, user ?? null, user ?? null);
        const sums = await store.sumUsage({ by, since, until, user });
        const found = sums.map((sum) => [
          ...sum.keys,
          sum.requests,
          sum.inputTokens,
          String(sum.costNanos),
          sum.unpriced,
        ]);
        const sorted = (all: unknown[][]) => all.map((one) => JSON.stringify(one)).sort();
        expect(sorted(found)).toEqual(sorted(expected as unknown[][]));
      }
    }
    const traffic = await store.readTraffic({ since: T0, until: T0 + 5 * 24 * HOUR, bucket: "day", top: 10 });
    const [all] = await store.sumUsage({ by: [] });
    expect(traffic.total).toMatchObject({ requests: all?.requests, costNanos: all?.costNanos });
    const sum = (some: readonly { requests: number }[]) =>
      some.reduce((total, one) => total + one.requests, 0);
    expect([sum(traffic.series), sum(traffic.users), sum(traffic.groups)]).toEqual(
      Array.from({ length: 3 }, () => all?.requests ?? 0),
    );
    database.close();
    await store.close();
  });
}

test("sums are exact where a double would round them", async () => {
  const { store } = open();
  const random = numbers(1);
  // Added as doubles they would be one less.
  const costs = [9_007_199_254_740_993n, 1n, 1n];
  const rows = costs.map((costNanos, n) => ({
    ...row(n, random),
    at: T0,
    metered: { quantities: {}, evidence: "reported" as const, costNanos, priceBook: "b" },
  }));
  await store.commit({ ...commit, rows });
  expect(await store.rollUp(10)).toBe(3);
  expect(await store.listRollupDifferences()).toEqual([]);
  const [sum] = await store.sumUsage({ by: [] });
  expect(sum?.costNanos).toBe(9_007_199_254_740_995n);
});

test("a sum that somebody changed, and a row, are found", async () => {
  const { path, store } = open();
  const random = numbers(99);
  await store.commit({ ...commit, rows: Array.from({ length: 50 }, (_, n) => row(n, random)) });
  await store.rollUp(50);
  expect(await store.listRollupDifferences()).toEqual([]);
  const database = new Database(path);
  database.run(
    "UPDATE people_hours SET cost_nanos = cost_nanos + 1 WHERE at = (SELECT MIN(at) FROM people_hours)",
  );
  expect((await store.listRollupDifferences())[0]).toContain(
    "1 sums of people by hours are not those of the log's rows",
  );
  database.run(
    "UPDATE people_hours SET cost_nanos = cost_nanos - 1 WHERE at = (SELECT MIN(at) FROM people_hours)",
  );
  database.run("UPDATE requests SET input_tokens = 7777 WHERE seq = 1");
  expect((await store.listRollupDifferences()).length).toBe(5);
  database.close();
  await store.close();
});

test("a log from before there were sums is added up, a bit at a time", async () => {
  const { path, store } = open();
  const random = numbers(5);
  await store.commit({ ...commit, rows: Array.from({ length: 100 }, (_, n) => row(n, random)) });
  const before = await store.sumUsage({ by: ["provider", "model"] });
  const steps: number[] = [];
  for (let rolled = 1; rolled > 0; steps.push(rolled)) rolled = await store.rollUp(40);
  expect(steps).toEqual([40, 40, 20, 0]);
  expect(await store.sumUsage({ by: ["provider", "model"] })).toEqual(before);
  expect(path).toBeTruthy();
  await store.close();
});
