import type { Costing } from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import type { PriceBook } from "./book.ts";
import { costOf } from "./cost.ts";

/**
 * What a call cost, from what it used: at its settlement, and whenever somebody wants to see it worked out again.
 * @param at When the request arrived, epoch milliseconds: prices have dates.
 * @returns null where no price is known of something that was used.
 */
export function priceOf(costing: Costing, provider: string, at: number, book: PriceBook): Nanos | null {
  const { uses, serviceTier, region } = costing;
  let total = 0n;
  // A provider that names the price of a call bills it.
  let reported = costing.reportedCost;
  for (const { model, quantities } of uses) {
    const price = book.find({ provider, model, at, serviceTier, region });
    const cost = costOf(quantities, price?.rates, reported);
    if (!("total" in cost)) return null;
    total += cost.total;
    reported = null;
  }
  return total;
}
