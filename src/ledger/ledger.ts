import type { Budget } from "../domain/budget.ts";
import type { Clock, Timer } from "../domain/clock.ts";
import type {
  AccountBalance,
  AccountId,
  Correction,
  Costing,
  EndKind,
  HoldFacts,
  HoldRecord,
  RowCost,
} from "../domain/ledger.ts";
import { ceilDiv, type Nanos } from "../domain/money.ts";
import { type Span, spanAt } from "../domain/period.ts";
import { Roll } from "../domain/roll.ts";
import type { Evidence } from "../domain/usage.ts";
import { Account } from "./account.ts";
import type { Balances, Journal } from "./journal.ts";
import { accountText, correctionText, entryText, holdText, lostText, shrinkText } from "./records.ts";
import type { State } from "./replay.ts";

/** How long a call may wait for other calls' holds to end, milliseconds. */
const MAX_WAIT_MS = 5000;
/** Calls that may wait at a time; more are told to come again. */
const MAX_WAITERS = 1000;

/** What is left in the budgets that apply to a call together. */
export interface Room {
  /** The one with the least. */
  readonly budget: Budget;
  /** When its period ends, epoch milliseconds. */
  readonly until: number;
  /** What a call may cost at most, were no other call under way. */
  readonly left: Nanos;
  /** What is free of other calls' holds as well. */
  readonly free: Nanos;
}

/** A budget crossed one of its thresholds. */
export interface Crossing {
  readonly budget: Budget;
  readonly account: AccountId;
  /** Of the period. */
  readonly span: Span;
  readonly percent: number;
  readonly posted: Nanos;
}

/** How a budget stands in its current period. */
export interface Standing {
  readonly budget: Budget;
  readonly start: number;
  readonly end: number;
  readonly posted: Nanos;
  readonly pending: Nanos;
}

export interface LedgerParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly timer: Timer;
  /** How it stood when it was last written. */
  readonly state: State;
  readonly report: (message: string) => void;
  readonly onCrossing?: (crossing: Crossing) => void;
}

/**
 * Budgets, holds and entries, in memory; every change is in the journal before, or as, it counts.
 *
 * A budget's account says what is posted and what is pending. A hold makes its ceiling pending in all of its accounts
 * or in none; it ends once, and then exactly what it cost is posted. So posted and pending together never exceed a
 * budget, and posted does not either, while no call costs more than its ceiling.
 */
export class Ledger {
  private readonly budgets = new Map<string, Line>();
  private readonly accounts = new Map<AccountId, Account>();
  private readonly open = new Roll<Hold>();
  private readonly waiters = new Set<() => boolean>();
  private timeZone = "UTC";
  private nextHold: number;
  private readonly parts: LedgerParts;

  constructor(parts: LedgerParts) {
    this.parts = parts;
    this.nextHold = parts.state.nextHold;
    for (const balance of parts.state.accounts.values()) {
      const account = Account.of(balance);
      account.isChanged = parts.state.changed.has(balance.id);
      this.accounts.set(balance.id, account);
    }
    parts.journal.balances = () => this.checkpoint();
    // Whoever held these is gone: what they cost is not known, and stays reserved.
    for (const record of parts.state.open.values()) {
      this.adopt(record);
      if (!parts.state.lost.has(record.id)) parts.journal.append(lostText(record.id));
    }
  }

  /** What the administrator decided; accounts go on where they are. */
  setBudgets(budgets: Iterable<Budget>, timeZone: string): void {
    this.timeZone = timeZone;
    this.budgets.clear();
    for (const budget of budgets) {
      const crossings = budget.thresholds.map((percent) => ({
        percent,
        at: ceilDiv(budget.amount * BigInt(percent), 100n),
      }));
      this.budgets.set(budget.id, { budget, crossings, account: undefined });
    }
    this.retryWaiters();
  }

  /** @returns undefined where none of these budgets refuses anything. */
  roomIn(budgetIds: readonly string[]): Room | undefined {
    const now = this.parts.clock.now();
    let room: { -readonly [Part in keyof Room]: Room[Part] } | undefined;
    for (const id of budgetIds) {
      const line = this.budgets.get(id);
      if (line === undefined || line.budget.shadow) continue;
      const { posted, taken, span } = this.accountOf(line, now);
      const left = atLeastZero(line.budget.amount - posted);
      const free = atLeastZero(line.budget.amount - taken);
      if (room === undefined) room = { budget: line.budget, until: span.end, left, free };
      else {
        if (left < room.left) room.left = left;
        if (free < room.free) {
          room.budget = line.budget;
          room.until = span.end;
          room.free = free;
        }
      }
    }
    return room;
  }

  /**
   * Reserves a call's ceiling in all of these budgets, or in none.
   * The hold is not on the disk yet: see `Hold.durable`.
   * @param ceiling Null only where there are no budgets.
   * @returns undefined where a budget has not so much left.
   */
  reserve(facts: HoldFacts, budgetIds: readonly string[], ceiling: Nanos | null): Hold | undefined {
    const accounts: Account[] = [];
    let shadowed: Budget[] | undefined;
    if (ceiling !== null) {
      const now = this.parts.clock.now();
      for (const id of budgetIds) {
        const line = this.budgets.get(id);
        // Removed since the request was identified: nobody wants it kept any more.
        if (line === undefined) continue;
        const account = this.accountOf(line, now);
        const taken = account.taken + ceiling;
        if (taken > line.budget.amount) {
          if (!line.budget.shadow) {
            for (const one of accounts) one.taken -= ceiling;
            return undefined;
          }
          shadowed ??= [];
          shadowed.push(line.budget);
        }
        account.taken = taken;
        accounts.push(account);
      }
      for (const account of accounts) if (!account.isRecorded) this.record(account);
    }
    const hold = new Hold(this.nextHold++, facts, ceiling, accounts, this);
    if (shadowed !== undefined) hold.shadowed = shadowed;
    this.open.add(hold);
    hold.durable = this.parts.journal.appendDurably(holdText(hold.id, facts, ceiling, accounts));
    return hold;
  }

  /**
   * Waits until `attempt` succeeds, for as long as only other calls' holds are in the way.
   * @param attempt Tried whenever something was freed; returns what it reserved, or undefined.
   * @returns undefined where it did not in time.
   */
  whenFreed<T>(attempt: () => T | undefined): Promise<T | undefined> {
    if (this.waiters.size >= MAX_WAITERS) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const waiter = () => {
        const result = attempt();
        if (result === undefined) return false;
        callOff();
        resolve(result);
        return true;
      };
      const callOff = this.parts.timer.after(MAX_WAIT_MS, () => {
        this.waiters.delete(waiter);
        resolve(undefined);
      });
      this.waiters.add(waiter);
    });
  }

  /**
   * Calls `onCrossing` for every threshold that is reached in a current period, or in one that was written to since the
   * last checkpoint: the process before this one may have died between posting and telling.
   */
  tellReached(): void {
    const now = this.parts.clock.now();
    const current = [...this.budgets.values()].map((line) => this.accountOf(line, now));
    const changed = [...this.parts.state.changed].map((id) => this.accounts.get(id));
    for (const account of new Set([...current, ...changed])) {
      const line = account && this.budgets.get(account.budgetId);
      if (account !== undefined && line !== undefined) this.tell(account, line, 0n);
    }
  }

  /** Of every budget that the administrator has not removed. */
  standings(): Standing[] {
    const now = this.parts.clock.now();
    return [...this.budgets.values()].map((line) => {
      const account = this.accountOf(line, now);
      const { posted, pending } = account;
      return { budget: line.budget, ...account.span, posted, pending };
    });
  }

  /** @returns undefined for a budget that there is not. */
  standing(budgetId: string): Standing | undefined {
    const line = this.budgets.get(budgetId);
    if (line === undefined) return undefined;
    const account = this.accountOf(line, this.parts.clock.now());
    return { budget: line.budget, ...account.span, posted: account.posted, pending: account.pending };
  }

  /** Holds whose request died with its process, oldest first. */
  unresolved(): HoldRecord[] {
    return oldestFirst(this.open.all().filter((hold) => hold.isUnresolved)).map((hold) => hold.record);
  }

  /**
   * An owner's decision on an unresolved hold.
   * @returns false where there is no such hold.
   */
  async decide(holdId: number, amount: Nanos, reason?: string): Promise<boolean> {
    const hold = this.open.all().find(({ id }) => id === holdId);
    if (hold === undefined || !hold.isUnresolved) return false;
    const written = this.end(hold, "decided", amount, null, null, { reason });
    this.recost(hold, amount, "decided");
    await written;
    return true;
  }

  /** Ends what nobody resolved: at the end of its periods its ceiling is posted. */
  sweep(): void {
    const now = this.parts.clock.now();
    for (const hold of this.open.all()) {
      if (!hold.isUnresolved || now < endOfPatience(hold)) continue;
      void this.end(hold, "ceiling", hold.ceiling, "ceiling", null);
      if (hold.ceiling !== null) this.recost(hold, hold.ceiling, "ceiling");
    }
  }

  /** The log's row of an unresolved hold says nothing of a cost so far. */
  private recost({ facts }: Hold, amount: Nanos, evidence: Evidence): void {
    const { requestId, at } = facts;
    this.parts.journal.recost({ requestId, at, amount, evidence, priceBook: null });
  }

  /**
   * Changes what was posted for a hold that has ended.
   * @param accounts Balances as they are stored, where they may not be in memory any more.
   * @param row What changes with it in the request log.
   * @returns a promise that resolves when all of it is on the disk.
   */
  correct(correction: Correction, accounts: readonly AccountBalance[], row?: RowCost): Promise<void> {
    for (const balance of accounts) {
      if (!this.accounts.has(balance.id)) this.accounts.set(balance.id, Account.of(balance));
    }
    const corrected = correction.accounts.map((id) => {
      const account = this.accounts.get(id);
      if (account === undefined) throw new Error(`There is no account ${id}.`);
      return account;
    });
    for (const account of corrected) {
      account.taken += correction.amount;
      this.post(account, correction.amount);
    }
    if (correction.amount < 0n) this.retryWaiters();
    if (row !== undefined) this.parts.journal.recost(row);
    return this.parts.journal.appendDurably(correctionText(correction));
  }

  /** @internal Called by its holds. */
  shrink(hold: Hold, ceiling: Nanos): void {
    const freed = (hold.ceiling ?? 0n) - ceiling;
    for (const account of hold.accounts) account.taken -= freed;
    this.parts.journal.append(shrinkText(hold.id, ceiling));
    this.retryWaiters();
  }

  /** @internal Called by its holds. */
  end(
    hold: Hold,
    kind: EndKind,
    amount: Nanos | null,
    evidence: Evidence | null,
    costing: Costing | null,
    decision?: { readonly reason: string | undefined },
  ): Promise<void> | undefined {
    this.open.delete(hold);
    const ceiling = hold.ceiling ?? 0n;
    const posted = amount ?? (hold.accounts.length > 0 ? ceiling : null);
    if (hold.accounts.length > 0) {
      const cost = posted ?? 0n;
      const freed = ceiling - cost;
      for (const account of hold.accounts) {
        account.taken -= freed;
        this.post(account, cost);
      }
    }
    const text = entryText({
      holdId: hold.id,
      at: this.parts.clock.now(),
      kind,
      amount: posted,
      evidence,
      costing,
      reason: decision?.reason,
    });
    const written =
      decision !== undefined ? this.parts.journal.appendDurably(text) : this.parts.journal.append(text);
    if (hold.accounts.length > 0) this.retryWaiters();
    return written ?? undefined;
  }

  /** Tells the journal of an account that it does not know. */
  private record(account: Account): void {
    account.isRecorded = true;
    account.isChanged = true;
    this.parts.journal.append(accountText(account.balance));
  }

  private accountOf(line: Line, now: number): Account {
    const { account, budget } = line;
    if (account !== undefined && now >= account.span.start && now < account.span.end) return account;
    const span = spanAt(budget.period, now, this.timeZone, budget.createdAt);
    const id: AccountId = `${budget.id}@${span.start}`;
    const found = this.accounts.get(id) ?? new Account(id, budget.id, span, 0n);
    this.accounts.set(id, found);
    line.account = found;
    return found;
  }

  /** Adds to what is posted; whoever calls it has taken it, too. */
  private post(account: Account, amount: Nanos): void {
    account.isChanged = true;
    if (amount === 0n) return;
    const before = account.posted;
    account.posted += amount;
    const line = this.budgets.get(account.budgetId);
    if (line === undefined) return;
    const { budget } = line;
    if (!budget.shadow && account.posted > budget.amount && before <= budget.amount) {
      this.parts.report(
        `The budget ${budget.name} is exceeded: a call cost more than the most it was thought to cost.`,
      );
    }
    this.tell(account, line, before);
  }

  /** @param before What was posted when it was last told. */
  private tell({ id, span, posted }: Account, { budget, crossings }: Line, before: Nanos): void {
    for (const { percent, at } of crossings) {
      if (before < at && posted >= at)
        this.parts.onCrossing?.({ budget, account: id, span, percent, posted });
    }
  }

  private retryWaiters(): void {
    if (this.waiters.size === 0) return;
    for (const waiter of [...this.waiters]) if (waiter()) this.waiters.delete(waiter);
  }

  private adopt(record: HoldRecord): void {
    const accounts = record.accounts.map((id) => {
      const account = this.accounts.get(id);
      if (account === undefined) throw new Error(`The ledger has a hold in an account that it lost: ${id}.`);
      return account;
    });
    for (const account of accounts) account.taken += record.ceiling ?? 0n;
    const hold = new Hold(record.id, record, record.ceiling, accounts, this);
    hold.isUnresolved = true;
    this.open.add(hold);
  }

  private checkpoint(): Balances {
    const changed = [...this.accounts.values()].filter((account) => account.isChanged);
    const accounts = changed.map((account) => account.balance);
    let open = "";
    for (const hold of this.open.all()) {
      open += holdText(hold.id, hold.facts, hold.ceiling, hold.accounts);
      if (hold.isUnresolved) open += lostText(hold.id);
    }
    const written = () => {
      for (const [index, account] of changed.entries()) {
        // It may have changed again meanwhile.
        account.isChanged = account.posted !== accounts[index]?.posted;
      }
    };
    return { accounts, open, nextHold: this.nextHold, written };
  }
}

/** A budget and its account of the moment. */
interface Line {
  readonly budget: Budget;
  /** Its thresholds, and what must be posted to reach each. */
  readonly crossings: readonly { readonly percent: number; readonly at: Nanos }[];
  account: Account | undefined;
}

const DAY_MS = 24 * 3_600_000;
/** In a budget that never ends nothing becomes free; by then the provider's bill has come. */
const ENDLESS_MS = 31 * DAY_MS;

/** Until when an unresolved hold waits for somebody's decision, epoch milliseconds. */
function endOfPatience({ accounts, facts }: Hold): number {
  // It takes nothing from anybody, and posts nothing.
  if (accounts.length === 0) return facts.at + DAY_MS;
  const ends = accounts.map(({ span }) => (Number.isFinite(span.end) ? span.end : facts.at + ENDLESS_MS));
  return Math.max(...ends);
}

const WRITTEN = Promise.resolve();
const NO_BUDGETS: readonly Budget[] = [];

/** A call's reservation, from before its first byte to what it cost. */
export class Hold {
  readonly id: number;
  readonly facts: HoldFacts;
  readonly accounts: readonly Account[];
  ceiling: Nanos | null;
  /** Resolves when the hold is on the disk: nothing is sent before. */
  durable: Promise<void> = WRITTEN;
  isUnresolved = false;
  /** See `Roll`. */
  place = -1;
  /** Budgets in shadow mode that have not so much left. */
  shadowed: readonly Budget[] = NO_BUDGETS;
  private hasEnded = false;
  private readonly ledger: Ledger;

  constructor(
    id: number,
    facts: HoldFacts,
    ceiling: Nanos | null,
    accounts: readonly Account[],
    ledger: Ledger,
  ) {
    this.id = id;
    this.facts = facts;
    this.ceiling = ceiling;
    this.accounts = accounts;
    this.ledger = ledger;
  }

  get record(): HoldRecord {
    const { id, facts, ceiling, accounts } = this;
    return { ...facts, id, ceiling, accounts: accounts.map((account) => account.id) };
  }

  /** Frees what it can no longer cost; never takes more. */
  shrink(ceiling: Nanos): void {
    if (this.hasEnded || this.ceiling === null || ceiling >= this.ceiling) return;
    this.ledger.shrink(this, ceiling);
    this.ceiling = ceiling;
  }

  /**
   * Posts what it cost; only the first end of a hold counts.
   * @param amount Null where no price is known, which posts the ceiling in its accounts.
   */
  settle(amount: Nanos | null, evidence: Evidence, costing: Costing | null): void {
    if (!this.isFirstEnd()) return;
    void this.ledger.end(this, evidence === "ceiling" ? "ceiling" : "settled", amount, evidence, costing);
  }

  /** Nothing was sent for it. */
  void(): void {
    if (!this.isFirstEnd()) return;
    void this.ledger.end(this, "voided", 0n, null, null);
  }

  private isFirstEnd(): boolean {
    if (this.hasEnded) return false;
    this.hasEnded = true;
    return true;
  }
}

function oldestFirst(holds: Hold[]): Hold[] {
  return holds.sort((one, other) => one.id - other.id);
}

function atLeastZero(amount: Nanos): Nanos {
  return amount > 0n ? amount : 0n;
}
