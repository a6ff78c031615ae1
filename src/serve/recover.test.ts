import { expect, test } from "bun:test";
import { Dice, SimulatedStore, SimulatedTime } from "../../test/support/simulation.ts";
import type { HoldFacts } from "../domain/ledger.ts";
import { openLedger } from "../ledger/open.ts";
import { recover } from "./recover.ts";

const NOON = Date.parse("2026-03-28T12:00:00Z");

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
  const factsOf = (requestId: string): HoldFacts => ({
    requestId,
    attempt: 1,
    at: NOON,
    keyId: "k",
    userId: "u",
    groupId: "g",
    provider: "openai",
    method: "GET",
    endpoint: "/batches/b",
    model: null,
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

  const { journal, orphans } = await life();
  await recover(orphans, store, journal, (message) => reports.push(message));
  await time.run(() => false);
  expect(await store.claimJob("openai:lost", "next")).toBe(true);
  expect(await store.claimJob("openai:paid", "next")).toBe(false);
  // Each has a row, and whoever runs the gateway is told.
  expect(store.rows).toEqual(["dying"]);
  expect(reports).toEqual([expect.stringContaining("1 requests were under way")]);
});
