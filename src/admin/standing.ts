import { formatDollars } from "../domain/money.ts";
import type { Standing } from "../ledger/ledger.ts";
import { rfc3339 } from "./schemas.ts";

/** What is spent, reserved and left of a budget in its period; nulls where there is none. */
export function standingView(standing: Standing | undefined) {
  if (standing === undefined)
    return { posted: null, reserved: null, left: null, periodStart: null, periodEnd: null };
  const { budget, posted, pending, start, end } = standing;
  const left = budget.amount - posted - pending;
  const isEndless = !Number.isFinite(end);
  return {
    posted: formatDollars(posted),
    reserved: formatDollars(pending),
    left: formatDollars(left > 0n ? left : 0n),
    periodStart: isEndless ? null : rfc3339(start),
    periodEnd: isEndless ? null : rfc3339(end),
  };
}
