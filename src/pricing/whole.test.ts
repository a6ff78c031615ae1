import { expect, test } from "bun:test";
import fc from "fast-check";
import { ceilDiv } from "../domain/money.ts";
import { dividedUp, plus, times, type Whole } from "./whole.ts";

/** Small and large ones, those at the edge of what a double holds above all. */
const edge = BigInt(Number.MAX_SAFE_INTEGER);
const big = fc.oneof(
  fc.bigInt(0n, 1000n),
  fc.bigInt(0n, edge),
  fc.bigInt(edge - 3n, edge + 3n),
  fc.bigInt(0n, edge * edge),
);
/** The same number in either form, where it has both. */
const whole = big.chain((value) => fc.constantFrom<Whole>(value, ...(value <= edge ? [Number(value)] : [])));

test("what is reckoned with doubles is what big numbers make of it", () => {
  fc.assert(
    fc.property(whole, whole, (one, other) => {
      expect(BigInt(times(one, other))).toBe(BigInt(one) * BigInt(other));
      expect(BigInt(plus(one, other))).toBe(BigInt(one) + BigInt(other));
    }),
  );
});

test("a quotient is rounded up exactly, however near to a whole number it is", () => {
  const numerators = fc.oneof(
    whole,
    fc
      .tuple(fc.integer({ min: 0, max: 2_000_000 }), fc.integer({ min: -1, max: 1 }))
      .map(([quotient, more]) => Math.max(0, quotient * 3_600_000_000 + more)),
  );
  fc.assert(
    fc.property(numerators, fc.constantFrom(1n, 7n, 1_000_000n, 3_600_000_000n), (numerator, denominator) => {
      expect(dividedUp(numerator, denominator)).toBe(ceilDiv(BigInt(numerator), denominator));
    }),
  );
});

test("what a double holds is no big number", () => {
  expect(times(2n, 3n)).toBe(6);
  expect(plus(2n, 3)).toBe(5);
});
