import type { Nanos } from "./money.ts";
import type { RequestRecord } from "./request-record.ts";
import type { Evidence, Quantities } from "./usage.ts";

/** An attempt to forward a request, as the ledger names it. */
export interface HoldFacts {
  readonly requestId: string;
  /** From 1. */
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly keyId: string;
  readonly userId: string;
  readonly groupId: string;
  readonly provider: string;
  readonly method: string;
  readonly endpoint: string;
  readonly model: string | null;
}

/** A budget in one of its periods: `<budget id>@<start of the period>`. */
export type AccountId = string;

/** What is reserved before anything is forwarded. */
export interface HoldRecord extends HoldFacts {
  readonly id: number;
  /** The most that it can cost, as far as that is known by now; null where nobody asked, since no budget applies. */
  readonly ceiling: Nanos | null;
  /** Those that it reserves its ceiling in, and its cost is posted to. */
  readonly accounts: readonly AccountId[];
}

/**
 * How a hold ended: `settled` for what it cost, `voided` because nothing was sent, `ceiling` where nobody can say what
 * it cost, `decided` by an owner.
 */
export type EndKind = "settled" | "voided" | "ceiling" | "decided";

/** A hold's one and only end. */
export interface Entry {
  readonly holdId: number;
  readonly at: number;
  readonly kind: EndKind;
  /** Null where no price is known; never null where the hold has accounts. */
  readonly amount: Nanos | null;
  readonly evidence: Evidence | null;
  /** What the amount was computed from, where it was. */
  readonly costing: Costing | null;
  /** Why it was decided so, where somebody decided. */
  readonly reason?: string | undefined;
}

/** All that a cost is computed from: with it and the price book, anybody can do it again. */
export interface Costing {
  readonly priceBook: string;
  /** One a model that was used. The first is the one that answered. */
  readonly uses: readonly ModelUse[];
  readonly serviceTier: string | null;
  readonly region: string | null;
  /** What the provider itself says. */
  readonly reportedCost: Nanos | null;
}

export interface ModelUse {
  /** The name that its price is found by. */
  readonly model: string;
  readonly quantities: Quantities;
}

/** Changes what an entry posted; entries themselves never change. */
export interface Correction {
  readonly holdId: number;
  readonly at: number;
  /** Added to what was posted; negative to take back. */
  readonly amount: Nanos;
  readonly accounts: readonly AccountId[];
  readonly reason: string;
  /** Where it makes the sum what the usage costs by this book. */
  readonly priceBook: string | null;
}

/** What one commit appended to the ledger, chained to the one before. */
export interface Block {
  readonly seq: number;
  readonly at: number;
  /** One record a line: see `ledger/records.ts`. */
  readonly text: string;
  /** HMAC-SHA256(key, hash before, seq, text), 32 bytes. */
  readonly hash: Uint8Array;
}

/** The balance of a budget in a period. */
export interface AccountBalance {
  readonly id: AccountId;
  readonly budgetId: string;
  /** Epoch milliseconds; the end is `Infinity` for a budget without one. */
  readonly start: number;
  readonly end: number;
  readonly posted: Nanos;
}

/** The ledger's state right behind a block, so that a start need not read all of them. */
export interface Checkpoint {
  /** The block's. */
  readonly seq: number;
  /** Those that changed since the checkpoint before. */
  readonly accounts: readonly AccountBalance[];
  /** The records of all open holds, one a line. */
  readonly open: string;
  /** Greater than all holds' ids so far. */
  readonly nextHold: number;
}

/** Says which request metered a job, whose usage comes with every later look at it. */
export type JobClaim = readonly [job: string, requestId: string];

/** Changes what the log says of a request's cost, because the ledger says something else now. */
export interface RowCost {
  readonly requestId: string;
  /** When the request arrived, epoch milliseconds. */
  readonly at: number;
  /** Added to what is there; to nothing where the row has no cost. */
  readonly amount: Nanos;
  /** Null leaves what is there. */
  readonly evidence: Evidence | null;
  readonly priceBook: string | null;
}

/** All that is written together. */
export interface Commit {
  /** Null where only log rows are written. */
  readonly block: Block | null;
  readonly rows: readonly RequestRecord[];
  /** Jobs that were metered where they were begun. */
  readonly jobs: readonly JobClaim[];
  /** Of rows that were written before, or are now. */
  readonly costs: readonly RowCost[];
  readonly checkpoint: Checkpoint | null;
}

/** How the ledger stood when it was last written. */
export interface LedgerTail {
  /** The last checkpoint, without accounts; null where there is none yet. */
  readonly checkpoint: Checkpoint | null;
  /** The checkpoint's own block. */
  readonly head: Block | null;
  /** All behind it, oldest first. */
  readonly blocks: readonly Block[];
}
