import { expect, test } from "bun:test";
import { Dice, SimulatedStore, SimulatedTime } from "../../test/support/simulation.ts";
import type { HoldFacts } from "../domain/ledger.ts";
import type { RequestRecord } from "../domain/request-record.ts";
import type { Hold } from "../ledger/ledger.ts";
import { openLedger } from "../ledger/open.ts";
import { Verifier } from "../ledger/verify.ts";
import { LogVerifier } from "../ledger/verify-log.ts";
import { recover } from "./recover.ts";

const NOON = Date.parse("2026-03-28T12:00:00Z");

const factsOf = (requestId: string, at = NOON): HoldFacts => ({
  requestId,
  attempt: 1,
  at,
  keyId: "k",
  userId: "u",
  groupId: "g",
  provider: "openai",
  method: "GET",
  endpoint: "/batches/b",
  model: null,
});

test("what a request saw of a job that died with its process counts for nothing: the next look is paid for", async () => {
  const time = new SimulatedTime(NOON);
  const store = new SimulatedStore(time, new Dice(1));
  const reports: string[] = [];
  const life = () =>
    openLedger({
      store: store.connect(),
      key: new Uint8Array(32),
      clock: time,
      timer: time,
      report: () => {},
    });
  const { ledger } = await life();
  const whole = ledger.reserve(factsOf("whole"), [], null);
  ledger.reserve(factsOf("dying"), [], null);
  await time.run(() => false);
  whole?.settle(1n, "reported", null);
  expect(await store.claimJob("openai:paid", "whole")).toBe(true);
  expect(await store.claimJob("openai:lost", "dying")).toBe(true);
  await time.run(() => false);
  store.crash();

  const { journal, orphans, unlogged } = await life();
  await recover(orphans, unlogged, store, journal, (message) => reports.push(message));
  await time.run(() => false);
  expect(await store.claimJob("openai:lost", "next")).toBe(true);
  expect(await store.claimJob("openai:paid", "next")).toBe(false);
  // Each has a row, the one that ended without one as well, and whoever runs the gateway is told.
  expect(store.rows).toEqual(["whole", "dying"]);
  expect(reports).toEqual([expect.stringContaining("1 requests were under way")]);
});

/** What the log has after a crash, and another crash as soon as the next start has taken a call. */
async function rowsAfter(work: (reserve: (id: string, attempt?: number) => Hold | undefined) => void) {
  const time = new SimulatedTime(NOON);
  const store = new SimulatedStore(time, new Dice(1));
  const life = async () => {
    const parts = { store: store.connect(), key: new Uint8Array(32), clock: time, timer: time };
    const opened = await openLedger({ ...parts, report: () => {} });
    await recover(opened.orphans, opened.unlogged, store, opened.journal, () => {});
    return opened.ledger;
  };
  const before = await life();
  work((id, attempt = 1) => before.reserve({ ...factsOf(id), attempt }, [], null));
  await time.run(() => false);
  store.crash();
  void time.sleep(1000);
  await time.run(() => false);

  const ledger = await life();
  let isHeld = false;
  void ledger.reserve(factsOf("next"), [], null)?.durable.then(() => {
    isHeld = true;
  });
  await time.run(() => isHeld);
  return store.rows.map((id) => [id, store.costs.get(id)]);
}

test("what is made again does not wait for more, lest another crash takes it", async () => {
  expect(await rowsAfter((reserve) => reserve("a")?.settle(5n, "reported", null))).toEqual([["a", 5n]]);
});

test("a call of several attempts has one row", async () => {
  const rows = await rowsAfter((reserve) => {
    reserve("ended")?.void();
    reserve("ended", 2)?.settle(5n, "reported", null);
    reserve("open")?.void();
    reserve("open", 2);
  });
  expect(rows).toEqual([
    ["ended", 5n],
    ["open", null],
  ]);
});

test("killed at any moment, no call is in the ledger and not in the log, nor twice, and what it cost is the same", async () => {
  let recovered = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const dice = new Dice(seed);
    const time = new SimulatedTime(NOON);
    const store = new SimulatedStore(time, dice);
    const key = new Uint8Array(32);
    const costing = {
      priceBook: "book",
      uses: [{ model: "m", quantities: { input_tokens: 3 } }],
      serviceTier: null,
      region: null,
      reportedCost: null,
    };
    let calls = 0;
    const verdict = () => {
      const log = new LogVerifier(0);
      const stored = { accounts: [...store.accounts.values()], checkpoint: store.checkpoint };
      const verifier = new Verifier({ key, costOf: () => "not recomputable", stored, log });
      for (const block of store.blocks) verifier.read(block);
      for (const [seq, id] of store.rows.entries())
        log.row({ seq, id, at: NOON, durationMs: 0, costNanos: store.costs.get(id) ?? null });
      return verifier.verdict().findings;
    };
    for (let life = 0; life < 4; life++) {
      const parts = { store: store.connect(), key, clock: time, timer: time, report: () => {} };
      const { ledger, journal, orphans, unlogged } = await openLedger(parts);
      await recover(orphans, unlogged, store, journal, () => {});
      recovered += unlogged.length;
      let isOver = false;
      const caller = async () => {
        while (!isOver) {
          const facts = factsOf(`call-${calls++}`, time.now());
          const hold = ledger.reserve(facts, [], null);
          await hold?.durable;
          await time.sleep(dice.between(0, 40));
          if (isOver || hold === undefined) return;
          const cost = BigInt(dice.between(0, 9));
          hold.settle(cost, "reported", costing);
          const metered = {
            quantities: {},
            evidence: "reported",
            costNanos: cost,
            priceBook: "book",
          } as const;
          journal.log({ id: facts.requestId, at: facts.at, metered } as RequestRecord);
        }
      };
      for (let i = dice.between(1, 6); i > 0; i--) void caller();
      const isLast = life === 3;
      // Now and then long enough for a checkpoint.
      void time.sleep(dice.chance(0.1) ? 10_500 : dice.between(1, 400)).then(() => {
        isOver = true;
        if (!isLast) store.crash();
      });
      await time.run(() => isOver);
      // What was on its way to the disk has got there by then, or never will.
      void time.sleep(10).then(() => {});
      if (isLast) void journal.close();
      await time.run(() => false);
      expect({ seed, life, findings: verdict() }).toEqual({ seed, life, findings: [] });
      expect(new Set(store.rows).size).toBe(store.rows.length);
    }
  }
  expect(recovered).toBeGreaterThan(150);
});
