/** How holds end whose process died, where nobody says what their calls cost. */
import { expect, test } from "bun:test";
import { Dice, SimulatedStore, SimulatedTime } from "../../test/support/simulation.ts";
import type { Budget } from "../domain/budget.ts";
import type { HoldFacts } from "../domain/ledger.ts";
import type { Period } from "../domain/period.ts";
import { openLedger } from "./open.ts";
import { parseRecords } from "./records.ts";

const NOON = Date.parse("2026-03-28T12:00:00Z");
const DAY_MS = 86_400_000;

const budget = (id: string, kind: "day" | "month" | "total"): Budget => ({
  id,
  name: id,
  amount: 100n,
  period: { kind } as Period,
  provider: null,
  model: null,
  thresholds: [],
  shadow: false,
  createdAt: NOON,
});
const budgets = [budget("day", "day"), budget("month", "month"), budget("total", "total")];

/** A ledger that finds a hold of 60, lowered to 40, in these budgets, which the process before it left. */
async function ledgerWithOrphan(ids: readonly string[]) {
  const time = new SimulatedTime(NOON);
  const clock = { at: NOON, now: () => clock.at };
  const store = new SimulatedStore(time, new Dice(1));
  const life = async () => {
    const opened = await openLedger({
      store: store.connect(),
      key: new Uint8Array(32),
      clock,
      timer: time,
      report: () => {},
    });
    opened.ledger.setBudgets(budgets, "UTC");
    return opened;
  };
  const { ledger: before } = await life();
  const facts: HoldFacts = {
    requestId: "r",
    attempt: 1,
    at: NOON,
    keyId: "k",
    userId: "u",
    groupId: "g",
    provider: "openai",
    method: "POST",
    endpoint: "/x",
    model: null,
  };
  const hold = before.reserve(facts, ids, ids.length === 0 ? null : 60n);
  hold?.shrink(40n);
  await time.run(() => false);
  store.crash();
  const { ledger } = await life();
  await time.run(() => false);
  /** The state after this many days, once it was swept. */
  const after = async (days: number) => {
    clock.at = NOON + days * DAY_MS;
    ledger.sweep();
    await time.run(() => false);
    const open = ledger.unresolved().length;
    clock.at = NOON;
    return [open, ...ids.map((id) => ledger.standing(id)?.posted)];
  };
  const ends = () =>
    store.blocks
      .flatMap(({ text }) => parseRecords(text))
      .flatMap((record) => (record.kind === "end" ? [record.entry] : []));
  return { ledger, after, ends };
}

test("it stays reserved, as far as it was lowered, until its period is over; then its ceiling is posted, once", async () => {
  const { ledger, after, ends } = await ledgerWithOrphan(["day"]);
  expect(ledger.standing("day")).toMatchObject({ posted: 0n, pending: 40n });
  expect(await after(0.49)).toEqual([1, 0n]);
  expect(await after(0.5)).toEqual([0, 40n]);
  expect(await after(1)).toEqual([0, 40n]);
  expect(ledger.standing("day")).toMatchObject({ posted: 40n, pending: 0n });
  expect(ends()).toMatchObject([{ kind: "ceiling", amount: 40n, evidence: "ceiling" }]);
});

test("in several budgets it waits for the last of their periods", async () => {
  const { after } = await ledgerWithOrphan(["day", "month"]);
  expect(await after(3.49)).toEqual([1, 0n, 0n]);
  expect(await after(3.5)).toEqual([0, 40n, 40n]);
});

test("in a budget that never ends it waits for a month, and nothing of it becomes free", async () => {
  const { ledger, after } = await ledgerWithOrphan(["day", "total"]);
  expect(await after(30.9)).toEqual([1, 0n, 0n]);
  expect(ledger.standing("total")).toMatchObject({ pending: 40n });
  expect(await after(31)).toEqual([0, 40n, 40n]);
});

test("without a budget it ends after a day, and posts nothing", async () => {
  const { after, ends } = await ledgerWithOrphan([]);
  expect(await after(0.9)).toEqual([1]);
  expect(await after(1)).toEqual([0]);
  expect(ends()).toMatchObject([{ kind: "ceiling", amount: null }]);
});

test("what an owner decides comes before that, and is the only end", async () => {
  const { ledger, after, ends } = await ledgerWithOrphan(["day"]);
  const [lost] = ledger.unresolved();
  const decided = ledger.decide(lost?.id ?? 0, 7n, "the bill says so");
  expect(await after(5)).toEqual([0, 7n]);
  expect(await decided).toBe(true);
  expect(await ledger.decide(lost?.id ?? 0, 9n, "again")).toBe(false);
  expect(ends()).toMatchObject([{ kind: "decided", amount: 7n, reason: "the bill says so" }]);
});
