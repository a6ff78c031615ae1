import { z } from "@hono/zod-openapi";
import type { Ask } from "../domain/ask.ts";
import type { User } from "../domain/directory.ts";
import type { StoredBudget } from "../domain/policy.ts";
import type { AdminStore } from "../domain/store.ts";
import { pageOf } from "./page.ts";
import { ScopeRef } from "./policies.ts";
import { Reference, rfc3339, Time } from "./schemas.ts";
import { Scopes } from "./scopes.ts";

export const AskKind = z.enum(["budget", "limit", "model", "provider", "other"]);
export const AskState = z.enum(["open", "granted", "denied"]);
export const LimitName = z.enum(["requestsPerMinute", "tokensPerMinute", "concurrentRequests"]);

export const AskView = z
  .object({
    id: z.string(),
    user: Reference,
    kind: AskKind,
    scope: ScopeRef.nullable().describe("Where it is to be changed; null where whoever asks does not know."),
    budget: Reference.nullable(),
    name: z.string().nullable().describe("Of the model, provider or limit."),
    amount: z.string().nullable().describe("Dollars of a budget, or the number of a limit, as it is to be."),
    reason: z.string(),
    state: AskState,
    createdAt: Time,
    decidedAt: Time.nullable(),
    decidedBy: z.string().nullable(),
    answer: z.string().nullable(),
  })
  .openapi("Ask");
export const AskPage = pageOf(AskView);

/** What asks are shown with: the names of whom and what they are about. */
export class AskViews {
  private readonly users: readonly User[];
  private readonly budgets: readonly StoredBudget[];
  private readonly scopes: Scopes;

  private constructor(users: readonly User[], budgets: readonly StoredBudget[], scopes: Scopes) {
    this.users = users;
    this.budgets = budgets;
    this.scopes = scopes;
  }

  static async read(store: AdminStore): Promise<AskViews> {
    return new AskViews(
      ...(await Promise.all([store.listUsers(), store.listBudgets({ removed: true }), Scopes.read(store)])),
    );
  }

  view(ask: Ask): z.infer<typeof AskView> {
    const { userId, budgetId, scope, createdAt, decidedAt, ...rest } = ask;
    const budget = this.budgets.find(({ id }) => id === budgetId);
    return {
      ...rest,
      user: { id: userId, name: this.users.find(({ id }) => id === userId)?.name ?? "" },
      scope: scope && this.scopes.named(scope).ref,
      budget: budgetId === null ? null : { id: budgetId, name: budget?.name ?? "" },
      createdAt: rfc3339(createdAt),
      decidedAt: rfc3339(decidedAt),
    };
  }
}
