import type { Costing } from "../domain/ledger.ts";
import type { Metered } from "../domain/request-record.ts";
import type { Usage } from "../domain/usage.ts";
import type { PriceBook } from "../pricing/book.ts";
import { priceOf } from "../pricing/costing.ts";
import { addQuantities } from "../providers/formats/usage.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Ends the hold of an exchange that is over.
 * @param usage What the answer says that it used; null where it does not say.
 * @returns What goes into the log; null for what used nothing.
 */
export function settle(exchange: Exchange, usage: Usage | null, book: PriceBook): Metered | null {
  const { hold, upstream } = exchange;
  if (hold === undefined || upstream === undefined) return null;
  if (!exchange.isSent) {
    hold.void();
    return null;
  }
  if (usage !== null) return settleReported(exchange, usage, book);
  if (exchange.costsNothing) {
    hold.settle(0n, "reported", null);
    return null;
  }
  // Nobody can say what it cost: what it can have cost at most.
  hold.settle(hold.ceiling, "ceiling", null);
  if (hold.ceiling === null) return null;
  return { quantities: {}, evidence: "ceiling", costNanos: hold.ceiling, priceBook: book.hash };
}

function settleReported(exchange: Exchange, usage: Usage, book: PriceBook): Metered {
  const { hold, upstream, at } = exchange;
  const costing = costingOf(usage, exchange.model, book);
  const cost = priceOf(costing, upstream?.provider.id ?? "", at, book);
  const { evidence, others } = usage;
  const quantities = others.reduce((sum, other) => addQuantities(sum, other.quantities), usage.quantities);
  // The answer may name a model that has no price, although the request's has one.
  const isBounded = cost === null && hold !== undefined && hold.accounts.length > 0;
  hold?.settle(isBounded ? hold.ceiling : cost, isBounded ? "ceiling" : evidence, costing);
  return {
    quantities,
    evidence: isBounded ? "ceiling" : evidence,
    costNanos: isBounded ? hold.ceiling : cost,
    priceBook: book.hash,
  };
}

/** @param requested The model that the request named; the answer's own name goes before it. */
export function costingOf(usage: Usage, requested: string | null, book: PriceBook): Costing {
  const { serviceTier, region, reportedCost } = usage;
  // A call that names no model has a price where its provider's calls all cost the same.
  const named = (model: string | null) => model ?? requested ?? "";
  return {
    priceBook: book.hash,
    uses: [
      { model: named(usage.model), quantities: usage.quantities },
      ...usage.others.map(({ model, quantities }) => ({ model: named(model), quantities })),
    ],
    serviceTier,
    region,
    reportedCost,
  };
}
