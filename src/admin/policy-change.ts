import type { Budget } from "../domain/budget.ts";
import { type BudgetDraft, countsTheSame, formatPeriod, mergeBudgets } from "../domain/budget-change.ts";
import { randomBase62 } from "../domain/key.ts";
import { formatDollars } from "../domain/money.ts";
import type { Policy, Scope, ScopeChange, ScopePolicy } from "../domain/policy.ts";
import { policyDocument } from "./policy-document.ts";

/** What a scope is to have; what is undefined stays. */
export interface Wanted {
  readonly policy?: Policy | undefined;
  readonly budgets?: readonly BudgetDraft[] | undefined;
}

/** One difference, for people: before and after as a file would say it, null for nothing. */
export interface Difference {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** A scope's policy and budgets, also where it has none. */
export function policyAt(policies: readonly ScopePolicy[], { kind, id }: Scope): ScopePolicy {
  const known = policies.find(({ scope }) => scope.kind === kind && scope.id === id);
  return known ?? { scope: { kind, id }, policy: {}, budgets: [], version: 0 };
}

/** The change that makes a scope what it is to be. */
export function changeOf(before: ScopePolicy, { policy, budgets }: Wanted, now: number): ScopeChange {
  const { scope, version } = before;
  const newId = () => `bud_${randomBase62(10)}`;
  return {
    scope,
    version,
    policy: policy ?? before.policy,
    budgets: budgets === undefined ? before.budgets : mergeBudgets(before.budgets, budgets, newId, now),
  };
}

/** What a change would change; empty where it changes nothing. */
export function differencesOf(before: ScopePolicy, after: ScopeChange): Difference[] {
  return [
    ...fieldDifferences(before.policy, after.policy),
    ...budgetDifferences(before.budgets, after.budgets),
  ];
}

function fieldDifferences(before: Policy, after: Policy): Difference[] {
  const [old, young] = [flat(before), flat(after)];
  const fields = [...new Set([...Object.keys(old), ...Object.keys(young)])];
  return fields.flatMap((field) => difference(field, old[field], young[field]));
}

function flat(policy: Policy): Record<string, unknown> {
  const { limits = {}, ...rest } = policyDocument(policy);
  const named = Object.entries(limits).map(([name, value]) => [`limits.${name}`, value]);
  return { ...rest, ...Object.fromEntries(named) };
}

function budgetDifferences(before: readonly Budget[], after: readonly Budget[]): Difference[] {
  const differences: Difference[] = [];
  for (const old of before) {
    const young = after.find(({ name }) => name === old.name);
    const field = `budgets.${old.name}`;
    if (young === undefined || !countsTheSame(old, young)) {
      differences.push({ field, before: described(old), after: young ? described(young) : null });
    } else {
      differences.push(
        ...difference(`${field}.amount`, formatDollars(old.amount), formatDollars(young.amount)),
        ...difference(`${field}.thresholds`, old.thresholds, young.thresholds),
        ...difference(`${field}.shadow`, old.shadow, young.shadow),
      );
    }
  }
  for (const young of after) {
    if (before.some(({ name }) => name === young.name)) continue;
    differences.push({ field: `budgets.${young.name}`, before: null, after: described(young) });
  }
  return differences;
}

function described({ amount, period, provider, model, shadow }: Budget): string {
  const narrowed = [provider === null ? "" : ` for ${provider}`, model === null ? "" : ` for ${model}`].join(
    "",
  );
  return `${formatDollars(amount)} per ${formatPeriod(period)}${narrowed}${shadow ? ", shadow" : ""}`;
}

function difference(field: string, before: unknown, after: unknown): Difference[] {
  if (JSON.stringify(before ?? null) === JSON.stringify(after ?? null)) return [];
  return [{ field, before: before ?? null, after: after ?? null }];
}
