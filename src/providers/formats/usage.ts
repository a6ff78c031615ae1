import type { ModelUsage, Quantities, Unit, Usage } from "../../domain/usage.ts";
import type { Found } from "./found.ts";

/** How one kind of answer tells what it used: which values to watch for, and what they mean. */
export interface UsageFormat {
  /** See `watchList`. Of a stream, the values of all its events. Empty where the headers tell. */
  readonly watch: readonly string[];
  /**
   * Where a stream's events have the text that the model writes. Its bytes are no fewer than its tokens, which bounds
   * what a stream cost that was broken off.
   */
  readonly text?: readonly string[];
  /** A file of many answers, one a line: each is read by itself, and what they used is added up. */
  readonly isFile?: boolean;
  /**
   * @param path The request's, for answers that do not name their own job.
   * @returns null where the answer does not say.
   */
  read(found: Found, headers: Headers, path: string): Usage | null;
}

/** Without what was not used. */
export function quantities(all: Partial<Record<Unit, number>>): Quantities {
  const used: Quantities = {};
  for (const name in all) {
    const quantity = all[name as Unit] ?? 0;
    if (quantity > 0) used[name as Unit] = quantity;
  }
  return used;
}

/** Usage that the provider reported, with what else is known of it. */
export function reported(
  all: Partial<Record<Unit, number>>,
  known: Partial<Omit<Usage, "quantities">> = {},
): Usage {
  return {
    quantities: quantities(all),
    evidence: known.evidence ?? "reported",
    model: known.model ?? null,
    reportedCost: known.reportedCost ?? null,
    serviceTier: known.serviceTier ?? null,
    region: known.region ?? null,
    others: known.others ?? NO_OTHERS,
    jobId: known.jobId ?? null,
  };
}

const NO_OTHERS: Usage["others"] = [];

/**
 * Divides a total among its parts, so that none is counted twice: each gets at most what those before it left. What
 * is left behind them all comes last.
 */
export function split<const Parts extends number[]>(
  total: number,
  ...parts: Parts
): [...{ [Part in keyof Parts]: number }, number] {
  let left = total;
  const shares = new Array<number>(parts.length + 1);
  for (let n = 0; n < parts.length; n++) {
    const share = Math.min(parts[n] as number, left);
    left -= share;
    shares[n] = share;
  }
  shares[parts.length] = left;
  return shares as [...{ [Part in keyof Parts]: number }, number];
}

/** The names by which providers call what they charge their usual price for. */
const STANDARD_TIERS = new Set(["auto", "default", "standard", "standard_only", "on_demand"]);

/** A tier as the provider names it, null for its standard one. */
export function tier(name: string | null): string | null {
  return name === null || STANDARD_TIERS.has(name.toLowerCase()) ? null : name;
}

/** Adds up by unit. */
export function addQuantities(one: Quantities, other: Quantities): Quantities {
  const sum: Quantities = { ...one };
  for (const [unit, quantity] of Object.entries(other) as [Unit, number][]) {
    sum[unit] = (sum[unit] ?? 0) + quantity;
  }
  return sum;
}

/** Adds up by model. */
export function addByModel(usages: readonly ModelUsage[]): ModelUsage[] {
  const sums = new Map<string | null, Quantities>();
  for (const { model, quantities } of usages) {
    sums.set(model, addQuantities(sums.get(model) ?? {}, quantities));
  }
  return [...sums].map(([model, quantities]) => ({ model, quantities }));
}
