import { ceilDiv } from "../domain/money.ts";

/**
 * A whole number, always exact: a double where one holds it, which leaves nothing for the collector, else a big one. What
 * most calls cost is within doubles on all of its way. None is negative.
 */
export type Whole = number | bigint;

/** @param one Of two that are too large for doubles, neither has to be exact as one: then the product is too large, too. */
export function times(one: Whole, other: Whole): Whole {
  const product = Number(one) * Number(other);
  return Number.isSafeInteger(product) ? product : BigInt(one) * BigInt(other);
}

export function plus(one: Whole, other: Whole): Whole {
  const sum = Number(one) + Number(other);
  return Number.isSafeInteger(sum) ? sum : BigInt(one) + BigInt(other);
}

/** Quotient rounded up. @param denominator Within what a double holds. */
export function dividedUp(numerator: Whole, denominator: bigint): bigint {
  if (typeof numerator === "bigint") return ceilDiv(numerator, denominator);
  const divisor = Number(denominator);
  const rest = numerator % divisor;
  const whole = (numerator - rest) / divisor;
  return BigInt(rest === 0 ? whole : whole + 1);
}
