import type { Demand } from "../domain/demand.ts";
import type { Nanos } from "../domain/money.ts";
import type { Unit } from "../domain/usage.ts";
import type { PriceBook } from "./book.ts";
import { rateOf } from "./cost.ts";
import { MILLISECONDS_PER_RATE, type Rates, scaled, type Tier, type UnitRates } from "./rates.ts";
import type { Limits } from "./snapshot.ts";
import { dividedUp, plus, times, type Whole } from "./whole.ts";
import { type Amount, type Output, type Unbounded, type Worst, worstOf } from "./worst.ts";

/** The most that a call can cost. */
export type Ceiling =
  | Bounded
  /** Nobody knows what its model costs. */
  | { readonly kind: "unpriced"; readonly reason: string; readonly fix: string }
  | (Unbounded & {
      /** What it costs with a cap, where only that is missing; see `outputThatFits`. */
      readonly legs: readonly Leg[];
    });

export interface Bounded {
  readonly kind: "bounded";
  readonly nanos: Nanos;
  /** Of all kinds together. */
  readonly inputTokens: number;
  /** Of one answer; 0 where the call makes no text, or none that a cap could bound. */
  readonly outputTokens: number;
  /** `outputTokens` is the request's own cap. */
  readonly isCapped: boolean;
  readonly legs: readonly Leg[];
}

/** One price that may apply; the dearest decides. Both in nano-dollars times `MILLISECONDS_PER_RATE`. */
export interface Leg {
  readonly fixed: Whole;
  /** For one more token of cap, in all answers together. */
  readonly perToken: Whole;
  /** What is billed of the output at least; in `fixed`, too. */
  readonly least: Whole;
  /** Output that no cap counts, or that is there whatever the cap, in tokens of one answer. */
  readonly besides: number;
}

export interface Pricing {
  /** All that the request can trigger: its standard price, and those of tiers and places that it may run in. */
  readonly rates: readonly Rates[];
  readonly limits: Limits;
  /** As the request names it. */
  readonly model: string;
}

/** What a call can cost at most. */
export function ceilingOf(demand: Demand, pricing: Pricing): Ceiling {
  const { rates } = pricing;
  if (rates.length === 0) return unpriced(pricing.model);
  if (demand.bounds.kind === "result") return bounded([NOTHING], 0, 0, false);
  if (areFlat(rates)) {
    return bounded(
      rates.map(({ perCall = 0n }) => flat(perCall)),
      0,
      0,
      false,
    );
  }
  if (demand.otherModels) {
    return {
      kind: "unbounded",
      reason: "The request lets other models answer or take part, whose prices may be higher.",
      fix: "Name one model alone, or set a price per call.",
      legs: [],
    };
  }
  const context = contextOf(pricing);
  const worst = worstOf(demand, context, pricing.limits.output, pricing.model);
  if (worst.kind === "unbounded") return { ...worst, legs: [] };

  const legs: Leg[] = [];
  for (const each of rates) {
    if (each.perCall !== undefined) {
      legs.push(flat(each.perCall));
      continue;
    }
    if (!addLeg(each.units, each, worst, legs)) return unpriced(pricing.model);
    // A request of so many tokens may be billed by any of these as well.
    for (const { over, units } of each.tiers ?? NO_TIERS) {
      if (worst.inputTokens > over && !addLeg(units, each, worst, legs)) return unpriced(pricing.model);
    }
  }
  if (worst.output === undefined) return bounded(legs, worst.inputTokens, 0, false);
  if (worst.output.tokens === null) {
    return {
      kind: "unbounded",
      reason: `Nobody says how long an answer of ${pricing.model} can be.`,
      fix: "Give the request a cap on its output.",
      legs,
    };
  }
  return bounded(legs, worst.inputTokens, worst.output.tokens, worst.output.isCapped);
}

/** Whether a call costs the same whatever it uses. */
function areFlat(rates: readonly Rates[]): boolean {
  for (const { perCall } of rates) if (perCall === undefined) return false;
  return true;
}

const NO_TIERS: readonly Tier[] = [];

/** @returns false where something that the call uses has no price. */
function addLeg(units: UnitRates, each: Rates, { amounts, output }: Worst, legs: Leg[]): boolean {
  const fixed = fixedOf(amounts, units, each);
  const perToken = perTokenOf(output, units);
  if (fixed === undefined || perToken === undefined) return false;
  const least = output === undefined ? 0 : leastOf(output.units, units, each);
  legs.push({
    fixed: plus(fixed, least),
    perToken: times(perToken, scaled("output_tokens", output?.answers ?? 0)),
    least,
    besides: output?.besides ?? 0,
  });
  return true;
}

/** What a call costs at most when its answers have no more than so many tokens. */
export function costAt({ legs }: { readonly legs: readonly Leg[] }, cap: number): Nanos {
  return dearestLeg(legs, cap, false);
}

/** What the output alone costs at most, when the answers have no more than so many tokens beside what no cap counts. */
export function outputAt({ legs }: { readonly legs: readonly Leg[] }, cap: number): Nanos {
  return dearestLeg(legs, cap, true);
}

function dearestLeg(legs: readonly Leg[], cap: number, isOutputAlone: boolean): Nanos {
  let most: Whole = 0;
  for (const { fixed, perToken, least, besides } of legs) {
    const cost = plus(isOutputAlone ? least : fixed, times(perToken, cap + besides));
    if (cost > most) most = cost;
  }
  return dividedUp(most, MILLISECONDS_PER_RATE);
}

/**
 * The largest cap on the output, in tokens, with which a call costs no more than `available` at most; 0 where there is
 * none, `Number.MAX_SAFE_INTEGER` where the output costs nothing.
 */
export function outputThatFits(ceiling: Ceiling, available: Nanos): number {
  if (ceiling.kind === "unpriced" || ceiling.legs.length === 0) return 0;
  let cap = BigInt(Number.MAX_SAFE_INTEGER);
  for (const { fixed, perToken, besides } of ceiling.legs) {
    // ceil(x / d) is at most a where x is at most a * d.
    const left = available * MILLISECONDS_PER_RATE - BigInt(fixed) - BigInt(times(perToken, besides));
    if (left < 0n) return 0;
    if (perToken === 0) continue;
    const fits = left / BigInt(perToken);
    if (fits < cap) cap = fits;
  }
  return Number(cap);
}

export interface PricedCall {
  readonly provider: string;
  /** As the request names it; empty where it names none. */
  readonly model: string;
  /** When it arrived, epoch milliseconds. */
  readonly at: number;
}

/** `ceilingOf` with the book's prices for all that the request can trigger. */
export function ceilingFor(book: PriceBook, call: PricedCall, demand: Demand): Ceiling {
  const { provider, model, at } = call;
  const rates: Rates[] = [];
  for (const serviceTier of tiersOf(demand)) {
    for (const region of regionsOf(demand)) {
      const price = book.find({ provider, model, at, serviceTier, region });
      if (price === undefined) return unpriced(model, serviceTier ?? region);
      rates.push(price.rates);
    }
  }
  return ceilingOf(demand, { rates, limits: book.limits(provider, model), model });
}

/** What the request says where it asks for nothing but what everybody gets. */
const STANDARD = /^(?:auto|default|standard|standard_only|on_demand)$/i;
const EVERYWHERE = /^(?:global|not_available)$/i;
const UNSAID: readonly null[] = [null];

/** A request for another tier may still be served, and billed, by the standard one. */
function tiersOf({ serviceTier }: Demand): readonly (string | null)[] {
  return serviceTier === null || STANDARD.test(serviceTier) ? UNSAID : [null, serviceTier];
}

function regionsOf({ region, bounds }: Demand): readonly (string | null)[] {
  if (region === null) return bounds.regions === undefined ? UNSAID : [null, ...bounds.regions];
  return EVERYWHERE.test(region) ? UNSAID : [null, region];
}

/**
 * A price for requests that are longer than the window shows that some are: Anthropic gives a million tokens, five
 * times the window and the tier's beginning, to those who ask for it in a header.
 */
function contextOf({ rates, limits }: Pricing): number | null {
  if (limits.context === null) return null;
  let tier = 0;
  for (const { tiers } of rates) for (const { over } of tiers ?? []) tier = Math.max(tier, over);
  return tier >= limits.context ? tier * 5 : limits.context;
}

const NOTHING: Leg = { fixed: 0, perToken: 0, least: 0, besides: 0 };

/** Undefined where something that is sure to be used, or all that may be, has no price. */
function fixedOf(amounts: readonly Amount[], units: UnitRates, each: Rates): Whole | undefined {
  let fixed: Whole = 0;
  let isPriced = false;
  for (const { units: candidates, quantity, need } of amounts) {
    const rate = dearest(candidates, units);
    if (rate === undefined) {
      if (need === "sure") return undefined;
      continue;
    }
    if (need !== "if priced") isPriced = true;
    if (each.least !== undefined) fixed = plus(fixed, leastOf(candidates, units, each));
    if (quantity === 0) continue;
    fixed = plus(fixed, times(rate, scaled(candidates[0], Math.ceil(quantity))));
  }
  return isPriced ? fixed : undefined;
}

/** Of each unit that was used at all, its least is billed: little may be used of all of them. */
function leastOf(candidates: readonly Unit[], units: UnitRates, { least }: Rates): Whole {
  let sum: Whole = 0;
  if (least === undefined) return sum;
  for (const unit of candidates) {
    const rate = rateOf(unit, units) ?? 0n;
    sum = plus(sum, times(rate, scaled(unit, least[unit] ?? 0)));
  }
  return sum;
}

function perTokenOf(output: Output | undefined, units: UnitRates): bigint | undefined {
  if (output === undefined) return 0n;
  for (const unit of output.sure) if (rateOf(unit, units) === undefined) return undefined;
  return dearest(output.units, units);
}

function dearest(candidates: readonly Unit[], units: UnitRates): bigint | undefined {
  let most: bigint | undefined;
  for (const unit of candidates) {
    const rate = rateOf(unit, units);
    if (rate !== undefined && (most === undefined || rate > most)) most = rate;
  }
  return most;
}

function flat(price: Nanos): Leg {
  return { fixed: times(price, MILLISECONDS_PER_RATE), perToken: 0, least: 0, besides: 0 };
}

function bounded(
  legs: readonly Leg[],
  inputTokens: number,
  outputTokens: number,
  isCapped: boolean,
): Bounded {
  return {
    kind: "bounded",
    nanos: dearestLeg(legs, outputTokens, false),
    inputTokens,
    outputTokens,
    isCapped,
    legs,
  };
}

function unpriced(model: string, circumstance: string | null = null): Ceiling {
  const what = model === "" ? "this call, which names no model" : model;
  const where = circumstance === null ? "" : ` as "${circumstance}"`;
  return {
    kind: "unpriced",
    reason: `No price of ${what}${where} is known.`,
    fix: "An administrator can set one: lmk prices set, or lmk prices default.",
  };
}
