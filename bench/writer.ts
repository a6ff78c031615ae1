/** How many calls a second can be held, settled and logged when nothing else is to be done. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../src/domain/clock.ts";
import type { RequestRecord } from "../src/domain/request-record.ts";
import { openLedger } from "../src/ledger/open.ts";
import { systemTimer } from "../src/serve/timer.ts";
import { openSqliteStore } from "../src/storage/sqlite/open.ts";

const CALLS = 60_000;
/** Calls under way at a time. */
const AT_ONCE = 256;

/** @param folder For a database that is not kept. */
export async function entriesPerSecond(folder: string): Promise<number> {
  const store = await openSqliteStore(join(mkdtempSync(join(folder, "writer-")), "bench.db"));
  const { ledger, journal } = await openLedger({
    store,
    key: new Uint8Array(32),
    clock: systemClock,
    timer: systemTimer,
    report: (message) => {
      throw new Error(message);
    },
  });
  const startedAt = performance.now();
  let next = 0;
  const caller = async () => {
    while (next < CALLS) {
      const row = rowOf(next++);
      const hold = ledger.reserve(factsOf(row), [], null);
      if (hold === undefined) throw new Error("a hold without budgets was refused");
      await hold.durable;
      hold.settle(1_234_000n, "reported", {
        priceBook: "0".repeat(64),
        uses: [{ model: "gpt-5-mini", quantities: { input_tokens: 109, output_tokens: 98 } }],
        serviceTier: null,
        region: null,
        reportedCost: null,
      });
      journal.log(row);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  await journal.close();
  const seconds = (performance.now() - startedAt) / 1000;
  await store.close();
  return CALLS / seconds;
}

function rowOf(n: number): RequestRecord {
  return {
    id: `bench-${n}`,
    at: Date.now(),
    keyId: "k",
    userId: "u",
    groupId: "g",
    provider: "openai",
    method: "POST",
    endpoint: "/chat/completions",
    model: "gpt-5-mini",
    status: 200,
    refusal: null,
    shadowRefusal: null,
    ending: "complete",
    sentMs: 0.5,
    firstByteMs: 1.5,
    durationMs: 2.5,
    bytesIn: 600,
    bytesOut: 900,
    upstreamRequestId: "req_1",
    address: "127.0.0.1",
    metered: {
      quantities: { input_tokens: 109, output_tokens: 98 },
      evidence: "reported",
      costNanos: 1_234_000n,
      priceBook: "0".repeat(64),
    },
  };
}

function factsOf({ id, at, method, endpoint, model }: RequestRecord) {
  return {
    requestId: id,
    attempt: 1,
    at,
    keyId: "k",
    userId: "u",
    groupId: "g",
    provider: "openai",
    method,
    endpoint,
    model,
  };
}
