import type { EndKind, HoldRecord } from "./ledger.ts";
import type { Nanos } from "./money.ts";
import type { Evidence, Unit } from "./usage.ts";

/** What the ledger has of a request. */
export interface RequestAccount {
  /** One for each time that it was sent, or was about to be. */
  readonly attempts: readonly Attempt[];
  /** How its cost was worked out; null where it was not. */
  readonly workings: Workings | null;
}

export interface Attempt {
  readonly hold: HoldRecord;
  /** Null while it is under way, or unresolved. */
  readonly end: {
    readonly at: number;
    readonly kind: EndKind;
    readonly amount: Nanos | null;
    readonly evidence: Evidence | null;
    readonly reason: string | null;
  } | null;
}

export interface Workings {
  /** Hash of the prices. */
  readonly priceBook: string;
  readonly serviceTier: string | null;
  readonly region: string | null;
  /** What the provider itself says; then there are no lines. */
  readonly reportedCost: Nanos | null;
  readonly lines: readonly CostLine[];
  /** Their sum, rounded up once for each model; null where those prices are not kept. */
  readonly total: Nanos | null;
}

export interface CostLine {
  /** As the prices call it. */
  readonly model: string;
  readonly source: "override" | "snapshot" | "flat" | "free";
  readonly unit: Unit;
  readonly quantity: number;
  /** Nano-dollars for `per` of them, with what tier, region and length of the input make of it. */
  readonly rate: bigint;
  readonly per: bigint;
}
