import type { Journal } from "../ledger/journal.ts";

/** Where jobs that were metered are remembered for good. */
export interface JobStore {
  claimJob(job: string, requestId: string): Promise<boolean>;
}

/**
 * Says whether this request is the first to see what a job used: the usage comes with every look at it, and counts once.
 * What begins a job sees it first for certain, and nobody has to be asked.
 * @param job Provider and job.
 */
export function isFirstOfJob(
  job: string,
  method: string,
  requestId: string,
  journal: Journal,
  store: JobStore,
): boolean | Promise<boolean> {
  if (method === "POST") {
    journal.claim(job, requestId);
    return true;
  }
  return journal.isClaimed(job) ? false : store.claimJob(job, requestId);
}
