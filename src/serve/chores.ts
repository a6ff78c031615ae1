import type { Clock } from "../domain/clock.ts";
import type { Store } from "../domain/store.ts";
import type { InFlight } from "../gateway/in-flight.ts";
import type { Ledger } from "../ledger/ledger.ts";

const PRUNE_MS = 3_600_000;
const SWEEP_MS = 60_000;
const CUT_MS = 500;

/** How long a child key that has ended is still known, so that whoever uses it is told that it has ended. */
export const REMEMBERED_CHILD_MS = 24 * 3_600_000;

export interface Chores {
  readonly store: Pick<Store, "pruneRequests" | "retireChildKeys">;
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
  void prune();
  void retire();
  ledger.sweep();
  const timers = [
    setInterval(prune, PRUNE_MS),
    setInterval(retire, PRUNE_MS),
    setInterval(() => ledger.sweep(), SWEEP_MS),
    setInterval(() => inFlight.cutEndedChildren(clock.now()), CUT_MS),
  ];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
