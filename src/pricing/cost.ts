import { type Nanos, UNITS_PER_RATE } from "../domain/money.ts";
import type { Quantities, Unit } from "../domain/usage.ts";
import { INPUT_UNITS, MILLISECONDS_PER_RATE, type Rates, scaled, UNITS, type UnitRates } from "./rates.ts";
import { dividedUp, plus, times, type Whole } from "./whole.ts";

export interface Cost {
  readonly total: Nanos;
  /** What the total was computed from; none where the provider reported it. */
  readonly lines: readonly Line[];
}

export interface Line {
  readonly unit: Unit;
  /** As billed: not less than the provider's least. */
  readonly quantity: number;
  /** As in `UnitRates`. */
  readonly rate: bigint;
}

/** What was used has no price, or not all of it. */
export interface Unpriceable {
  readonly unpriceable: readonly Unit[];
}

/**
 * What a call cost, rounded up once to the nano-dollar.
 * @param reported What the provider says that it cost, where its file says that this wins; it needs no rates then.
 */
export function costOf(
  quantities: Quantities,
  rates: Rates | undefined,
  reported: Nanos | null = null,
): Cost | Unpriceable {
  if (reported !== null) return { total: reported, lines: [] };
  const units = rates && unitsFor(quantities, rates);
  const lines: Line[] = [];
  let unpriceable: Unit[] | undefined;
  for (const unit of UNITS) {
    const quantity = quantityOf(quantities, unit);
    if (quantity === 0) continue;
    const rate = units && rateOf(unit, units);
    if (rate !== undefined)
      lines.push({ unit, quantity: Math.max(quantity, rates?.least?.[unit] ?? 0), rate });
    // A request as such costs nothing where its provider does not say that it does.
    else if (unit !== "requests" || rates === undefined) {
      unpriceable ??= [];
      unpriceable.push(unit);
    }
  }
  if (rates?.perCall !== undefined) return perCall(rates.perCall);
  // Nothing costs nothing, whatever its price: an answer may bill all of itself to the models that it used.
  return unpriceable === undefined ? { total: totalOf(lines), lines } : { unpriceable };
}

function perCall(price: Nanos): Cost {
  return { total: price, lines: [{ unit: "requests", quantity: 1, rate: price * UNITS_PER_RATE }] };
}

/** Those of the highest tier that the request's input reaches: providers bill the whole request by it. */
function unitsFor(quantities: Quantities, { units, tiers }: Rates): UnitRates {
  if (tiers === undefined) return units;
  const input = INPUT_UNITS.reduce((sum, unit) => sum + quantityOf(quantities, unit), 0);
  return tiers.findLast(({ over }) => input > over)?.units ?? units;
}

/**
 * What is billed by another unit's rate where it has none of its own. Audio and image tokens have no such
 * fallback: they are often dearer than text by an order of magnitude, so that a guess would be far too low.
 */
const BILLED_AS: Partial<Record<Unit, Unit>> = {
  reasoning_tokens: "output_tokens",
  cache_read_tokens: "input_tokens",
  cache_read_audio_tokens: "input_audio_tokens",
  cache_write_tokens: "input_tokens",
  cache_write_1h_tokens: "cache_write_tokens",
};

/** A unit's own rate, or that of the unit it is billed as. */
export function rateOf(unit: Unit, units: UnitRates): bigint | undefined {
  for (let as: Unit | undefined = unit; as !== undefined; as = BILLED_AS[as]) {
    if (units[as] !== undefined) return units[as];
  }
  return undefined;
}

/** @throws {RangeError} Part of a unit, or less than none, is an error of whoever counted. */
function quantityOf(quantities: Quantities, unit: Unit): number {
  const quantity = quantities[unit] ?? 0;
  if (!Number.isSafeInteger(quantity) || quantity < 0) throw new RangeError(`${quantity} ${unit}`);
  return quantity;
}

/** Over one denominator, so that there is one division and one rounding. */
function totalOf(lines: readonly Line[]): Nanos {
  let numerator: Whole = 0;
  for (const { unit, quantity, rate } of lines)
    numerator = plus(numerator, times(rate, scaled(unit, quantity)));
  return dividedUp(numerator, MILLISECONDS_PER_RATE);
}
