import { expect, test } from "bun:test";
import { Dice, SimulatedStore, SimulatedTime } from "../../test/support/simulation.ts";
import type { Budget } from "../domain/budget.ts";
import type { HoldFacts } from "../domain/ledger.ts";
import type { Ledger } from "./ledger.ts";
import { openLedger } from "./open.ts";

const NOON = Date.parse("2026-03-28T12:00:00Z");

const daily: Budget = {
  id: "bud_daily",
  name: "daily",
  amount: 100n,
  period: { kind: "day" },
  provider: null,
  model: null,
  thresholds: [],
  shadow: false,
  createdAt: NOON,
};

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

/** A ledger whose clock a test sets. */
async function ledgerAt(timeZone: string) {
  const time = new SimulatedTime(NOON);
  const clock = { at: NOON, now: () => clock.at };
  const { ledger } = await openLedger({
    store: new SimulatedStore(time, new Dice(1)),
    key: new Uint8Array(32),
    clock,
    timer: time,
    report: () => {},
  });
  ledger.setBudgets([daily], timeZone);
  return { ledger, clock };
}

function spend(ledger: Ledger, amount: bigint): boolean {
  const hold = ledger.reserve(facts, [daily.id], amount);
  hold?.settle(amount, "reported", null);
  return hold !== undefined;
}

test("a clock that jumps an hour over midnight and back gives nobody a day's budget twice", async () => {
  const { ledger, clock } = await ledgerAt("UTC");
  clock.at = Date.parse("2026-03-28T23:30:00Z");
  expect(spend(ledger, 100n)).toBe(true);
  expect(spend(ledger, 1n)).toBe(false);
  clock.at += 3_600_000;
  expect(spend(ledger, 60n)).toBe(true);
  // Back again: yesterday's is used up still, and today's knows what was spent ahead of time.
  clock.at -= 3_600_000;
  expect(spend(ledger, 1n)).toBe(false);
  clock.at += 3_600_000;
  expect(spend(ledger, 41n)).toBe(false);
  expect(spend(ledger, 40n)).toBe(true);
});

test("a jump of years ahead and back loses no balance", async () => {
  const { ledger, clock } = await ledgerAt("UTC");
  expect(spend(ledger, 100n)).toBe(true);
  clock.at = Date.parse("2036-01-01T00:00:00Z");
  ledger.sweep();
  expect(spend(ledger, 100n)).toBe(true);
  clock.at = NOON;
  expect(spend(ledger, 1n)).toBe(false);
});

test("the day on which the clocks change has one budget, and so has a leap day", async () => {
  const { ledger, clock } = await ledgerAt("Europe/Berlin");
  clock.at = Date.parse("2026-03-29T00:30:00Z");
  expect(spend(ledger, 50n)).toBe(true);
  // An hour later the clocks there have gone on by two.
  clock.at = Date.parse("2026-03-29T01:30:00Z");
  expect(spend(ledger, 51n)).toBe(false);
  clock.at = Date.parse("2026-03-29T21:59:59Z");
  expect(spend(ledger, 50n)).toBe(true);
  clock.at = Date.parse("2026-03-29T22:00:00Z");
  expect(spend(ledger, 100n)).toBe(true);

  clock.at = Date.parse("2028-02-28T23:30:00Z");
  expect(spend(ledger, 100n)).toBe(true);
  clock.at = Date.parse("2028-02-29T22:59:59Z");
  expect(spend(ledger, 1n)).toBe(false);
  clock.at = Date.parse("2028-02-29T23:00:00Z");
  expect(spend(ledger, 1n)).toBe(true);
});

test("a call counts in the period that it was admitted in, however long it takes", async () => {
  const { ledger, clock } = await ledgerAt("UTC");
  clock.at = Date.parse("2026-03-28T23:59:59Z");
  const hold = ledger.reserve(facts, [daily.id], 100n);
  clock.at += 2000;
  expect(ledger.standing(daily.id)).toMatchObject({ posted: 0n, pending: 0n });
  hold?.settle(80n, "reported", null);
  expect(ledger.standing(daily.id)).toMatchObject({ posted: 0n });
  clock.at -= 2000;
  expect(ledger.standing(daily.id)).toMatchObject({ posted: 80n, pending: 0n });
});
