import type { MasterKey } from "./directory.ts";
import type { Nanos } from "./money.ts";
import type { Scope, ScopeChange } from "./policy.ts";

/**
 * A master key that the holder of another one made for a short while: all that restricts its parent restricts it, too,
 * and it ends with its parent. What restricts it alone is its own scope's policy and budget.
 */
export interface ChildKey extends MasterKey {
  parent: NonNullable<MasterKey["parent"]>;
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** What its maker wants of it. */
interface ChildWish {
  /** All that its calls may cost together; null where only its parent's budgets bound it. */
  readonly budget: Nanos | null;
  /** Ids of providers; empty for all that its parent may use. */
  readonly providers: readonly string[];
}

/** How many of them there may be. */
export interface ChildLimits {
  /** Alive at a time, of one parent. */
  readonly ofParent: number;
  /** Alive at a time, of one user. */
  readonly ofUser: number;
  /** Made in a minute, of one user. */
  readonly perMinute: number;
}

export const childLimits: ChildLimits = { ofParent: 50, ofUser: 200, perMinute: 60 };

/** Generations below a key that an administrator made. */
export const MAX_GENERATIONS = 3;
export const MAX_LIFETIME_MS = 7 * 86_400_000;

/** There are as many child keys as there may be. */
export class TooManyChildren extends Error {
  override name = "TooManyChildren";
}

const HOUR_MS = 3_600_000;

/**
 * The child's own scope.
 * @param budgetId Used where it has a budget.
 */
export function childScope(key: ChildKey, wish: ChildWish, budgetId: string): ScopeChange {
  const scope: Scope = { kind: "key", id: key.id };
  const policy = wish.providers.length === 0 ? {} : { providers: wish.providers };
  if (wish.budget === null) return { scope, version: 0, policy, budgets: [] };
  // A window of hours that the key does not outlive, so that what was left unresolved in it ends, too. It begins an
  // hour ago: a clock that is set back must not find an earlier window with nothing spent.
  const hours = Math.ceil((key.expiresAt - key.createdAt) / HOUR_MS) + 1;
  const budget = {
    id: budgetId,
    name: "run",
    amount: wish.budget,
    period: { kind: "hours", hours },
    provider: null,
    model: null,
    thresholds: [],
    shadow: false,
    createdAt: key.createdAt - HOUR_MS,
  } as const;
  return { scope, version: 0, policy, budgets: [budget] };
}
