import type { Nanos } from "./money.ts";

export interface RepriceFilter {
  /** Only calls that began at or after this time, epoch milliseconds. */
  readonly since: number;
  readonly provider?: string | undefined;
  /** Only looks. */
  readonly dryRun: boolean;
}

/** What calls cost by the prices in force that were posted at another cost. */
export interface Repriced {
  /** By provider and model, the greatest difference first. */
  readonly items: readonly RepricedModel[];
  /** Calls that were looked at. */
  readonly looked: number;
}

export interface RepricedModel {
  readonly provider: string;
  /** As requests named it; null where they named none. */
  readonly model: string | null;
  readonly calls: number;
  readonly before: Nanos;
  readonly after: Nanos;
}
