import { createRoute, z } from "@hono/zod-openapi";
import { formatPeriod } from "../../domain/budget-change.ts";
import type { User } from "../../domain/directory.ts";
import { formatDollars } from "../../domain/money.ts";
import type { Scope, ScopePolicy } from "../../domain/policy.ts";
import { actingUser } from "../acting-user.ts";
import { KeyView, keyViews } from "../key-views.ts";
import { needs } from "../needs.ts";
import type { AdminParts } from "../parts.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json, Reference, Time } from "../schemas.ts";
import { Scopes } from "../scopes.ts";
import { standingView } from "../standing.ts";

const DAY_MS = 86_400_000;

const OwnScope = z.string().describe("`organisation`, `group:<name>`, `user:<name>` or `key:<id>`.");

const MeView = z
  .object({
    user: Reference,
    group: Reference,
    keys: z.array(KeyView),
    maxKeys: z.number().nullable().describe("So many active keys may one make oneself; null for no limit."),
    providers: z.array(z.object({ id: z.string(), name: z.string(), url: z.string() })),
    models: z
      .array(z.object({ scope: OwnScope, patterns: z.array(z.string()) }))
      .describe("A model must fit all of these lists."),
    limits: z.array(
      z.object({
        scope: OwnScope,
        requestsPerMinute: z.number().optional(),
        tokensPerMinute: z.number().optional(),
        concurrentRequests: z.number().optional(),
      }),
    ),
    budgets: z.array(
      z.object({
        id: z.string(),
        scope: OwnScope,
        name: z.string(),
        amount: z.string(),
        per: z.string(),
        provider: z.string().nullable(),
        model: z.string().nullable(),
        posted: z.string().nullable(),
        reserved: z.string().nullable(),
        left: z.string().nullable(),
        periodStart: Time.nullable(),
        periodEnd: Time.nullable().describe("When it renews; null of one that does not."),
      }),
    ),
    today: z
      .object({ requests: z.number(), inputTokens: z.number(), outputTokens: z.number(), cost: z.string() })
      .describe("Since midnight in UTC."),
  })
  .openapi("Me");

const show = createRoute({
  ...needs("self.usage"),
  method: "get",
  path: "/me",
  responses: { 200: json(MeView, "Who asks, what they may do, and what is left of their budgets") },
});

/** What everybody is told of themself, and nothing of others. */
export function me(parts: AdminParts): AdminApp {
  const app = resource();
  app.openapi(show, async (c) => c.json(await meView(actingUser(c), parts), 200));
  return app;
}

async function meView(user: User, parts: AdminParts): Promise<z.infer<typeof MeView>> {
  const { store, clock, ledger, providers, publicUrl } = parts;
  const now = clock.now();
  const since = now - (now % DAY_MS);
  const [groups, scopes, keys, policies, [today]] = await Promise.all([
    store.listGroups(),
    Scopes.read(store),
    keyViews(store, now),
    store.listPolicies(),
    store.sumUsage({ userId: user.id, since, by: [] }),
  ]);
  const own = keys.filter((key) => key.user.id === user.id);
  const inForce = ofUser(
    policies,
    user,
    own.map(({ id }) => id),
  ).filter(({ policy }) => policy.shadow !== true);
  const shared = inForce.filter(({ scope }) => scope.kind !== "key");
  const refOf = ({ scope }: { scope: Scope }) => scopes.named(scope).ref;
  const isOpen = (id: string) =>
    shared.every(({ policy }) => (policy.providers ?? []).length === 0 || policy.providers?.includes(id));
  return {
    user: { id: user.id, name: user.name },
    group: { id: user.groupId, name: groups.find(({ id }) => id === user.groupId)?.name ?? "" },
    keys: own,
    maxKeys: mostKeys(policies, user),
    providers: providers()
      .filter(({ id, ready }) => ready && isOpen(id))
      .map(({ id, name }) => ({ id, name, url: `${publicUrl}/${id}` })),
    models: inForce.flatMap((one) => {
      const patterns = one.policy.models ?? [];
      return patterns.length === 0 ? [] : [{ scope: refOf(one), patterns: [...patterns] }];
    }),
    limits: inForce.flatMap((one) =>
      one.policy.limits === undefined ? [] : [{ scope: refOf(one), ...one.policy.limits }],
    ),
    budgets: inForce.flatMap((one) =>
      one.budgets.flatMap((budget) => {
        const standing = ledger.standing(budget.id);
        // What only counts is no concern of the user's.
        if (budget.shadow || standing === undefined) return [];
        const { id, name, amount, period, provider, model } = budget;
        const what = {
          id,
          scope: refOf(one),
          name,
          amount: formatDollars(amount),
          per: formatPeriod(period),
        };
        return [{ ...what, provider, model, ...standingView(standing) }];
      }),
    ),
    today: {
      requests: today?.requests ?? 0,
      inputTokens: today?.inputTokens ?? 0,
      outputTokens: today?.outputTokens ?? 0,
      cost: formatDollars(today?.costNanos ?? 0n),
    },
  };
}

/** Those that restrict a user's calls. */
function ofUser(policies: readonly ScopePolicy[], user: User, keyIds: readonly string[]): ScopePolicy[] {
  const ids = { organisation: [""], group: [user.groupId], user: [user.id], key: keyIds };
  return policies.filter(({ scope: { kind, id } }) => ids[kind].includes(id));
}

/** The fewest that a scope says; null where none says anything. */
export function mostKeys(policies: readonly ScopePolicy[], user: User): number | null {
  const said = ofUser(policies, user, []).flatMap(({ policy: { ownKeys } }) => ownKeys ?? []);
  return said.length === 0 ? null : Math.min(...said);
}
