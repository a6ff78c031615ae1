import { createRoute, z } from "@hono/zod-openapi";
import { formatPeriod } from "../domain/budget-change.ts";
import { formatDollars } from "../domain/money.ts";
import type { StoredBudget } from "../domain/policy.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { ScopeRef } from "./policies.ts";
import { changeOf, policyAt } from "./policy-change.ts";
import { budgetDraft, budgetShape } from "./policy-document.ts";
import { notFound } from "./problem.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, Ref, rfc3339, Time } from "./schemas.ts";
import { Scopes } from "./scopes.ts";
import { standingView } from "./standing.ts";

const BudgetView = z
  .object({
    id: z.string(),
    scope: ScopeRef,
    name: z.string(),
    amount: z.string().describe("Dollars, a decimal number."),
    per: z.string().describe("`day`, `week`, `month`, `quarter`, `total`, or hours: `5h`."),
    provider: z.string().nullable(),
    model: z.string().nullable(),
    thresholds: z.array(z.number()),
    shadow: z.boolean(),
    posted: z
      .string()
      .nullable()
      .describe("Dollars that calls of this period cost; null of a removed budget."),
    reserved: z.string().nullable().describe("Dollars that calls under way may cost."),
    left: z.string().nullable().describe("Dollars that are neither; never less than 0."),
    periodStart: Time.nullable().describe("Null of a budget that does not end."),
    periodEnd: Time.nullable(),
    createdAt: Time,
    removedAt: Time.nullable(),
  })
  .openapi("Budget");

const list = createRoute({
  ...needs("policies.read"),
  method: "get",
  path: "/budgets",
  request: {
    query: z.object({
      ...pageQuery,
      scope: ScopeRef.optional(),
      removed: z.enum(["true", "false"]).default("false").describe("Those too that were removed."),
    }),
  },
  responses: { 200: json(pageOf(BudgetView), "Budgets by scope and name") },
});
const show = createRoute({
  ...needs("policies.read"),
  method: "get",
  path: "/budgets/{ref}",
  request: { params: Ref },
  responses: { 200: json(BudgetView, "The budget with this id") },
});
const put = createRoute({
  ...needs("policies.write"),
  method: "put",
  path: "/budgets",
  request: { body: jsonBody(z.strictObject({ scope: ScopeRef, ...budgetShape })) },
  responses: {
    200: json(
      BudgetView,
      "The scope's budget of this name, in force. It keeps what was spent, unless it counts other calls or another period.",
    ),
  },
});
const remove = createRoute({
  ...needs("policies.write"),
  method: "delete",
  path: "/budgets/{ref}",
  request: { params: Ref },
  responses: { 204: { description: "The budget restricts nothing any more" } },
});

export function budgets({ store, clock, directoryChanged, ledger }: AdminParts): AdminApp {
  const app = resource();

  app.openapi(list, async (c) => {
    const { scope, removed, ...where } = c.req.valid("query");
    const [scopes, all] = await Promise.all([
      Scopes.read(store),
      store.listBudgets({ removed: removed === "true" }),
    ]);
    const asked = scope === undefined ? undefined : scopes.byRef(scope).ref;
    const items = all.map((budget) => view(budget, scopes, ledger));
    const found = items.filter((item) => asked === undefined || item.scope === asked);
    return c.json(
      paged(found, (item) => [item.scope, item.name, item.createdAt, item.id], where),
      200,
    );
  });
  app.openapi(show, async (c) => {
    const { ref } = c.req.valid("param");
    const [scopes, all] = await Promise.all([Scopes.read(store), store.listBudgets({ removed: true })]);
    const found = all.find(({ id }) => id === ref);
    if (found === undefined) throw notFound("budget", ref);
    return c.json(view(found, scopes, ledger), 200);
  });
  app.openapi(put, async (c) => {
    const { scope: ref, ...document } = c.req.valid("json");
    const [scopes, policies] = await Promise.all([
      Scopes.read(store),
      store.listPolicies({ children: "none" }),
    ]);
    const scope = scopes.byRef(ref);
    const before = policyAt(policies, scope);
    const others = before.budgets.filter(({ name }) => name !== document.name);
    const now = clock.now();
    const change = changeOf(before, { budgets: [...others, budgetDraft(document)] }, now);
    await store.audited(c.var.source, "changePolicies", [change], now);
    await directoryChanged();
    const made = change.budgets.find(({ name }) => name === document.name);
    if (made === undefined) throw notFound("budget", document.name);
    return c.json(view({ ...made, scope, removedAt: null }, scopes, ledger), 200);
  });
  app.openapi(remove, async (c) => {
    const { ref } = c.req.valid("param");
    const policies = await store.listPolicies({ children: "none" });
    const before = policies.find(({ budgets: all }) => all.some(({ id }) => id === ref));
    if (before === undefined) throw notFound("budget", ref);
    const left = before.budgets.filter(({ id }) => id !== ref);
    const now = clock.now();
    await store.audited(c.var.source, "changePolicies", [changeOf(before, { budgets: left }, now)], now);
    await directoryChanged();
    return c.body(null, 204);
  });
  return app;
}

function view(budget: StoredBudget, scopes: Scopes, ledger: Pick<Ledger, "standing">) {
  const { id, name, provider, model, shadow } = budget;
  return {
    id,
    scope: scopes.named(budget.scope).ref,
    name,
    amount: formatDollars(budget.amount),
    per: formatPeriod(budget.period),
    provider,
    model,
    thresholds: [...budget.thresholds],
    shadow,
    ...standingView(budget.removedAt === null ? ledger.standing(budget.id) : undefined),
    createdAt: rfc3339(budget.createdAt),
    removedAt: rfc3339(budget.removedAt),
  };
}
