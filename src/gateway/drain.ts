import type { Exchange } from "./exchange.ts";

/** How long an answer is read on that nobody waits for any more, milliseconds. */
const DRAIN_MS = 30_000;

/**
 * Whether the answer is read on although its client is gone: some providers bill all of it whether anybody reads it or
 * not, and only its end says how much that is.
 * @param now Of `InFlight`.
 * @param onCut Called where it takes too long.
 */
export function isDraining(exchange: Exchange, now: number, onCut: () => void): boolean {
  if (exchange.drainUntil !== null) return true;
  const billsOn = exchange.upstream?.provider.disconnect?.provider === "bills";
  if (!billsOn || !exchange.isSent || exchange.costsNothing || exchange.refusal !== null) return false;
  exchange.drainUntil = now + DRAIN_MS;
  exchange.onCut = onCut;
  return true;
}
