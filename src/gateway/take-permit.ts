import type { Acquired, Exceeded, LimitedScope, Limiter, TokensUsed } from "../domain/limits.ts";
import { Refusal } from "../domain/refusal.ts";
import { inputTokens, outputTokens, type Usage } from "../domain/usage.ts";
import type { Call } from "./authorise.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Counts the call against the limits of all its scopes, or of none; `endPermit` gives back what it holds.
 * @param scopes Those that have limits, of which there is at least one.
 * @returns a promise where the counts are kept elsewhere.
 * @throws Refusal `rate_limited`, or what the exchange was cut with meanwhile.
 */
export function takePermit(
  call: Call,
  scopes: readonly LimitedScope[],
  exchange: Exchange,
  limiter: Limiter,
): Promise<void> | undefined {
  const { holder, model, abort } = exchange;
  // A client that left while its body was read has been given back already what it held.
  abort.throwIfAborted();
  const size = {
    keyId: holder?.key.id ?? "",
    model,
    usesTokens: call.route.meter !== undefined && call.body instanceof Uint8Array,
    inputBytes: call.body instanceof Uint8Array ? call.body.length : 0,
    outputCap: capOf(call),
  };
  const acquired = limiter.acquire(scopes, size, performance.now());
  if (acquired instanceof Promise) return acquired.then((one) => hold(one, exchange));
  hold(acquired, exchange);
  return undefined;
}

function hold(acquired: Acquired, exchange: Exchange): void {
  if ("refused" in acquired) throw rateLimited(acquired.refused);
  exchange.permit = acquired.permit;
  for (const { scope } of acquired.permit.exceeded)
    exchange.shadowRefusals.push(`${scope.label}: rate_limited`);
  if (!exchange.ended) return;
  acquired.permit.cancel();
  exchange.abort.throwIfAborted();
}

/** Of all answers together. */
function capOf({ demand }: Call): number | null {
  return demand.outputCap === null ? null : demand.outputCap * demand.answers;
}

/**
 * The exchange is over, whatever way.
 * @param usage null where the answer did not say.
 */
export function endPermit({ permit, phase, status }: Exchange, usage: Usage | null): void {
  if (permit === undefined) return;
  if (phase === "receiving") permit.cancel();
  else if (usage !== null) permit.release(tokensOf(usage));
  // What failed used nothing; of what broke off, or said nothing of it, the estimate stays.
  else permit.release(status >= 400 ? NOTHING : undefined);
}

const NOTHING: TokensUsed = { total: 0, output: 0 };

function tokensOf({ quantities, others }: Usage): TokensUsed {
  let input = inputTokens(quantities);
  let output = outputTokens(quantities);
  for (const other of others) {
    input += inputTokens(other.quantities);
    output += outputTokens(other.quantities);
  }
  return { total: input + output, output };
}

function rateLimited(exceeded: Exceeded): Refusal {
  const { scope, kind, limit, remaining, retryAfterMs } = exceeded;
  const allows = `The limit of ${scope.label} is ${limit} ${UNITS[kind]}`;
  const message =
    kind === "concurrency"
      ? `${allows}, and as many are running; try again when one has ended, or ask your administrator for more.`
      : `${allows}, of which ${remaining} are left now; try again in ${Math.ceil(retryAfterMs / 1000)} s, or ask your administrator for more.`;
  return new Refusal("rate_limited", message, { exceeded });
}

const UNITS = {
  requests: "requests per minute",
  tokens: "tokens per minute",
  concurrency: "requests at once",
} as const;
