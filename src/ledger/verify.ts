import type {
  AccountBalance,
  AccountId,
  Block,
  Checkpoint,
  Correction,
  Costing,
  Entry,
  HoldRecord,
} from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import type { Finding } from "./finding.ts";
import { chainHash, GENESIS, type Head } from "./journal.ts";
import { type LedgerRecord, parseRecords } from "./records.ts";
import { apply, type State, stateOf } from "./replay.ts";
import type { LogVerifier } from "./verify-log.ts";

/** What the ledger comes to when it is read from its beginning. */
export interface Verdict {
  readonly findings: readonly Finding[];
  /** Found, and not among `findings`: they are too many. */
  readonly more: number;
  readonly blocks: number;
  readonly holds: number;
  readonly entries: number;
  /** Holds that have not ended. */
  readonly open: number;
  /** All that was posted, each call once. */
  readonly total: Nanos;
  /** Costs that were worked out again. */
  readonly recomputed: number;
  /** Costs that this version would work out otherwise: an older one did, by rules of its own. */
  readonly notRecomputable: number;
  readonly head: Head;
}

/** A cost that was worked out again; null where no price is known. */
export type Recomputed = { readonly cost: Nanos | null } | "gone" | "not recomputable";

export interface Verification {
  /** Of the chain. */
  readonly key: Uint8Array;
  readonly costOf: (costing: Costing, hold: HoldRecord, priceBook: string) => Recomputed;
  /** Ids of the holds that are corrected somewhere in the ledger. */
  readonly corrected?: ReadonlySet<number>;
  /** Balances beside the blocks, and the checkpoint that they are of; null where there has been none. */
  readonly stored?: { readonly accounts: readonly AccountBalance[]; readonly checkpoint: Checkpoint | null };
  /** One that was kept elsewhere: a ledger that ends before it was cut off. */
  readonly head?: Head | undefined;
  /** Compares with the request log. */
  readonly log?: LogVerifier;
}

/** A hold that has ended and is corrected later. */
interface Ended {
  readonly hold: HoldRecord;
  readonly costing: Costing | null;
  posted: Nanos;
}

/** Reads the ledger from its beginning, block by block, and finds whatever in it cannot be. */
export class Verifier {
  private readonly state: State = stateOf([], "", 1);
  private readonly findings: Finding[] = [];
  private more = 0;
  /** Attempts that have a hold: `<request>#<attempt>`. */
  private readonly attempts = new Set<string>();
  private readonly ended = new Map<number, Ended>();
  private head: Head = GENESIS;
  private lastAt = 0;
  private wasCompared = false;
  private holds = 0;
  private entries = 0;
  private total = 0n;
  private recomputed = 0;
  private notRecomputable = 0;
  private readonly setting: Verification;

  constructor(setting: Verification) {
    this.setting = setting;
  }

  /** @param block The one behind the last. */
  read(block: Block): void {
    const { seq, at, text, hash } = block;
    const kept = this.setting.head;
    if (seq !== this.head.seq + 1) this.find(seq, null, missing(this.head.seq, seq));
    else if (!Buffer.from(chainHash(this.setting.key, this.head, at, text)).equals(hash))
      this.find(seq, null, "its text, time or place is not what was written");
    if (kept?.seq === seq && !Buffer.from(kept.hash).equals(hash))
      this.find(seq, null, "it is another one than when its head was kept");
    this.head = block;
    this.lastAt = at;
    this.takeAll(seq, text);
    const { accounts = [], checkpoint = null } = this.setting.stored ?? {};
    if (checkpoint?.seq === seq) this.compare(accounts, checkpoint);
  }

  private takeAll(seq: number, text: string): void {
    let records: LedgerRecord[];
    try {
      records = parseRecords(text);
    } catch {
      this.find(seq, null, "it holds something that is no record");
      return;
    }
    for (const record of records) {
      try {
        this.take(seq, record);
      } catch {
        this.find(seq, null, "it holds a record that lacks something");
      }
    }
  }

  private compare(accounts: readonly AccountBalance[], checkpoint: Checkpoint): void {
    this.wasCompared = true;
    const stored = new Map(accounts.map((account) => [account.id, account]));
    for (const [id, real] of this.state.accounts) {
      const account = stored.get(id);
      if (account === undefined) this.find(null, null, `account ${id} is not stored any more`);
      else if (account.posted !== real.posted)
        this.find(null, null, `account ${id} says ${account.posted}, and its entries come to ${real.posted}`);
      else if (!isSamePeriod(account, real)) this.find(null, null, `account ${id} is of another period`);
    }
    for (const id of stored.keys())
      if (!this.state.accounts.has(id)) this.find(null, null, `account ${id} stands in no block`);
    this.compareOpen(checkpoint);
  }

  private compareOpen({ open, nextHold }: Checkpoint): void {
    let stored: State;
    try {
      stored = stateOf([], open, nextHold);
    } catch {
      this.find(null, null, "the checkpoint's open holds are no records");
      return;
    }
    for (const [id, hold] of this.state.open) {
      const same = stored.open.get(id);
      if (same === undefined) this.find(null, id, `hold ${id} is open, and the checkpoint does not have it`);
      else if (JSON.stringify(same, withBigints) !== JSON.stringify(hold, withBigints))
        this.find(null, id, `hold ${id} is another one in the checkpoint`);
      else if (stored.lost.has(id) !== this.state.lost.has(id))
        this.find(null, id, `the checkpoint does not say rightly whether hold ${id} is unresolved`);
    }
    for (const id of stored.open.keys())
      if (!this.state.open.has(id)) this.find(null, id, `hold ${id} is not open, and the checkpoint has it`);
    if (nextHold < this.state.nextHold) this.find(null, null, "the checkpoint gives holds' ids twice");
  }

  /** Something that is wrong elsewhere than in a block. */
  note(what: string): void {
    this.find(null, null, what);
  }

  verdict(): Verdict {
    const { head: kept, log, stored } = this.setting;
    if (stored?.checkpoint === null && stored.accounts.length > 0)
      this.find(null, null, "the checkpoint is gone");
    if (stored?.checkpoint && !this.wasCompared)
      this.find(
        null,
        null,
        `the checkpoint stands behind block ${stored.checkpoint.seq}, which is not there`,
      );
    if (kept !== undefined && kept.seq > this.head.seq)
      this.find(null, null, `the ledger ends with block ${this.head.seq}, but had block ${kept.seq} once`);
    for (const { block, hold, what } of log?.findings(stored?.checkpoint?.seq ?? 0, this.lastAt) ?? [])
      this.find(block, hold, what);
    const { findings, more, holds, entries, total, recomputed, notRecomputable, state, head } = this;
    const open = state.open.size;
    const blocks = head.seq;
    return { findings, more, blocks, holds, entries, open, total, recomputed, notRecomputable, head };
  }

  private take(block: number, record: LedgerRecord): void {
    if (record.kind === "hold") this.takeHold(block, record.hold);
    if (record.kind === "end") {
      const { holdId } = record.entry;
      this.takeEntry(block, record.entry, this.state.open.get(holdId), this.state.lost.has(holdId));
    }
    if (record.kind === "correct") this.takeCorrection(block, record.correction);
    const problem = apply(this.state, record);
    if (problem !== undefined) this.find(block, holdOf(record), problem);
  }

  private takeHold(block: number, { requestId, attempt, accounts, ceiling, id }: HoldRecord): void {
    this.holds++;
    const name = `${requestId}#${attempt}`;
    if (this.attempts.has(name))
      this.find(block, id, `attempt ${attempt} of request ${requestId} has two holds`);
    this.attempts.add(name);
    if (accounts.length > 0 && ceiling === null) this.find(block, id, `hold ${id} reserves nothing`);
  }

  private takeEntry(block: number, entry: Entry, hold: HoldRecord | undefined, wasLost: boolean): void {
    this.entries++;
    this.total += entry.amount ?? 0n;
    if (hold === undefined) return;
    const { kind, amount, costing, holdId } = entry;
    this.setting.log?.entry(block, entry, hold, wasLost);
    if (this.setting.corrected?.has(holdId)) this.ended.set(holdId, { hold, costing, posted: amount ?? 0n });
    if (kind === "voided" && amount !== 0n)
      this.find(block, holdId, `hold ${holdId} was voided and cost something`);
    // Without a budget nothing was reserved, and what it can have cost was worked out at its end.
    if (kind === "ceiling" && hold.ceiling !== null && amount !== hold.ceiling)
      this.find(block, holdId, `hold ${holdId} posted ${amount}, and its ceiling is ${hold.ceiling}`);
    if (kind === "settled" && costing !== null)
      this.recompute(block, hold, costing, costing.priceBook, amount);
  }

  private takeCorrection(block: number, { holdId, accounts, amount, priceBook }: Correction): void {
    this.total += amount;
    const ended = this.ended.get(holdId);
    if (ended === undefined) {
      this.find(block, holdId, `hold ${holdId} is corrected, and had not ended`);
      return;
    }
    const { hold, costing } = ended;
    ended.posted += amount;
    this.setting.log?.correction(block, hold, amount);
    if (accounts.join() !== hold.accounts.join())
      this.find(block, holdId, `hold ${holdId} is corrected in other accounts than its own`);
    if (priceBook === null) return;
    if (costing === null)
      this.find(block, holdId, `hold ${holdId} is repriced, and nobody knows what it used`);
    else this.recompute(block, hold, costing, priceBook, ended.posted);
  }

  private recompute(
    block: number,
    hold: HoldRecord,
    costing: Costing,
    priceBook: string,
    posted: Nanos | null,
  ): void {
    const recomputed = this.setting.costOf(costing, hold, priceBook);
    if (recomputed === "not recomputable") this.notRecomputable++;
    else if (recomputed === "gone")
      this.find(block, hold.id, `the prices of hold ${hold.id} (book ${priceBook}) are gone`);
    else {
      this.recomputed++;
      if (recomputed.cost === posted) return;
      this.find(block, hold.id, `hold ${hold.id} posted ${posted}, and its usage costs ${recomputed.cost}`);
    }
  }

  private find(block: number | null, hold: number | null, what: string): void {
    // A ledger that was rewritten has something wrong everywhere.
    if (this.findings.length < MAX_FINDINGS) this.findings.push({ block, hold, what });
    else this.more++;
  }

  /** What each account comes to. */
  get balances(): ReadonlyMap<AccountId, AccountBalance> {
    return this.state.accounts;
  }
}

const MAX_FINDINGS = 100;

function missing(before: number, seq: number): string {
  return seq <= before
    ? `it stands in place of block ${before + 1}`
    : `the blocks between ${before} and ${seq} are missing`;
}

function isSamePeriod(a: AccountBalance, b: AccountBalance): boolean {
  return a.budgetId === b.budgetId && a.start === b.start && a.end === b.end;
}

function holdOf(record: LedgerRecord): number | null {
  if (record.kind === "account") return null;
  if (record.kind === "hold") return record.hold.id;
  if (record.kind === "end") return record.entry.holdId;
  return record.kind === "correct" ? record.correction.holdId : record.holdId;
}

function withBigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
