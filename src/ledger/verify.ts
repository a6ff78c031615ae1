import type { AccountBalance, AccountId, Block, Entry, HoldRecord } from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import { chainHash, GENESIS, type Head } from "./journal.ts";
import { type LedgerRecord, parseRecords } from "./records.ts";
import { apply, type State, stateOf } from "./replay.ts";

/** What is wrong, and where. */
export interface Finding {
  /** The block's number; null for what is not in a block. */
  readonly block: number | null;
  readonly what: string;
}

/** What the ledger comes to when it is read from its beginning. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly blocks: number;
  readonly holds: number;
  readonly entries: number;
  /** Holds that have not ended. */
  readonly open: number;
  /** All that was posted, each call once. */
  readonly total: Nanos;
  readonly head: Head;
}

export interface Verification {
  /** Of the chain. */
  readonly key: Uint8Array;
  /** Works out again what a settled call cost; null where no price is known, undefined where its prices are gone. */
  readonly costOf: (entry: Entry, hold: HoldRecord) => Nanos | null | undefined;
}

/** Reads the ledger from its beginning, block by block, and finds whatever in it cannot be. */
export class Verifier {
  private readonly state: State = stateOf([], "", 1);
  private readonly findings: Finding[] = [];
  /** Attempts that have a hold: `<request>#<attempt>`. */
  private readonly attempts = new Set<string>();
  private head: Head = GENESIS;
  private holds = 0;
  private entries = 0;
  private total = 0n;
  private readonly setting: Verification;

  constructor(setting: Verification) {
    this.setting = setting;
  }

  /** @param block The one behind the last. */
  read(block: Block): void {
    const { seq, at, text, hash } = block;
    if (seq !== this.head.seq + 1)
      this.find(seq, `the blocks between ${this.head.seq} and ${seq} are missing`);
    else if (!Buffer.from(chainHash(this.setting.key, this.head, at, text)).equals(hash))
      this.find(seq, "its text, time or place is not what was written");
    this.head = block;
    let records: LedgerRecord[];
    try {
      records = parseRecords(text);
    } catch {
      this.find(seq, "it holds something that is no record");
      return;
    }
    for (const record of records) this.take(seq, record);
  }

  /**
   * @param accounts As they are stored, at the checkpoint of that block.
   * @param through The block.
   */
  compare(accounts: Iterable<AccountBalance>, through: number): void {
    if (through !== this.head.seq) return;
    for (const { id, posted } of accounts) {
      const real = this.state.accounts.get(id)?.posted;
      if (real === undefined) this.find(null, `account ${id} stands in no block`);
      else if (real !== posted)
        this.find(null, `account ${id} says ${posted}, and its entries come to ${real}`);
    }
  }

  /** @param head One that was kept elsewhere: a ledger that ends before it was cut off. */
  verdict(head?: Head): Verdict {
    if (head !== undefined && head.seq > this.head.seq)
      this.find(null, `it ends with block ${this.head.seq}, but had ${head.seq} once`);
    const { findings, holds, entries, total, state } = this;
    return { findings, blocks: this.head.seq, holds, entries, open: state.open.size, total, head: this.head };
  }

  private take(block: number, record: LedgerRecord): void {
    if (record.kind === "hold") this.takeHold(block, record.hold);
    if (record.kind === "end") this.takeEntry(block, record.entry, this.state.open.get(record.entry.holdId));
    if (record.kind === "correct") this.total += record.correction.amount;
    const problem = apply(this.state, record);
    if (problem !== undefined) this.find(block, problem);
  }

  private takeHold(block: number, { requestId, attempt, accounts, ceiling, id }: HoldRecord): void {
    this.holds++;
    const name = `${requestId}#${attempt}`;
    if (this.attempts.has(name)) this.find(block, `attempt ${attempt} of request ${requestId} has two holds`);
    this.attempts.add(name);
    if (accounts.length > 0 && ceiling === null) this.find(block, `hold ${id} reserves nothing`);
  }

  private takeEntry(block: number, entry: Entry, hold: HoldRecord | undefined): void {
    this.entries++;
    this.total += entry.amount ?? 0n;
    if (hold === undefined) return;
    const { kind, amount, costing, holdId } = entry;
    if (kind === "voided" && amount !== 0n) this.find(block, `hold ${holdId} was voided and cost something`);
    if (kind === "ceiling" && amount !== hold.ceiling)
      this.find(block, `hold ${holdId} posted ${amount}, and its ceiling is ${hold.ceiling}`);
    if (kind !== "settled" || costing === null) return;
    const cost = this.setting.costOf(entry, hold);
    if (cost === undefined) this.find(block, `the prices of hold ${holdId} (${costing.priceBook}) are gone`);
    else if (cost !== amount)
      this.find(block, `hold ${holdId} posted ${amount}, and its usage costs ${cost}`);
  }

  private find(block: number | null, what: string): void {
    // A ledger that was rewritten has something wrong everywhere.
    if (this.findings.length < MAX_FINDINGS) this.findings.push({ block, what });
  }

  /** What each account comes to. */
  get balances(): ReadonlyMap<AccountId, AccountBalance> {
    return this.state.accounts;
  }
}

const MAX_FINDINGS = 100;
