import type { Costing, Entry, HoldRecord } from "../domain/ledger.ts";
import type { Metered, RequestRecord } from "../domain/request-record.ts";
import type { LedgerStore } from "../domain/store.ts";
import type { Quantities } from "../domain/usage.ts";
import type { Journal } from "../ledger/journal.ts";
import type { EndedCall } from "../ledger/open.ts";
import { addQuantities } from "../providers/formats/usage.ts";

/** Says what became of requests that the process before, which ended without a word, left without a row in the log. */
export async function recover(
  orphans: readonly HoldRecord[],
  unlogged: readonly EndedCall[],
  store: Pick<LedgerStore, "unclaimJobs">,
  journal: Journal,
  report: (message: string) => void,
): Promise<void> {
  // What the ledger knows of them: who called what, when, and what it cost.
  for (const { hold, entry } of unlogged) {
    const durationMs = Math.max(0, entry.at - hold.at);
    journal.log({ ...lostRequest(hold), durationMs, metered: meteredOf(entry) }, entry.at);
  }
  if (orphans.length === 0) return;
  // What they saw of a job counted for nothing: the next look at it counts.
  await store.unclaimJobs(orphans.map(({ requestId }) => requestId));
  for (const hold of orphans) journal.log(lostRequest(hold), hold.at);
  report(
    `${orphans.length} requests were under way when the gateway last ended. What they can have cost stays reserved; see: lmk budget unresolved.`,
  );
}

function meteredOf({ evidence, amount, costing }: Entry): Metered | null {
  // It was never sent, or used nothing.
  if (evidence === null || (costing === null && (amount ?? 0n) === 0n)) return null;
  const quantities = costing === null ? {} : quantitiesOf(costing);
  return { quantities, evidence, costNanos: amount, priceBook: costing?.priceBook ?? null };
}

function quantitiesOf({ uses }: Costing): Quantities {
  return uses.reduce<Quantities>((sum, { quantities }) => addQuantities(sum, quantities), {});
}

function lostRequest(hold: HoldRecord): RequestRecord {
  const { requestId, at, keyId, userId, groupId, provider, method, endpoint, model } = hold;
  return {
    id: requestId,
    at,
    keyId,
    userId,
    groupId,
    provider,
    method,
    endpoint,
    model,
    status: 0,
    refusal: null,
    shadowRefusal: null,
    ending: "lost",
    sentMs: null,
    firstByteMs: null,
    durationMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    upstreamRequestId: null,
    address: null,
    metered: null,
  };
}
