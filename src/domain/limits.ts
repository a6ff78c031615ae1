import type { Limits } from "./policy.ts";

/** What a scope's limits count in. */
export type LimitKind = "requests" | "tokens" | "concurrency";

/** A scope that limits its calls. What was counted belongs to its id, and outlives a change of its policy. */
export interface LimitedScope {
  /** `organisation`, `group:grp_x`, `user:usr_x`, `key:key_x`. */
  readonly id: string;
  /** For people: `group "research"`. */
  readonly label: string;
  readonly limits?: Limits;
  /** Counts and reports, and refuses nothing. */
  readonly shadow?: boolean;
}

/** What is known of a call before it is sent. */
export interface CallSize {
  readonly keyId: string;
  readonly model: string | null;
  /** False for calls that use no tokens, such as lists and files. */
  readonly usesTokens: boolean;
  readonly inputBytes: number;
  /** The most output tokens that the client asks for, where it says so. */
  readonly outputCap: number | null;
}

/** A limit that a call would exceed. */
export interface Exceeded {
  readonly scope: LimitedScope;
  readonly kind: LimitKind;
  readonly limit: number;
  /** What is left of it now. */
  readonly remaining: number;
  /** In how many milliseconds the call will fit, if nothing else comes; a guess for `concurrency`. */
  readonly retryAfterMs: number;
}

/** What a call was given. Ends once: what comes after the first end does nothing. */
export interface Permit {
  /** Shadow limits that would have refused it. */
  readonly exceeded: readonly Exceeded[];
  /**
   * The call is over.
   * @param used What it used, which takes the estimate's place; undefined where nobody knows.
   */
  release(used: TokensUsed | undefined): void;
  /** The call was never sent: nothing of it counts. */
  cancel(): void;
}

export interface TokensUsed {
  readonly total: number;
  readonly output: number;
}

export type Acquired = { readonly permit: Permit } | { readonly refused: Exceeded };

/**
 * Counts calls against limits: in memory here, elsewhere for several replicas. One contract suite runs against every
 * implementation.
 */
export interface Limiter {
  /**
   * Takes a call's share of every scope's limits, or of none; a promise where the counts are kept elsewhere.
   * @param scopes Those that have limits.
   * @param now Milliseconds of a clock that never goes back.
   */
  acquire(scopes: readonly LimitedScope[], call: CallSize, now: number): Acquired | Promise<Acquired>;
}
