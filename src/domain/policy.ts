import type { Budget } from "./budget.ts";
import type { LeakedKeys } from "./leak.ts";

/**
 * Where a policy stands. All scopes of a call apply together, and the strictest wins: the organisation's, its group's,
 * its user's and its key's.
 */
export type ScopeKind = "organisation" | "group" | "user" | "key";

export interface Scope {
  readonly kind: ScopeKind;
  /** Of the group, user or key; empty for the organisation. */
  readonly id: string;
}

/** What a scope's calls may do. What is absent, or an empty list, restricts nothing. */
export interface Policy {
  /** Ids. */
  readonly providers?: readonly string[];
  /** `<methods> /<provider>/<path>`, for example `GET,POST /openai/v1/files/**`; `*` for any method. */
  readonly endpoints?: readonly string[];
  /** Names, `*` for any characters; with a provider in front where another has models of that name: `openai/gpt-5*`. */
  readonly models?: readonly string[];
  /** CIDR blocks or single addresses that calls may come from. */
  readonly networks?: readonly string[];
  /** No call from then on, epoch milliseconds. */
  readonly expiresAt?: number;
  readonly limits?: Limits;
  /** Whose files, batches, threads... its calls may use; `own` where no scope says more. */
  readonly sharing?: Sharing;
  /** How many active keys a user may make without an administrator; the fewest that a scope says, else any number. */
  readonly ownKeys?: number;
  /** Whether the gateway may cap an answer that has no cap, so that it fits into a budget; it may where no scope says no. */
  readonly capOutput?: boolean;
  /** Whether a cap of the client's own may be lowered, so that the call fits into a budget; no, unless a scope says so. */
  readonly lowerCaps?: boolean;
  /** Whether work may be started whose cost shows only later, and may then exceed a budget; no, unless a scope says so. */
  readonly deferred?: boolean;
  /** What becomes of its keys that are seen in a prompt or a URL; they are reported where no scope says `freeze`. */
  readonly leakedKeys?: LeakedKeys;
  /** Counts and reports what would be refused, and refuses nothing of it. */
  readonly shadow?: boolean;
}

export type Sharing = "own" | "group" | "all";

/** Estimates that protect providers: only budgets are promises. */
export interface Limits {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly concurrentRequests?: number;
}

/** A scope's policy and its budgets, as they are stored. */
export interface ScopePolicy {
  readonly scope: Scope;
  readonly policy: Policy;
  readonly budgets: readonly Budget[];
  /** Counts the changes. */
  readonly version: number;
}

/** A scope's new state, whole. */
export interface ScopeChange {
  readonly scope: Scope;
  /** The version that is changed; 0 where the scope has had none. */
  readonly version: number;
  readonly policy: Policy;
  readonly budgets: readonly Budget[];
}

/** A budget with where it stands; removed ones stay, because what was spent refers to them. */
export interface StoredBudget extends Budget {
  readonly scope: Scope;
  /** Epoch milliseconds; null while it is in force. */
  readonly removedAt: number | null;
}
