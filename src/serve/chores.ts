import type { Clock } from "../domain/clock.ts";
import type { Store } from "../domain/store.ts";
import type { Ledger } from "../ledger/ledger.ts";

const PRUNE_MS = 3_600_000;
const SWEEP_MS = 60_000;

export interface Chores {
  readonly store: Pick<Store, "pruneRequests">;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Of log rows. */
  readonly retentionMs: number;
  readonly report: (message: string) => void;
}

/** What has to be done from time to time. Returns what ends it. */
export function startChores({ store, ledger, clock, retentionMs, report }: Chores): () => void {
  const prune = async () => {
    try {
      await store.pruneRequests(clock.now() - retentionMs);
    } catch (error) {
      report(`Old rows of the request log could not be deleted: ${(error as Error).message}`);
    }
  };
  void prune();
  ledger.sweep();
  const timers = [setInterval(prune, PRUNE_MS), setInterval(() => ledger.sweep(), SWEEP_MS)];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
