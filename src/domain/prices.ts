import type { Nanos } from "./money.ts";
import type { Unit } from "./usage.ts";

/** An administrator's price of a model; it goes before the list price. */
export interface PriceOverride {
  readonly provider: string;
  /** Lower-case: a name as clients use it, or the beginning of names, ending in `*`. */
  readonly model: string;
  /** Lower-case; null for the standard price, from which those of tiers are computed. */
  readonly serviceTier: string | null;
  readonly rates: OverrideRates;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export interface OverrideRates {
  /** Nano-dollars for a million; see `pricing/rates.ts`. */
  readonly units: Readonly<Partial<Record<Unit, bigint>>>;
  /** The price of a call, whatever it used; `units` then does not count. */
  readonly perCall?: Nanos;
}

/** What calls of a provider cost that have no price of their own. */
export type PricingDefault =
  /** Its list prices. */
  | { readonly kind: "priced" }
  /** The same for every call. */
  | { readonly kind: "flat"; readonly price: Nanos }
  /** Of one's own, or billed by the hour. */
  | { readonly kind: "free" }
  /** No call whose price is not known. */
  | { readonly kind: "refuse" };

/** List prices that an administrator chose instead of those that came with this version. */
export interface PinnedSnapshot {
  readonly text: string;
  /** Epoch milliseconds. */
  readonly pinnedAt: number;
}

/** What a price book was made of, so that the costs computed with it can be worked out again. */
export interface KeptPriceBook {
  /** SHA-256 of `basis`, hexadecimal. */
  readonly hash: string;
  /** The snapshot's hash, the rules and the decisions, as JSON: see `pricing/book.ts`. */
  readonly basis: string;
  readonly snapshotHash: string;
}

/** A model that calls used without its price being known. */
export interface UnpricedModel {
  readonly provider: string;
  /** As requests named it; null where they named none. */
  readonly model: string | null;
  readonly requests: number;
  /** Those of them that were computed with the price book asked about. */
  readonly requestsOfBook: number;
  /** Of the newest, epoch milliseconds. */
  readonly lastAt: number;
  /** All that they used. */
  readonly units: readonly Unit[];
}
