import type { AccountBalance, AccountId, HoldRecord } from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import { type LedgerRecord, parseRecords } from "./records.ts";

/** What the ledger's records amount to. */
export interface State {
  readonly accounts: Map<AccountId, AccountBalance>;
  /** Those that a record changed: their stored balances are older. */
  readonly changed: Set<AccountId>;
  /** Holds that have not ended. */
  readonly open: Map<number, HoldRecord>;
  /** Those of them whose process is known to be gone. */
  readonly lost: Set<number>;
  /** Greater than all holds' ids so far. */
  nextHold: number;
}

/** The state right behind a checkpoint; behind none, that of an empty ledger. */
export function stateOf(accounts: Iterable<AccountBalance>, open: string, nextHold: number): State {
  const state: State = {
    accounts: new Map(),
    changed: new Set(),
    open: new Map(),
    lost: new Set(),
    nextHold,
  };
  for (const account of accounts) state.accounts.set(account.id, account);
  for (const record of parseRecords(open)) {
    if (record.kind === "hold") state.open.set(record.hold.id, record.hold);
    else if (record.kind === "lost") state.lost.add(record.holdId);
  }
  return state;
}

/**
 * Changes the state as the record says.
 * @returns What is wrong with a record that cannot follow the ones before it; undefined where nothing is.
 */
export function apply(state: State, record: LedgerRecord): string | undefined {
  if (record.kind === "account") {
    const { account } = record;
    // The balance of one that was there already stays.
    if (!state.accounts.has(account.id)) state.accounts.set(account.id, account);
    state.changed.add(account.id);
    return undefined;
  }
  if (record.kind === "hold") return begin(state, record.hold);
  if (record.kind === "correct") {
    const { accounts, amount, holdId } = record.correction;
    return post(state, accounts, amount) ? undefined : `the correction of hold ${holdId} has no account`;
  }
  const id = record.kind === "end" ? record.entry.holdId : record.holdId;
  const hold = state.open.get(id);
  if (hold === undefined) return `hold ${id} ends, shrinks or is lost without being open`;
  if (record.kind === "lost") {
    state.lost.add(id);
    return undefined;
  }
  if (record.kind === "shrink") {
    state.open.set(id, { ...hold, ceiling: record.ceiling });
    return hold.ceiling === null || record.ceiling > hold.ceiling ? `hold ${id} grows` : undefined;
  }
  state.open.delete(id);
  state.lost.delete(id);
  const { amount } = record.entry;
  if (hold.accounts.length > 0 && amount === null) return `hold ${id} posts no amount to its budgets`;
  return post(state, hold.accounts, amount ?? 0n) ? undefined : `hold ${id} has an account that never began`;
}

function begin(state: State, hold: HoldRecord): string | undefined {
  const isNew = hold.id >= state.nextHold;
  state.open.set(hold.id, hold);
  state.nextHold = Math.max(state.nextHold, hold.id + 1);
  return isNew ? undefined : `hold ${hold.id} begins twice`;
}

function post(state: State, accounts: readonly AccountId[], amount: Nanos): boolean {
  let isKnown = true;
  for (const id of accounts) {
    const account = state.accounts.get(id);
    if (account === undefined) isKnown = false;
    else state.accounts.set(id, { ...account, posted: account.posted + amount });
    state.changed.add(id);
  }
  return isKnown;
}
