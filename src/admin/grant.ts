import { HTTPException } from "hono/http-exception";
import type { Ask } from "../domain/ask.ts";
import { formatDollars, parseDollars } from "../domain/money.ts";
import type { Policy, Scope, ScopeChange, ScopePolicy } from "../domain/policy.ts";
import { changeOf, policyAt } from "./policy-change.ts";

/** What an administrator says otherwise than the ask. */
export interface Terms {
  readonly scope?: Scope | undefined;
  readonly amount?: string | undefined;
}

/**
 * The change that gives what was asked for; none for what no policy can give.
 * @param home Whoever asks: where limits are changed if nobody names a scope.
 * @throws HTTPException 422 where it cannot be given like this, and what is missing.
 */
export function grantOf(
  ask: Ask,
  terms: Terms,
  policies: readonly ScopePolicy[],
  home: readonly Scope[],
  now: number,
): ScopeChange[] {
  if (ask.kind === "other") return [];
  if (ask.kind === "budget") return [largerBudget(ask, terms, policies, now)];
  if (ask.kind === "limit") return [higherLimit(ask, terms, policies, home, now)];
  return [longerList(ask, ask.kind === "model" ? "models" : "providers", terms, policies, home, now)];
}

function largerBudget(
  ask: Ask,
  { amount }: Terms,
  policies: readonly ScopePolicy[],
  now: number,
): ScopeChange {
  const before = policies.find(({ budgets }) => budgets.some(({ id }) => id === ask.budgetId));
  if (before === undefined) throw unacceptable("The budget is not in force any more.");
  const wanted = parseDollars(amount ?? ask.amount ?? "");
  if (wanted === undefined) throw unacceptable("amount: say how many dollars the budget is to have.");
  const budgets = before.budgets.map((budget) =>
    budget.id === ask.budgetId ? { ...budget, amount: wanted } : budget,
  );
  const known = before.budgets.find(({ id }) => id === ask.budgetId);
  if (known !== undefined && known.amount === wanted)
    throw unacceptable(`amount: the budget has ${formatDollars(wanted)} dollars already.`);
  return changeOf(before, { budgets }, now);
}

function higherLimit(
  ask: Ask,
  terms: Terms,
  policies: readonly ScopePolicy[],
  home: readonly Scope[],
  now: number,
): ScopeChange {
  const limit = Number(terms.amount ?? ask.amount ?? Number.NaN);
  if (!Number.isSafeInteger(limit) || limit < 0) throw unacceptable("amount: must be a whole number.");
  const name = ask.name as keyof NonNullable<Policy["limits"]>;
  const before = scopeThat(({ limits }) => limits?.[name] !== undefined, ask, terms, policies, home);
  const { policy } = before;
  return changeOf(before, { policy: { ...policy, limits: { ...policy.limits, [name]: limit } } }, now);
}

function longerList(
  ask: Ask,
  field: "models" | "providers",
  terms: Terms,
  policies: readonly ScopePolicy[],
  home: readonly Scope[],
  now: number,
): ScopeChange {
  const name = ask.name ?? "";
  const isMissing = (policy: Policy) => {
    const list = policy[field] ?? [];
    return list.length > 0 && !list.includes(name);
  };
  const before = scopeThat(isMissing, ask, terms, policies, home);
  return changeOf(
    before,
    { policy: { ...before.policy, [field]: [...(before.policy[field] ?? []), name] } },
    now,
  );
}

/**
 * The one that the administrator or the ask names, if it restricts; else the only one that does.
 * @throws HTTPException 422
 */
function scopeThat(
  restricts: (policy: Policy) => boolean,
  ask: Ask,
  terms: Terms,
  policies: readonly ScopePolicy[],
  home: readonly Scope[],
): ScopePolicy {
  const named = terms.scope ?? ask.scope;
  const found = (named === null ? home : [named])
    .map((scope) => policyAt(policies, scope))
    .filter(({ policy }) => restricts(policy));
  const [only, another] = found;
  if (only === undefined)
    throw unacceptable(
      "scope: nothing there restricts this; name the scope that does, or see /policies/explain.",
    );
  if (another !== undefined) {
    const kinds = found.map(({ scope }) => scope.kind).join(", ");
    throw unacceptable(`scope: several restrict this (${kinds}); name the one to be changed.`);
  }
  return only;
}

function unacceptable(message: string): HTTPException {
  return new HTTPException(422, { message });
}
