import { ceilDiv, UNITS_PER_RATE } from "../../domain/money.ts";
import type { Unit } from "../../domain/usage.ts";
import { MILLISECONDS_PER_RATE, UNITS } from "../rates.ts";
import type { ListRates } from "./list-model.ts";

/** What a price is for: our unit, and how many of it. */
export interface Per {
  readonly unit: Unit;
  readonly count: bigint;
}

export function million(unit: Unit): Per {
  return { unit, count: 1_000_000n };
}

/**
 * @param units By the source's key; null for what is nothing of ours, so that usage of it cannot be priced.
 * @throws {Error} For a key that nobody has looked at, and for what is no price.
 */
export function ratesOf(
  prices: readonly (readonly [string, number])[],
  units: Readonly<Record<string, Per | null>>,
): ListRates {
  const rates: ListRates = {};
  for (const [key, price] of prices) {
    const per = Object.hasOwn(units, key) ? units[key] : undefined;
    if (per === undefined) throw new Error(`what ${key} is for is not known`);
    if (per !== null) rates[per.unit] = rateOf(price, per);
  }
  return inOrder(rates);
}

/**
 * A price in dollars as a rate, computed from its decimal text. Up to 15 digits that text is what its author wrote;
 * the sources also have sums that were made in floating point (0.18000000000000002), whose rest is cut off.
 */
function rateOf(dollars: number, { unit, count }: Per): number {
  const text = String(Number(dollars.toPrecision(15)));
  const [, whole = "", fraction = "", exponent = "0"] = /^(\d+)(?:\.(\d+))?(?:e-(\d+))?$/.exec(text) ?? [];
  if (whole === "") throw new Error(`${dollars} is no price`);
  const digits = BigInt(whole + fraction);
  const units = unit === "milliseconds" ? MILLISECONDS_PER_RATE : UNITS_PER_RATE;
  const numerator = digits * 1_000_000_000n * units;
  const denominator = count * 10n ** BigInt(fraction.length + Number(exponent));
  // Rounded up where a price is a periodic fraction: OpenRouter has cache writes at a twelfth of a dollar.
  const rate = ceilDiv(numerator, denominator);
  if (rate > Number.MAX_SAFE_INTEGER) throw new Error(`$${dollars} for ${count} ${unit} is too much`);
  return Number(rate);
}

/** The units in one order, so that the same rates are the same text. */
export function inOrder(rates: ListRates): ListRates {
  return Object.fromEntries(
    UNITS.flatMap((unit) => (rates[unit] === undefined ? [] : [[unit, rates[unit]]])),
  );
}
