import type { Entry, HoldRecord } from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import type { RowCostView } from "../domain/request-record.ts";
import type { Finding } from "./finding.ts";
import { mayLackRow } from "./journal.ts";

/** A request whose entry was read and whose row was not yet. */
interface Awaited {
  readonly block: number;
  readonly hold: number;
  readonly at: number;
  readonly endedAt: number;
  readonly posted: Nanos;
}

/** A row that was read before its entry. */
interface Spare {
  readonly at: number;
  readonly endedAt: number;
  readonly cost: Nanos | null;
}

/** A row without a cost is written with its entry: where that does not come within this time, there is none. */
const PATIENCE_MS = 3_600_000;

/**
 * Compares the request log with the ledger: each call that ended has a row, and the row says what the ledger says.
 * Both are read side by side in the order in which they were written, so that little is in memory at a time.
 */
export class LogVerifier {
  private readonly awaited = new Map<string, Awaited>();
  private readonly spare = new Map<string, Spare>();
  /** Requests of which log and ledger say different things, by how much. */
  private readonly unequal = new Map<string, { block: number; hold: number; by: Nanos }>();
  private firstAt: number | undefined;
  private readonly prunedBefore: number;

  /** @param prunedBefore Rows of requests that arrived before may be missing, epoch milliseconds. */
  constructor(prunedBefore: number) {
    this.prunedBefore = prunedBefore;
  }

  entry(block: number, { kind, amount, at: endedAt }: Entry, hold: HoldRecord, wasLost: boolean): void {
    const { requestId, id, at } = hold;
    this.firstAt ??= at;
    this.forget(endedAt - PATIENCE_MS);
    // What nobody knows the cost of leaves no trace in a row that was written long before.
    if (kind === "voided" || (wasLost && amount === null)) return;
    const posted = amount ?? 0n;
    const row = this.spare.get(requestId);
    const before = this.awaited.get(requestId);
    if (row !== undefined) {
      // Another attempt may still come.
      this.spare.set(requestId, { ...row, cost: null });
      this.differ(requestId, block, id, posted - (row.cost ?? 0n));
    } else
      this.awaited.set(requestId, { block, hold: id, at, endedAt, posted: posted + (before?.posted ?? 0n) });
  }

  correction(block: number, { requestId, id }: HoldRecord, amount: Nanos): void {
    const awaited = this.awaited.get(requestId);
    if (awaited === undefined) this.differ(requestId, block, id, amount);
    else this.awaited.set(requestId, { ...awaited, posted: awaited.posted + amount });
  }

  row({ id, at, durationMs, costNanos }: RowCostView): void {
    const awaited = this.awaited.get(id);
    this.spare.set(id, {
      at,
      endedAt: at + durationMs,
      cost: awaited === undefined ? costNanos : null,
    });
    if (awaited === undefined) return;
    this.awaited.delete(id);
    this.differ(id, awaited.block, awaited.hold, awaited.posted - (costNanos ?? 0n));
  }

  /**
   * To be called when all is read.
   * @param checkpoint The block that it stands behind: of what ended before, all rows are written.
   * @param lastAt When the last block was written: of what ended right before, rows may be on their way, or, where the
   * gateway was killed, be written at its next start.
   */
  findings(checkpoint: number, lastAt: number): Finding[] {
    const findings: Finding[] = [];
    for (const [id, { block, hold, at, endedAt }] of this.awaited) {
      if (at < this.prunedBefore || (block > checkpoint && mayLackRow(endedAt, lastAt))) continue;
      findings.push({ block, hold, what: `hold ${hold} ended, and the log has no request ${id}` });
    }
    for (const [id, { block, hold, by }] of this.unequal) {
      const more = by > 0n ? "less" : "more";
      const what = `the log says ${by > 0n ? by : -by} ${more} of request ${id} than the ledger`;
      findings.push({ block, hold, what });
    }
    for (const [id, { at, cost }] of this.spare) {
      // Calls were logged before there was a ledger.
      if ((cost ?? 0n) === 0n || this.firstAt === undefined || at < this.firstAt) continue;
      findings.push({
        block: null,
        hold: null,
        what: `the log has a cost of request ${id}, and the ledger none`,
      });
    }
    return findings;
  }

  private differ(request: string, block: number, hold: number, by: Nanos): void {
    const sum = (this.unequal.get(request)?.by ?? 0n) + by;
    if (sum === 0n) this.unequal.delete(request);
    else this.unequal.set(request, { block, hold, by: sum });
  }

  private forget(before: number): void {
    for (const [id, { endedAt, cost }] of this.spare) {
      if (endedAt >= before) return;
      if (cost === null) this.spare.delete(id);
    }
  }
}
