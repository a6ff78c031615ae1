import { expect, test } from "bun:test";
import { Dice, SimulatedStore, SimulatedTime } from "../../test/support/simulation.ts";
import type { Budget } from "../domain/budget.ts";
import { openLedger } from "./open.ts";

const DAY_MS = 86_400_000;

test("a correction in a period of long ago outlives a crash", async () => {
  const time = new SimulatedTime(Date.parse("2026-01-10T10:00:00Z"));
  const store = new SimulatedStore(time, new Dice(1));
  const key = new Uint8Array(32);
  const open = () => openLedger({ store: store.connect(), key, clock: time, timer: time, report: () => {} });
  const settle = async (work: Promise<unknown>) => {
    let isOver = false;
    void work.then(() => {
      isOver = true;
    });
    await time.run(() => isOver);
  };
  const budget: Budget = {
    id: "bud_a",
    name: "a",
    amount: 1000n,
    period: { kind: "day" },
    provider: null,
    model: null,
    thresholds: [],
    shadow: false,
    createdAt: 0,
  };
  const facts = {
    requestId: "req",
    attempt: 1,
    at: time.now(),
    keyId: "k",
    userId: "u",
    groupId: "g",
    provider: "openai",
    method: "POST",
    endpoint: "/x",
    model: null,
  };
  let { ledger, journal } = await open();
  ledger.setBudgets([budget], "UTC");
  const hold = ledger.reserve(facts, ["bud_a"], 100n);
  hold?.settle(40n, "reported", null);
  await settle(journal.close());

  await settle(time.sleep(60 * DAY_MS));
  store.crash();
  ({ ledger, journal } = await open());
  const [account] = await store.readAccounts(hold?.accounts.map(({ id }) => id) ?? []);
  if (account === undefined) throw new Error("it was stored");
  const correction = {
    holdId: 1,
    at: time.now(),
    amount: -15n,
    accounts: [account.id],
    reason: "repriced",
    priceBook: null,
  };
  await settle(ledger.correct(correction, [account]));
  store.crash();

  // Before there is a checkpoint behind the correction; what is stored is older than what is in memory.
  ({ ledger, journal } = await open());
  void ledger.correct({ ...correction, amount: -1n }, [account]);
  await settle(journal.close());
  expect(store.accounts.get(account.id)?.posted).toBe(24n);
});
