import type { Clock, Timer } from "../domain/clock.ts";
import type { AccountBalance, Block, Commit, JobClaim, RowCost } from "../domain/ledger.ts";
import type { RequestRecord } from "../domain/request-record.ts";

/** How long what nobody waits for may wait for more, milliseconds. */
const GATHER_MS = 20;
/**
 * Turns of the event loop for which a commit waits for further holds: under load each brings several, and otherwise it is
 * over in microseconds. A commit costs the same for one hold as for ten.
 */
const COMPANY_TURNS = 2;
/** Log rows that are so many, or the first of which is so old (milliseconds), go with the next commit in any case. */
const ROWS_TOGETHER = 64;
const ROW_WAIT_MS = 100;
/** Log rows that may wait while the disk is slow; from then on no request is taken. */
const MAX_WAITING = 20_000;
const RETRY_MS = 500;
/** Blocks, and milliseconds, after which a checkpoint is due: what a start has to read again. */
const CHECKPOINT_BLOCKS = 1000;
const CHECKPOINT_MS = 10_000;

/** The state behind all that was appended so far. */
export interface Balances {
  readonly accounts: readonly AccountBalance[];
  readonly open: string;
  readonly nextHold: number;
  /** Called once they are on the disk. */
  readonly written: () => void;
}

export interface JournalParts {
  /** One durable transaction; throws where it is not. */
  readonly write: (commit: Commit) => Promise<void>;
  /** Of the chain. */
  readonly key: Uint8Array;
  /** The last block that was written. */
  readonly head: Head;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly report: (message: string) => void;
}

export interface Head {
  readonly seq: number;
  readonly hash: Uint8Array;
}

/**
 * Writes the ledger's records and the request log, one commit after another: what comes while one is under way goes into
 * the next. A hold is waited for and starts a commit with those that arrive together with it; all else waits longer for company.
 *
 * Rows cost less where many are written at once, so a commit that a hold waits for takes many of them, or none. What
 * ended within `ROW_WAIT_MS` of the last block may be without its row after a crash: `open.ts` says what did.
 */
export class Journal {
  /** What the next commit takes. */
  private text = "";
  private rows: RequestRecord[] = [];
  /** When the first of their requests ended, epoch milliseconds. */
  private rowsSince = 0;
  private jobs: JobClaim[] = [];
  private costs: RowCost[] = [];
  private waited: PromiseWithResolvers<void> | undefined;

  private state: "idle" | "gathering" | "soon" | "writing" | "failing" = "idle";
  /** The last commit failed: it is so until one succeeds. */
  private isBroken = false;
  private callOff: (() => void) | undefined;
  private readonly claimed = new Set<string>();
  private head: Head;
  private checkpointSeq: number;
  private checkpointAt: number;
  /** Refused requests whose rows were not kept. */
  private dropped = 0;
  private idle: PromiseWithResolvers<void> | undefined;
  /** Set once, by the ledger whose records these are. */
  balances: (() => Balances) | undefined;

  private readonly parts: JournalParts;

  constructor(parts: JournalParts) {
    this.parts = parts;
    this.head = parts.head;
    this.checkpointSeq = parts.head.seq;
    this.checkpointAt = parts.clock.now();
  }

  /** False while nothing can be written, or so much waits that the next might be lost: no request is forwarded then. */
  get healthy(): boolean {
    return !this.isBroken && this.rows.length < MAX_WAITING;
  }

  /** Resolves when this record, and all before it, are on the disk; rejects where they are not by then. */
  appendDurably(record: string): Promise<void> {
    this.text += record;
    this.waited ??= Promise.withResolvers();
    if (this.state === "idle" || this.state === "gathering") {
      this.callOff?.();
      this.callOff = undefined;
      this.writeSoon();
    }
    return this.waited.promise;
  }

  /** It will be on the disk soon, or be tried again until it is. */
  append(record: string): void {
    this.text += record;
    this.gather();
  }

  /** @param endedAt When the request ended, epoch milliseconds: what ended long ago does not wait for more. */
  log(row: RequestRecord, endedAt = this.parts.clock.now()): void {
    // While nothing can be written, what was refused for that reason is counted, not kept: it could go on for days.
    if (row.ending === "refused" && this.rows.length >= MAX_WAITING) {
      this.dropped++;
      return;
    }
    if (this.rows.length === 0 || endedAt < this.rowsSince) this.rowsSince = endedAt;
    this.rows.push(row);
    this.gather();
  }

  /** Changes what the log says that a request cost: see `RowCost`. */
  recost(cost: RowCost): void {
    this.costs.push(cost);
    this.gather();
  }

  /** Says that this request metered this job, with the next commit. */
  claim(job: string, requestId: string): void {
    this.claimed.add(job);
    this.jobs.push([job, requestId]);
    this.gather();
  }

  /** True for a job whose claim is not on the disk yet. */
  isClaimed(job: string): boolean {
    return this.claimed.has(job);
  }

  /** Resolves when all is written, or cannot be; with a checkpoint, so that the next start has nothing to read again. */
  async close(): Promise<void> {
    this.checkpointAt = Number.NEGATIVE_INFINITY;
    while (this.state !== "failing" && (this.state !== "idle" || this.isDirty)) {
      this.idle = Promise.withResolvers();
      this.gather();
      await this.idle.promise;
    }
    this.callOff?.();
    if (this.rows.length > 0 || this.text !== "")
      this.parts.report(`${this.rows.length} rows of the request log could not be written.`);
  }

  private get isDirty(): boolean {
    return this.hasWork || this.head.seq > this.checkpointSeq;
  }

  private get hasWork(): boolean {
    return this.text !== "" || this.rows.length > 0 || this.jobs.length > 0 || this.costs.length > 0;
  }

  private gather(): void {
    if (this.state !== "idle") return;
    this.state = "gathering";
    this.callOff = this.parts.timer.after(GATHER_MS, () => this.write());
  }

  /** Requests that arrive in the same turns of the event loop are written together. */
  private writeSoon(turns = COMPANY_TURNS): void {
    this.state = "soon";
    this.parts.timer.soon(() => (turns > 1 ? this.writeSoon(turns - 1) : this.write()));
  }

  private write(): void {
    this.callOff = undefined;
    const { text, jobs, costs, waited } = this;
    const at = this.parts.clock.now();
    const block = this.nextBlock(text, at);
    const balances = block !== null && this.isCheckpointDue(at) ? this.balances?.() : undefined;
    const checkpoint =
      balances === undefined || block === null
        ? null
        : {
            seq: block.seq,
            accounts: balances.accounts,
            open: balances.open,
            nextHold: balances.nextHold,
          };
    // Behind a checkpoint a start looks no further for calls without a row; and what a row says is changed once it is there.
    const takesRows = waited === undefined || checkpoint !== null || costs.length > 0 || this.areRowsDue(at);
    const rows = takesRows ? this.rows : [];
    this.text = "";
    if (takesRows) this.rows = [];
    this.jobs = [];
    this.costs = [];
    this.waited = undefined;
    const wasFailing = this.isBroken;
    this.state = "writing";
    this.parts.write({ block, rows, jobs, costs, checkpoint }).then(
      () => {
        if (block !== null) this.head = block;
        if (checkpoint !== null) {
          this.checkpointSeq = checkpoint.seq;
          this.checkpointAt = this.parts.clock.now();
          balances?.written();
        }
        for (const [job] of jobs) this.claimed.delete(job);
        if (wasFailing) this.recovered();
        waited?.resolve();
        this.next();
      },
      (error: Error) => {
        this.text = text + this.text;
        this.rows = rows.concat(this.rows);
        this.jobs = jobs.concat(this.jobs);
        this.costs = costs.concat(this.costs);
        if (!wasFailing) {
          this.parts.report(`The ledger cannot be written, so no request is taken: ${error.message}`);
        }
        this.state = "failing";
        this.isBroken = true;
        // Whoever waits now is refused: what they appended is tried again, and then taken back.
        waited?.reject(error);
        this.waited?.reject(error);
        this.waited = undefined;
        this.idle?.resolve();
        this.callOff = this.parts.timer.after(RETRY_MS, () => this.write());
      },
    );
  }

  private next(): void {
    this.state = "idle";
    if (this.waited !== undefined) this.writeSoon();
    else if (this.hasWork) this.gather();
    else this.idle?.resolve();
  }

  private areRowsDue(at: number): boolean {
    return this.rows.length >= ROWS_TOGETHER || at - this.rowsSince >= ROW_WAIT_MS;
  }

  private nextBlock(text: string, at: number): Block | null {
    // A checkpoint stands behind a block, be it an empty one.
    if (text === "" && !(this.head.seq > this.checkpointSeq && this.isCheckpointDue(at))) return null;
    return { seq: this.head.seq + 1, at, text, hash: chainHash(this.parts.key, this.head, at, text) };
  }

  private isCheckpointDue(at: number): boolean {
    return this.head.seq - this.checkpointSeq >= CHECKPOINT_BLOCKS || at - this.checkpointAt >= CHECKPOINT_MS;
  }

  private recovered(): void {
    this.isBroken = false;
    const lost = this.dropped > 0 ? ` ${this.dropped} refused requests left no row.` : "";
    this.parts.report(`The ledger can be written again.${lost}`);
    this.dropped = 0;
  }
}

/**
 * Whether a call may be in the ledger and not yet in the request log.
 * @param endedAt When its entry was made; its row is logged right behind it.
 * @param lastAt Of the last block.
 */
export function mayLackRow(endedAt: number, lastAt: number): boolean {
  // Twice: between the two the process may have stood still for a moment.
  return endedAt >= lastAt - 2 * ROW_WAIT_MS;
}

/** Of a block: HMAC-SHA256 over the hash of the one before, its own number and time, and its text. */
export function chainHash(key: Uint8Array, before: Head, at: number, text: string): Uint8Array {
  return (
    new Bun.CryptoHasher("sha256", key)
      .update(before.hash)
      .update(`${before.seq + 1} ${at}\n`)
      // By itself: put together, the whole block would be copied once more.
      .update(text)
      .digest()
  );
}

/** What the first block follows. */
export const GENESIS: Head = { seq: 0, hash: new Uint8Array(32) };
