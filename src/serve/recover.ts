import type { HoldRecord } from "../domain/ledger.ts";
import type { RequestRecord } from "../domain/request-record.ts";
import type { LedgerStore } from "../domain/store.ts";
import type { Journal } from "../ledger/journal.ts";

/** Says what became of requests that were under way when the process before ended without a word. */
export async function recover(
  orphans: readonly HoldRecord[],
  store: Pick<LedgerStore, "unclaimJobs">,
  journal: Journal,
  report: (message: string) => void,
): Promise<void> {
  if (orphans.length === 0) return;
  // What they saw of a job counted for nothing: the next look at it counts.
  await store.unclaimJobs(orphans.map(({ requestId }) => requestId));
  for (const hold of orphans) journal.log(lostRequest(hold));
  report(
    `${orphans.length} requests were under way when the gateway last ended. What they can have cost stays reserved; see: lmk budget unresolved.`,
  );
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
