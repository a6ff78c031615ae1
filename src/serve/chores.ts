import type { Clock } from "../domain/clock.ts";
import type { Store } from "../domain/store.ts";
import type { InFlight } from "../gateway/in-flight.ts";
import type { Ledger } from "../ledger/ledger.ts";

const PRUNE_MS = 3_600_000;
const SWEEP_MS = 60_000;
const CUT_MS = 500;
const ROLL_UP_MS = 1000;
/** Rows that are added to the sums at a time: about a millisecond, for which a hold may have to wait. */
const ROLL_UP_ROWS = 512;

/** How long a child key that has ended is still known, so that whoever uses it is told that it has ended. */
export const REMEMBERED_CHILD_MS = 24 * 3_600_000;

export interface Chores {
  readonly store: Pick<Store, "pruneRequests" | "retireChildKeys" | "pruneSignIn" | "rollUp">;
  readonly inFlight: Pick<InFlight, "cutEndedChildren">;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Of log rows. */
  readonly retentionMs: number;
  readonly report: (message: string) => void;
}

/** What has to be done from time to time. Returns what ends it. */
export function startChores({ store, inFlight, ledger, clock, retentionMs, report }: Chores): () => void {
  const prune = async () => {
    try {
      await store.pruneRequests(clock.now() - retentionMs);
    } catch (error) {
      report(`Old rows of the request log could not be deleted: ${(error as Error).message}`);
    }
  };
  const retire = async () => {
    try {
      await store.retireChildKeys(clock.now() - REMEMBERED_CHILD_MS);
    } catch (error) {
      report(`Policies of child keys that have ended could not be dropped: ${(error as Error).message}`);
    }
  };
  let isRolling = false;
  let failed = false;
  let ended = false;
  const rollUp = async () => {
    if (isRolling) return;
    isRolling = true;
    try {
      // After an upgrade, or a long stop, there may be many.
      while (!ended && (await store.rollUp(ROLL_UP_ROWS)) === ROLL_UP_ROWS);
      failed = false;
    } catch (error) {
      // A full disk has been reported by the ledger already; the sums wait.
      if (!failed && !ended) report(`The sums of the request log wait: ${(error as Error).message}`);
      failed = true;
    }
    isRolling = false;
  };
  const forget = async () => {
    try {
      await store.pruneSignIn(clock.now());
    } catch (error) {
      report(`Sessions and links that have ended could not be deleted: ${(error as Error).message}`);
    }
  };
  void prune();
  void forget();
  void retire();
  void rollUp();
  ledger.sweep();
  const timers = [
    setInterval(prune, PRUNE_MS),
    setInterval(forget, PRUNE_MS),
    setInterval(retire, PRUNE_MS),
    setInterval(() => ledger.sweep(), SWEEP_MS),
    setInterval(() => inFlight.cutEndedChildren(clock.now()), CUT_MS),
    setInterval(rollUp, ROLL_UP_MS),
  ];
  return () => {
    ended = true;
    for (const timer of timers) clearInterval(timer);
  };
}
