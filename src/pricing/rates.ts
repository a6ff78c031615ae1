import { ceilDiv, type Nanos, UNITS_PER_RATE } from "../domain/money.ts";
import type { Quantities, Unit } from "../domain/usage.ts";
import { times, type Whole } from "./whole.ts";

/** What a call is billed by. All prices are the provider's list prices. */
export interface Rates {
  readonly units: UnitRates;
  /** Long-context prices, in ascending order of `over`. */
  readonly tiers?: readonly Tier[];
  /** The least that is billed of a unit of which anything was used. */
  readonly least?: Quantities;
  /** The price of a call, whatever it used; `units` then does not count. */
  readonly perCall?: Nanos;
}

/** Nano-dollars for a million units; of milliseconds, for `MILLISECONDS_PER_RATE` of them. */
export type UnitRates = Readonly<Partial<Record<Unit, bigint>>>;

export interface Tier {
  /** The tier is for requests with more input tokens than this, of all kinds together, and bills all of their tokens. */
  readonly over: number;
  /** Every rate of the tier: those that it has in common with `Rates.units` too. */
  readonly units: UnitRates;
}

/**
 * A thousand hours. Providers bill audio by the hour or the minute, and $0.111 an hour is no whole number of
 * nano-dollars for a million milliseconds.
 */
export const MILLISECONDS_PER_RATE = 3_600_000_000n;

const SCALE = Number(MILLISECONDS_PER_RATE / UNITS_PER_RATE);

/**
 * A quantity over the one denominator of all units: times its rate it is its price in nano-dollars times
 * `MILLISECONDS_PER_RATE`.
 */
export function scaled(unit: Unit | undefined, quantity: number): Whole {
  return unit === "milliseconds" ? quantity : times(quantity, SCALE);
}

/** The units that long-context tiers are chosen by. */
export const INPUT_UNITS = [
  "input_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cache_write_1h_tokens",
  "input_audio_tokens",
  "cache_read_audio_tokens",
  "input_image_tokens",
] as const satisfies readonly Unit[];

/** Compile-time completeness: a unit that is added to the domain must be added here. */
const KNOWN: Record<Unit, true> = {
  input_tokens: true,
  cache_read_tokens: true,
  cache_write_tokens: true,
  cache_write_1h_tokens: true,
  input_audio_tokens: true,
  cache_read_audio_tokens: true,
  input_image_tokens: true,
  output_tokens: true,
  reasoning_tokens: true,
  output_audio_tokens: true,
  output_image_tokens: true,
  characters: true,
  milliseconds: true,
  images: true,
  pages: true,
  requests: true,
  searches: true,
  classifications: true,
};

export const UNITS = Object.keys(KNOWN) as readonly Unit[];

export function isUnit(name: string): name is Unit {
  return Object.hasOwn(KNOWN, name);
}

/** The same rates with each unit's changed by `change`; one that it answers with undefined is left out. */
export function mapRates(rates: Rates, change: (unit: Unit, rate: bigint) => bigint | undefined): Rates {
  return {
    ...rates,
    units: mapUnits(rates.units, change),
    ...(rates.tiers && {
      tiers: rates.tiers.map(({ over, units }) => ({ over, units: mapUnits(units, change) })),
    }),
  };
}

function mapUnits(units: UnitRates, change: (unit: Unit, rate: bigint) => bigint | undefined): UnitRates {
  const changed: Partial<Record<Unit, bigint>> = {};
  for (const unit of UNITS) {
    const rate = units[unit];
    const next = rate === undefined ? undefined : change(unit, rate);
    if (next !== undefined) changed[unit] = next;
  }
  return changed;
}

/** A rate times a fraction. Published ones divide exactly; what an administrator sets is rounded up. */
export function timesFraction(rate: bigint, [numerator, denominator]: Fraction): bigint {
  return ceilDiv(rate * numerator, denominator);
}

export type Fraction = readonly [numerator: bigint, denominator: bigint];
