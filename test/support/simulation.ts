/**
 * A world for the ledger: the production code with a clock, a disk and providers that exist only here, so that years,
 * crashes and broken disks pass in milliseconds, and again in the same way for the same seed.
 */

import type { Budget } from "../../src/domain/budget.ts";
import type { Clock, Timer } from "../../src/domain/clock.ts";
import type {
  AccountBalance,
  AccountId,
  Block,
  Checkpoint,
  Commit,
  LedgerTail,
} from "../../src/domain/ledger.ts";
import { spanAt } from "../../src/domain/period.ts";
import { type LedgerStore, StorageFailure } from "../../src/domain/store.ts";
import { parseRecords } from "../../src/ledger/records.ts";

/** Random numbers that come again with the same seed (mulberry32). */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed * 2_654_435_761;
  }

  /** From 0 up to, without, 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** From `least` to `most`, whole, both possible. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(things: readonly T[]): T {
    return things[this.between(0, things.length - 1)] as T;
  }
}

/** Time that passes only when nothing is left to do at the present moment. */
export class SimulatedTime implements Clock, Timer {
  private at: number;
  private readonly events: { at: number; order: number; work: () => void }[] = [];
  private order = 0;

  constructor(start: number) {
    this.at = start;
  }

  now(): number {
    return this.at;
  }

  after(ms: number, work: () => void): () => void {
    const event = { at: this.at + ms, order: this.order++, work };
    // A heap would be faster; there are a few hundred at a time.
    let index = this.events.length;
    while (index > 0 && isLater(event, this.events[index - 1])) index--;
    this.events.splice(index, 0, event);
    return () => {
      event.work = () => {};
    };
  }

  soon(work: () => void): void {
    this.after(0, work);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Goes on until there is nothing left to wait for, or `isOver` says so. */
  async run(isOver: () => boolean): Promise<void> {
    for (;;) {
      // All that follows at once from what has happened.
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.events.pop();
      if (next === undefined || isOver()) return;
      this.at = Math.max(this.at, next.at);
      next.work();
    }
  }
}

interface Event {
  at: number;
  order: number;
}

/** The next one is at the end. */
function isLater(a: Event, b: Event | undefined): boolean {
  return b !== undefined && (b.at < a.at || (b.at === a.at && b.order < a.order));
}

/** A disk: what was acknowledged stays, what was under way at a crash stays or does not. */
export class SimulatedStore implements LedgerStore {
  readonly blocks: Block[] = [];
  readonly accounts = new Map<AccountId, AccountBalance>();
  readonly rows: string[] = [];
  /** What the log says that each request cost. */
  readonly costs = new Map<string, bigint | null>();
  checkpoint: Checkpoint | null = null;
  /** Ids of holds that are on the disk. */
  readonly holds = new Set<number>();
  private readonly jobs = new Map<string, string>();
  /** Set at a crash: what is under way then is never acknowledged. */
  private generation = 0;
  /** Chance that a commit fails. */
  failing = 0;

  private readonly time: SimulatedTime;
  private readonly dice: Dice;

  constructor(time: SimulatedTime, dice: Dice) {
    this.time = time;
    this.dice = dice;
  }

  /** All processes up to now are dead: nothing of theirs is acknowledged, and nothing new is taken. */
  crash(): void {
    this.generation++;
  }

  /** The store as the process that is now started has it. */
  connect(): LedgerStore {
    const { generation } = this;
    return Object.assign(Object.create(this) as SimulatedStore, {
      commit: (commit: Commit) => this.commitOf(generation, commit),
    });
  }

  commit(commit: Commit): Promise<void> {
    return this.commitOf(this.generation, commit);
  }

  private commitOf(generation: number, commit: Commit): Promise<void> {
    if (this.generation !== generation) return new Promise(() => {});
    const mayFail = this.dice.chance(this.failing);
    return new Promise((resolve, reject) => {
      this.time.after(this.dice.between(0, 4), () => {
        const isLost = this.generation !== generation && this.dice.chance(0.5);
        if (!mayFail && !isLost) this.keep(commit);
        if (this.generation !== generation) return;
        if (mayFail) reject(new StorageFailure("the simulated disk is full"));
        else resolve();
      });
    });
  }

  private keep({ block, rows, jobs, costs, checkpoint }: Commit): void {
    if (block !== null && block.seq !== (this.blocks.at(-1)?.seq ?? 0) + 1)
      throw new Error(`block ${block.seq} does not follow`);
    if (block !== null) {
      this.blocks.push(block);
      for (const record of parseRecords(block.text))
        if (record.kind === "hold") this.holds.add(record.hold.id);
    }
    for (const { id, metered } of rows) {
      this.rows.push(id);
      this.costs.set(id, metered?.costNanos ?? null);
    }
    for (const { requestId, amount } of costs)
      if (this.costs.has(requestId)) this.costs.set(requestId, (this.costs.get(requestId) ?? 0n) + amount);
    for (const [job, id] of jobs) if (!this.jobs.has(job)) this.jobs.set(job, id);
    if (checkpoint === null) return;
    for (const account of checkpoint.accounts) this.accounts.set(account.id, account);
    this.checkpoint = { ...checkpoint, accounts: [] };
  }

  async readLedgerTail(): Promise<LedgerTail> {
    const seq = this.checkpoint?.seq ?? 0;
    const head = this.blocks.find((block) => block.seq === seq) ?? null;
    return { checkpoint: this.checkpoint, head, blocks: await this.readBlocks(seq, Number.MAX_SAFE_INTEGER) };
  }

  async readBlocks(after: number, limit: number): Promise<Block[]> {
    return this.blocks.filter(({ seq }) => seq > after).slice(0, limit);
  }

  async listAccounts(since: number): Promise<AccountBalance[]> {
    return [...this.accounts.values()].filter(({ end }) => end > since);
  }

  async readAccounts(ids: readonly AccountId[]): Promise<AccountBalance[]> {
    return ids.flatMap((id) => this.accounts.get(id) ?? []);
  }

  async claimJob(job: string, requestId: string): Promise<boolean> {
    if (this.jobs.has(job)) return false;
    this.jobs.set(job, requestId);
    return true;
  }

  async unclaimJobs(requestIds: readonly string[]): Promise<void> {
    for (const [job, id] of this.jobs) if (requestIds.includes(id)) this.jobs.delete(job);
  }

  async findUnlogged(requestIds: readonly string[]): Promise<string[]> {
    return requestIds.filter((id) => !this.costs.has(id));
  }
}

/** What calls really cost, reckoned without the ledger. */
export class Truth {
  /** Spent in each period of each budget. */
  readonly spent = new Map<AccountId, bigint>();
  /** By hold. */
  readonly costs = new Map<number, bigint>();
  /** By how much a budget was exceeded, at worst. */
  overshoot = 0n;

  /** @param at When the call was admitted: its period is that of this moment. */
  add(budgets: readonly Budget[], at: number, cost: bigint): void {
    for (const budget of budgets) {
      const { start } = spanAt(budget.period, at, "Europe/Berlin", budget.createdAt);
      const id = `${budget.id}@${start}`;
      const spent = (this.spent.get(id) ?? 0n) + cost;
      this.spent.set(id, spent);
      if (spent - budget.amount > this.overshoot) this.overshoot = spent - budget.amount;
    }
  }
}
