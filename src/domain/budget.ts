import type { Nanos } from "./money.ts";
import type { Period } from "./period.ts";

/** An amount of money that a scope's calls may cost in a period. */
export interface Budget {
  /** `bud_...`; a budget whose amount changes keeps it, and with it what was spent. */
  readonly id: string;
  /** Unique among a scope's budgets. */
  readonly name: string;
  readonly amount: Nanos;
  readonly period: Period;
  /** Only calls to this provider count. */
  readonly provider: string | null;
  /** Only calls of models of this pattern count: see `Policy.models`. */
  readonly model: string | null;
  /** Percent of the amount at which the webhook is called, once a period, ascending. */
  readonly thresholds: readonly number[];
  /** Counts, and refuses nothing. */
  readonly shadow: boolean;
  /** Epoch milliseconds; hours of `hours` periods count from here. */
  readonly createdAt: number;
}
