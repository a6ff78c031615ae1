import { expect, test } from "bun:test";
import { Dice, SimulatedStore, SimulatedTime } from "../../test/support/simulation.ts";
import type { Budget } from "../domain/budget.ts";
import type { HoldFacts } from "../domain/ledger.ts";
import { openLedger } from "./open.ts";

const NOON = Date.parse("2026-03-28T12:00:00Z");

function budget(id: string, amount: bigint, more: Partial<Budget> = {}): Budget {
  const period = { kind: "day" } as const;
  const all = { provider: null, model: null, thresholds: [], shadow: false, createdAt: NOON };
  return { id, name: id, amount, period, ...all, ...more };
}

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

async function ledgerWith(budgets: readonly Budget[]) {
  const time = new SimulatedTime(NOON);
  const crossed: string[] = [];
  const { ledger } = await openLedger({
    store: new SimulatedStore(time, new Dice(1)),
    key: new Uint8Array(32),
    clock: { now: () => NOON },
    timer: time,
    report: () => {},
    onCrossing: ({ percent, posted }) => crossed.push(`${percent} % at ${posted}`),
  });
  ledger.setBudgets(budgets, "UTC");
  return { ledger, crossed };
}

test("a call that one budget refuses takes nothing from the others, be they asked before it or behind it", async () => {
  const { ledger } = await ledgerWith([
    budget("wide", 100n),
    budget("counted", 5n, { shadow: true }),
    budget("narrow", 10n),
    budget("last", 100n),
  ]);
  expect(ledger.reserve(facts, ["wide", "counted", "narrow", "last"], 11n)).toBeUndefined();
  expect(ledger.standings().map(({ pending }) => pending)).toEqual([0n, 0n, 0n, 0n]);
  const hold = ledger.reserve(facts, ["wide", "counted", "narrow", "last"], 10n);
  expect(hold?.shadowed.map(({ id }) => id)).toEqual(["counted"]);
  expect(ledger.standings().map(({ pending }) => pending)).toEqual([10n, 10n, 10n, 10n]);
});

test("a threshold is told of once, by the call that reaches it: not a nano-dollar before", async () => {
  const { ledger, crossed } = await ledgerWith([budget("odd", 333n, { thresholds: [10, 50, 100] })]);
  for (const amount of [33n, 1n, 131n, 1n, 1n, 165n, 1n])
    ledger.reserve(facts, ["odd"], amount)?.settle(amount, "reported", null);
  // 10 % are 33.3, 50 % are 166.5.
  expect(crossed).toEqual(["10 % at 34", "50 % at 167", "100 % at 333"]);
});

test("a budget of nothing has no threshold that could be reached", async () => {
  const { ledger, crossed } = await ledgerWith([budget("none", 0n, { thresholds: [50], shadow: true })]);
  ledger.reserve(facts, ["none"], 5n)?.settle(5n, "reported", null);
  expect(crossed).toEqual([]);
});
