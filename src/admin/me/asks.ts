import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { Ask } from "../../domain/ask.ts";
import type { User } from "../../domain/directory.ts";
import { randomBase62 } from "../../domain/key.ts";
import { formatDollars, parseDollars } from "../../domain/money.ts";
import { actingUser } from "../acting-user.ts";
import { AskKind, AskPage, AskState, AskView, AskViews, LimitName } from "../ask-views.ts";
import { askPage } from "../asks.ts";
import { needs } from "../needs.ts";
import { pageQuery } from "../page.ts";
import type { AdminParts } from "../parts.ts";
import { ScopeRef } from "../policies.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json, jsonBody, Name } from "../schemas.ts";
import { Scopes } from "../scopes.ts";

/** Nobody reads more of one user's. */
const MOST_OPEN = 20;

const AskInput = z.strictObject({
  kind: AskKind,
  budget: z.string().max(100).optional().describe("Of a budget: the id of the one that is to be larger."),
  name: z
    .string()
    .trim()
    .min(1)
    .max(300)
    .optional()
    .describe("Of the model or provider, or the limit: `requestsPerMinute`..."),
  scope: ScopeRef.optional().describe("Where it is to be changed, if that is known."),
  amount: z
    .union([z.string().max(60), z.number()])
    .optional()
    .describe("Dollars of the budget, or the number of the limit, as it is to be."),
  reason: z.string().trim().min(1).max(1000),
});

const list = createRoute({
  ...needs("self.usage"),
  method: "get",
  path: "/me/asks",
  request: { query: z.object({ ...pageQuery, state: AskState.optional() }) },
  responses: { 200: json(AskPage, "What one has asked for, newest first") },
});
const add = createRoute({
  ...needs("self.ask"),
  method: "post",
  path: "/me/asks",
  request: { body: jsonBody(AskInput) },
  responses: { 201: json(AskView, "The ask, for an administrator to decide on") },
});

export function ownAsks(parts: AdminParts): AdminApp {
  const { store, clock } = parts;
  const app = resource();
  app.openapi(list, async (c) => {
    const { id: userId } = actingUser(c);
    const { limit, cursor, state } = c.req.valid("query");
    return c.json(await askPage(parts, { userId, state }, limit, cursor), 200);
  });
  app.openapi(add, async (c) => {
    const user = actingUser(c);
    const open = await store.listAsks({ userId: user.id, state: "open", limit: MOST_OPEN });
    if (open.length === MOST_OPEN)
      throw new HTTPException(409, { message: `You have ${MOST_OPEN} open asks; wait for an answer.` });
    const ask = await askOf(c.req.valid("json"), user, parts, clock.now());
    await store.audited(c.var.source, "addAsk", ask);
    return c.json((await AskViews.read(store)).view(ask), 201);
  });
  return app;
}

/** @throws HTTPException 422 for what cannot be asked, 404 for what is not the user's. */
async function askOf(
  input: z.infer<typeof AskInput>,
  user: User,
  parts: AdminParts,
  now: number,
): Promise<Ask> {
  const { kind, budget, name = null, scope: ref, amount, reason } = input;
  const wanted = amount === undefined ? null : String(amount);
  const ask = {
    id: `ask_${randomBase62(10)}`,
    userId: user.id,
    kind,
    scope: null,
    budgetId: null,
    name,
    amount: wanted,
    reason,
    state: "open" as const,
    createdAt: now,
    decidedAt: null,
    decidedBy: null,
    answer: null,
  };
  const { store } = parts;
  const [scopes, keys, budgets] = await Promise.all([
    Scopes.read(store),
    store.listKeys(),
    store.listBudgets(),
  ]);
  const own = new Set([
    "organisation:",
    `group:${user.groupId}`,
    `user:${user.id}`,
    ...keys.filter(({ userId }) => userId === user.id).map(({ id }) => `key:${id}`),
  ]);
  const isOwn = (scope: { kind: string; id: string }) => own.has(`${scope.kind}:${scope.id}`);
  const named = ref === undefined ? null : scopes.byRef(ref);
  // As if there were no such scope: whoever asks need not learn who else there is.
  if (named !== null && !isOwn(named))
    throw new HTTPException(404, { message: `"${ref}" does not restrict you.` });
  const scope = named && { kind: named.kind, id: named.id };
  if (kind === "budget") {
    const found = budgets.find(({ id }) => id === budget);
    if (found === undefined || !isOwn(found.scope))
      throw new HTTPException(422, { message: "budget: name the id of a budget that your calls count in." });
    const dollars = parseDollars(wanted ?? "");
    if (dollars === undefined || dollars <= found.amount)
      throw new HTTPException(422, { message: "amount: say how many dollars it is to have, more than now." });
    return { ...ask, scope: found.scope, budgetId: found.id, amount: formatDollars(dollars) };
  }
  if (kind === "limit") {
    if (!LimitName.safeParse(name).success)
      throw new HTTPException(422, { message: `name: must be one of ${LimitName.options.join(", ")}.` });
    if (!/^\d{1,9}$/.test(wanted ?? ""))
      throw new HTTPException(422, { message: "amount: say which whole number the limit is to be." });
  } else if (kind !== "other" && !Name.safeParse(name).success) {
    throw new HTTPException(422, { message: `name: say which ${kind} you need.` });
  }
  return { ...ask, scope };
}
