import type { Unit } from "../../domain/usage.ts";
import type { Rule } from "../match.ts";

/** A model as a snapshot's text has it; `../snapshot.ts` reads it. */
export interface ListModel {
  readonly id: string;
  /** Without it, its id. */
  readonly match?: readonly Rule[];
  readonly context?: number;
  readonly prices: readonly ListPrice[];
}

export interface ListPrice extends ListRated {
  /** A day, from its midnight UTC on. */
  readonly from?: string;
  readonly daily?: readonly [string, string];
}

export interface ListRated {
  readonly rates: ListRates;
  readonly tiers?: readonly { readonly over: number; readonly rates: ListRates }[];
  readonly least?: Partial<Record<Unit, number>>;
}

/** Nano-dollars for a million units, or for a thousand hours; see `../rates.ts`. */
export type ListRates = Partial<Record<Unit, number>>;

export function rulesOf({ id, match }: ListModel): readonly Rule[] {
  return match ?? [`=${id}`];
}
