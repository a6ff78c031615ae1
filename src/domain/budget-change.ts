import type { Budget } from "./budget.ts";
import type { Period } from "./period.ts";

/** A budget as an administrator describes it. */
export type BudgetDraft = Omit<Budget, "id" | "createdAt">;

/**
 * A scope's budgets as they are wanted. One whose name was there before keeps its id, and with it what was spent, unless
 * it counts other calls or another period: then it is a new one.
 * @param newId Called for each new one.
 */
export function mergeBudgets(
  before: readonly Budget[],
  wanted: readonly BudgetDraft[],
  newId: () => string,
  now: number,
): Budget[] {
  return wanted.map((draft) => {
    const known = before.find((budget) => budget.name === draft.name);
    return known !== undefined && countsTheSame(known, draft)
      ? { ...known, ...draft }
      : { id: newId(), ...draft, createdAt: now };
  });
}

export function countsTheSame(a: BudgetDraft, b: BudgetDraft): boolean {
  return (
    a.provider === b.provider && a.model === b.model && formatPeriod(a.period) === formatPeriod(b.period)
  );
}

/** `month`, `5h`. */
export function formatPeriod(period: Period): string {
  return period.kind === "hours" ? `${period.hours}h` : period.kind;
}

const MAX_HOURS = 24 * 366;

/** The opposite; undefined for what is no period. */
export function parsePeriod(text: string): Period | undefined {
  if (/^(?:day|week|month|quarter|total)$/.test(text)) return { kind: text as "day" };
  const hours = Number(/^([1-9]\d{0,3})h$/.exec(text)?.[1] ?? 0);
  return hours >= 1 && hours <= MAX_HOURS ? { kind: "hours", hours } : undefined;
}
