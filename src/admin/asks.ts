import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { Ask } from "../domain/ask.ts";
import type { Scope } from "../domain/policy.ts";
import { AskKind, AskPage, AskState, AskView, AskViews } from "./ask-views.ts";
import { grantOf } from "./grant.ts";
import { getByRef } from "./groups.ts";
import { needs } from "./needs.ts";
import { cursorText, pageQuery, parseCursor } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { ScopeRef } from "./policies.ts";
import { notFound } from "./problem.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, Ref } from "./schemas.ts";
import { Scopes } from "./scopes.ts";

const Answer = z.string().trim().max(1000);

const list = createRoute({
  ...needs("asks.read"),
  method: "get",
  path: "/asks",
  request: {
    query: z.object({
      ...pageQuery,
      state: AskState.optional(),
      kind: AskKind.optional(),
      user: z.string().optional().describe("Name or id."),
    }),
  },
  responses: { 200: json(AskPage, "What users ask for, newest first") },
});
const show = createRoute({
  ...needs("asks.read"),
  method: "get",
  path: "/asks/{ref}",
  request: { params: Ref },
  responses: { 200: json(AskView, "The ask with this id") },
});
const grant = createRoute({
  ...needs("asks.decide"),
  method: "post",
  path: "/asks/{ref}/grant",
  request: {
    params: Ref,
    body: jsonBody(
      z.strictObject({
        scope: ScopeRef.optional().describe("Where to change it, where the ask says nothing or another one."),
        amount: z.string().max(60).optional().describe("Instead of the amount that was asked for."),
        answer: Answer.optional(),
      }),
    ),
  },
  responses: { 200: json(AskView, "Granted: the policy or budget is changed and in force") },
});
const deny = createRoute({
  ...needs("asks.decide"),
  method: "post",
  path: "/asks/{ref}/deny",
  request: { params: Ref, body: jsonBody(z.strictObject({ reason: Answer.min(1) })) },
  responses: { 200: json(AskView, "Denied; nothing is changed") },
});

export function asks(parts: AdminParts): AdminApp {
  const { store, clock } = parts;
  const app = resource();

  const find = async (ref: string): Promise<Ask> => {
    const ask = await store.readAsk(ref);
    if (ask === null) throw notFound("ask", ref);
    return ask;
  };
  const shown = async (ref: string) => (await AskViews.read(store)).view(await find(ref));
  const requireOpen = ({ state }: Ask) => {
    if (state !== "open") throw new HTTPException(409, { message: `It was ${state} already.` });
  };

  app.openapi(list, async (c) => {
    const { user, limit, cursor, ...filter } = c.req.valid("query");
    const userId = user === undefined ? undefined : getByRef("user", await store.listUsers(), user).id;
    return c.json(await askPage(parts, { ...filter, userId }, limit, cursor), 200);
  });
  app.openapi(show, async (c) => c.json(await shown(c.req.valid("param").ref), 200));
  app.openapi(grant, async (c) => {
    const ask = await find(c.req.valid("param").ref);
    requireOpen(ask);
    const { scope: ref, amount, answer = null } = c.req.valid("json");
    const [scopes, policies, users] = await Promise.all([
      Scopes.read(store),
      store.listPolicies(),
      store.listUsers(),
    ]);
    const user = getByRef("user", users, ask.userId);
    const home: Scope[] = [
      { kind: "organisation", id: "" },
      { kind: "group", id: user.groupId },
      { kind: "user", id: user.id },
    ];
    const scope = ref === undefined ? undefined : scopes.byRef(ref);
    const now = clock.now();
    const terms = { amount, scope: scope && { kind: scope.kind, id: scope.id } };
    const changes = grantOf(ask, terms, policies, home, now);
    const decision = { state: "granted" as const, at: now, by: c.var.source.actor.name, answer };
    await store.audited(c.var.source, "decideAsk", ask.id, decision, changes);
    if (changes.length > 0) await parts.directoryChanged();
    return c.json(await shown(ask.id), 200);
  });
  app.openapi(deny, async (c) => {
    const ask = await find(c.req.valid("param").ref);
    requireOpen(ask);
    const answer = c.req.valid("json").reason;
    const decision = { state: "denied" as const, at: clock.now(), by: c.var.source.actor.name, answer };
    await store.audited(c.var.source, "decideAsk", ask.id, decision, []);
    return c.json(await shown(ask.id), 200);
  });
  return app;
}

/** A page of asks, newest first. */
export async function askPage(
  { store }: AdminParts,
  filter: { userId?: string | undefined; state?: Ask["state"] | undefined; kind?: Ask["kind"] | undefined },
  limit: number,
  cursor: string | undefined,
) {
  const [at, id] = cursor === undefined ? [] : parseCursor(cursor);
  if (cursor !== undefined && (typeof at !== "number" || typeof id !== "string"))
    throw new HTTPException(400, { message: "cursor: is of another list." });
  const before = typeof at === "number" && typeof id === "string" ? { at, id } : undefined;
  const found = await store.listAsks({ ...filter, before, limit: limit + 1 });
  const views = await AskViews.read(store);
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map((ask) => views.view(ask)),
    next: last !== undefined && found.length > limit ? cursorText([last.createdAt, last.id]) : null,
  };
}
