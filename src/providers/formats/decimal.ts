/** Longer ones are no amounts. */
const MAX_DIGITS = 40;
const NUMBER = /^(\d{1,40})(?:\.(\d{1,40}))?(?:e([+-]?\d{1,2}))?$/i;

/**
 * A number times ten to this power, exactly as its decimals are written, rounded up once.
 *
 * @param value A number, or its text; JSON's numbers come back with the decimals that they were written with.
 * @returns null for what is no number, or negative.
 */
export function scaleUp(value: unknown, power: number): bigint | null {
  if (typeof value !== "number" && typeof value !== "string") return null;
  const match = NUMBER.exec(String(value).trim());
  if (match === null) return null;
  const [, whole = "0", fraction = "", exponent = "0"] = match;
  const shift = power + Number(exponent) - fraction.length;
  if (shift > MAX_DIGITS) return null;
  const digits = BigInt(whole + fraction);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (digits + divisor - 1n) / divisor;
}

/** Seconds as milliseconds, begun ones counted; 0 for what is no duration. */
export function milliseconds(seconds: unknown): number {
  if (seconds === undefined) return 0;
  const scaled = scaleUp(seconds, 3) ?? 0n;
  return scaled > BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(scaled);
}
