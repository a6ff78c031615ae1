import type { Costing } from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import type { Metered } from "../domain/request-record.ts";
import { outputTokens, type Quantities, type Usage } from "../domain/usage.ts";
import type { PriceBook } from "../pricing/book.ts";
import { type Ceiling, ceilingFor, costAt, outputAt } from "../pricing/ceiling.ts";
import { priceOf } from "../pricing/costing.ts";
import { usesTools } from "../pricing/worst.ts";
import { addQuantities } from "../providers/formats/usage.ts";
import type { DisconnectRule } from "../providers/provider.ts";
import type { Exchange } from "./exchange.ts";

/** What may have been written already when a stream was broken off, beside what was seen of it, tokens. */
const UNSEEN_TOKENS = 100;

/**
 * Ends the hold of an exchange that is over.
 * @param usage What the answer says that it used, or had used when it was broken off; null where it does not say.
 * @param isWhole Whether all of the answer was seen.
 * @returns What goes into the log; null for what used nothing.
 */
export function settle(
  exchange: Exchange,
  usage: Usage | null,
  isWhole: boolean,
  book: PriceBook,
): Metered | null {
  const { hold, upstream } = exchange;
  if (hold === undefined || upstream === undefined) return null;
  if (!exchange.isSent) {
    hold.void();
    return null;
  }
  if (usage?.evidence === "reported") return settleReported(exchange, usage, book);
  if (usage === null && exchange.costsNothing) {
    hold.settle(0n, "reported", null);
    return null;
  }
  return settleUnknown(exchange, usage, isWhole, book);
}

function settleReported(exchange: Exchange, usage: Usage, book: PriceBook): Metered {
  const { hold, upstream, at } = exchange;
  const costing = costingOf(usage, exchange.model, book);
  const cost = priceOf(costing, upstream?.provider.id ?? "", at, book);
  let { quantities } = usage;
  for (const other of usage.others) quantities = addQuantities(quantities, other.quantities);
  // The answer may name a model that has no price, although the request's has one.
  const isBounded = cost === null && hold !== undefined && hold.accounts.length > 0;
  const evidence = isBounded ? "ceiling" : "reported";
  const costNanos = isBounded ? hold.ceiling : cost;
  hold?.settle(costNanos, evidence, costing);
  return { quantities, evidence, costNanos, priceBook: book.hash };
}

/**
 * No whole report came. What was seen of a stream bounds what it cost, where its provider stops when its client leaves
 * and shows all that its model writes; otherwise only what the call can have cost at most is known.
 */
function settleUnknown(
  exchange: Exchange,
  partial: Usage | null,
  isWhole: boolean,
  book: PriceBook,
): Metered | null {
  const { hold } = exchange;
  const most = mostOf(exchange, book);
  const ceiling = hold?.ceiling ?? (most?.kind === "bounded" ? most.nanos : null);
  const counted = countedOf(exchange, partial, isWhole, most, book);
  if (counted !== undefined && (ceiling === null || counted.cost < ceiling)) {
    hold?.settle(counted.cost, "counted", counted.costing);
    return metered(counted.quantities, "counted", counted.cost, book);
  }
  hold?.settle(ceiling, "ceiling", null);
  return ceiling === null ? null : metered(partial?.quantities ?? {}, "ceiling", ceiling, book);
}

interface Counted {
  readonly cost: Nanos;
  readonly quantities: Quantities;
  /** Null where the cost is no sum of quantities. */
  readonly costing: Costing | null;
}

function countedOf(
  exchange: Exchange,
  partial: Usage | null,
  isWhole: boolean,
  most: Ceiling | undefined,
  book: PriceBook,
): Counted | undefined {
  const { meter, upstream, model } = exchange;
  const bytes = meter?.textBytes ?? 0;
  if (bytes === 0 || !isAllSeen(upstream?.provider.disconnect, model, partial)) return undefined;
  const unseen = isWhole ? 0 : UNSEEN_TOKENS;
  if (partial === null || partial.others.length > 0) {
    if (most === undefined || most.kind === "unpriced" || most.legs.length === 0) return undefined;
    const tokens = bytes + unseen;
    return { cost: costAt(most, tokens), quantities: { output_tokens: tokens }, costing: null };
  }
  const { reasoning_tokens: _, ...rest } = partial.quantities;
  // Thoughts that were told of and not shown are in the one, what came since then in the other.
  const tokens = Math.max(bytes, outputTokens(partial.quantities)) + unseen;
  const quantities = { ...rest, output_tokens: tokens };
  const costing = costingOf({ ...partial, quantities, reportedCost: null }, model, book);
  const cost = priceOf(costing, upstream?.provider.id ?? "", exchange.at, book);
  return cost === null ? undefined : { cost, quantities, costing };
}

/** Whether what was seen of an answer bounds what its model wrote. Who says nothing of it may write unseen. */
function isAllSeen(rule: DisconnectRule | undefined, model: string | null, partial: Usage | null): boolean {
  if (rule?.provider !== "stops" || partial?.evidence === "ceiling") return false;
  if (rule.hidden?.test(model ?? "") !== true) return true;
  return rule.tells === true && partial !== null && outputTokens(partial.quantities) > 0;
}

function metered(
  quantities: Quantities,
  evidence: Metered["evidence"],
  costNanos: Nanos,
  book: PriceBook,
): Metered {
  return { quantities, evidence, costNanos, priceBook: book.hash };
}

function mostOf({ most, demand, upstream, model, at }: Exchange, book: PriceBook): Ceiling | undefined {
  if (most !== undefined || demand === undefined) return most;
  return ceilingFor(book, { provider: upstream?.provider.id ?? "", model: model ?? "", at }, demand);
}

/**
 * Frees what a call cannot cost any more, once its stream says what its input really was.
 * Called when the first piece of an answer has been metered.
 */
export function shrinkToInput(exchange: Exchange, book: PriceBook): void {
  const { hold, most, meter, demand, outputCap } = exchange;
  if (hold === undefined || hold.accounts.length === 0 || most?.kind !== "bounded") return;
  // With tools of the provider's, each round reads all of it again.
  if (demand === undefined || usesTools(demand, exchange.model ?? "") || most.legs.length === 0) return;
  const partial = meter?.soFar() ?? null;
  if (partial === null || partial.others.length > 0) return;
  const { output_tokens: _, reasoning_tokens: __, ...input } = partial.quantities;
  if (Object.keys(input).length === 0) return;
  const costing = costingOf({ ...partial, quantities: input, reportedCost: null }, exchange.model, book);
  const cost = priceOf(costing, exchange.upstream?.provider.id ?? "", exchange.at, book);
  if (cost === null) return;
  // Both are rounded up.
  hold.shrink(cost + outputAt(most, outputCap ?? most.outputTokens));
}

/** @param requested The model that the request named; the answer's own name goes before it. */
export function costingOf(usage: Usage, requested: string | null, book: PriceBook): Costing {
  const { serviceTier, region, reportedCost } = usage;
  // A call that names no model has a price where its provider's calls all cost the same.
  const otherwise = requested ?? "";
  const uses = [{ model: usage.model ?? otherwise, quantities: usage.quantities }];
  for (const { model, quantities } of usage.others) uses.push({ model: model ?? otherwise, quantities });
  return { priceBook: book.hash, uses, serviceTier, region, reportedCost };
}
