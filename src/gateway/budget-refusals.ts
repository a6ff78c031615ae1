import type { HoldFacts } from "../domain/ledger.ts";
import { formatDollars } from "../domain/money.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Room } from "../ledger/ledger.ts";
import type { Ceiling } from "../pricing/ceiling.ts";
import type { KeyHolder } from "./directory.ts";

/** Whoever is restricted by scopes. */
export type Restricted = Pick<KeyHolder, "scopes">;

/** What a budget says when it says no: whose it is, what is left, when it begins anew, and what to do. */

/** @param fits The largest cap with which the call would fit, tokens. */
export function exhausted(room: Room, ceiling: Ceiling, fits: number, holder: Restricted): Refusal {
  const most =
    ceiling.kind === "bounded" ? `can cost up to $${formatDollars(ceiling.nanos)}` : "may cost more";
  const hint =
    fits > 0 && fits < Number.MAX_SAFE_INTEGER
      ? `With at most ${fits} output tokens it would fit; otherwise ask your administrator.`
      : "Ask your administrator for more.";
  return new Refusal("budget_exhausted", `${named(room, holder)}, and this call ${most}. ${hint}`);
}

export function busy(room: Room | undefined, holder: Restricted): Refusal {
  const what = room === undefined ? "The budget" : named(room, holder);
  return new Refusal(
    "budget_busy",
    `${what}, which calls under way have reserved for now; try again in a moment, or ask your administrator for more.`,
  );
}

export function deferred(room: Room | undefined, holder: Restricted): Refusal {
  return new Refusal(
    "unpriced",
    `What this call costs shows only later, and it counts against ${whose(room, holder)}. Ask your administrator, who allows such work with "deferred: true" in a policy.`,
  );
}

export function unknownCost(
  ceiling: Ceiling,
  { provider, model }: HoldFacts,
  room: Room | undefined,
  holder: Restricted,
): Refusal {
  const why = ceiling.kind === "bounded" ? "" : ceiling.reason;
  const what = ceiling.kind === "unbounded" ? ceiling.fix : remedy(provider, model);
  return new Refusal(
    "unpriced",
    `${why} It counts against ${whose(room, holder)}, so it must be known what it can cost. ${what}`,
  );
}

function remedy(provider: string, model: string | null): string {
  const name = model === null ? "'*'" : model.replace(/[^\w.:/@-]/g, "?");
  return `Ask your administrator, who sets a price with: lmk prices set ${provider} ${name} --per-call <dollars>.`;
}

function named(room: Room, holder: Restricted): string {
  const until = Number.isFinite(room.until) ? ` until ${new Date(room.until).toISOString()}` : "";
  return `${capitalised(whose(room, holder))} has $${formatDollars(room.left)} left${until}`;
}

function whose(room: Room | undefined, { scopes }: Restricted): string {
  if (room === undefined) return "a budget";
  const scope = scopes.find(({ budgets }) => budgets.some(({ id }) => id === room.budget.id));
  return `the budget "${room.budget.name}" of ${scope?.name ?? "the organisation"}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
