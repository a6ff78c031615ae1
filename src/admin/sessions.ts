import { createRoute, z } from "@hono/zod-openapi";
import { SIGN_IN_METHODS, type StoredSession } from "../domain/sign-in.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { may, requirePermission, sessionOf } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, Ref, Reference, rfc3339, Time } from "./schemas.ts";
import { sessionEnd } from "./sign-in/sessions.ts";

const OneSession = z
  .object({
    id: z.string(),
    user: Reference,
    current: z.boolean().describe("The one that asks."),
    method: z.enum(SIGN_IN_METHODS),
    createdAt: Time,
    lastSeenAt: Time.describe("Give or take half a minute."),
    expiresAt: Time.describe("If nobody uses it any more."),
    address: z.string().nullable(),
    agent: z.string().describe("The browser, as it names itself."),
  })
  .openapi("OpenSession");
const All = z.object({
  all: z.enum(["true", "false"]).default("false").describe("Those of all users, where you may see them."),
});

const list = createRoute({
  ...needs("self.sign_in", { session: true }),
  method: "get",
  path: "/sessions",
  request: { query: All.extend(pageQuery) },
  responses: { 200: json(pageOf(OneSession), "Open sessions, newest first") },
});
const end = createRoute({
  ...needs("self.sign_in", { session: true }),
  method: "delete",
  path: "/sessions/{ref}",
  request: { params: Ref },
  responses: { 204: { description: "It has ended" } },
});

/** Who is signed in: one's own sessions, and for owners everybody's. */
export function sessions({ store, clock }: AdminParts): AdminApp {
  const app = resource();
  const open = async (userId: string | undefined) =>
    (await store.listSessions(userId)).filter((one) => sessionEnd(one) > clock.now());

  app.openapi(list, async (c) => {
    const { user, session } = sessionOf(c);
    const { all, ...where } = c.req.valid("query");
    const isAll = all === "true";
    if (isAll) requirePermission(c, "sessions.all");
    const [users, items] = await Promise.all([store.listUsers(), open(isAll ? undefined : user.id)]);
    const names = new Map(users.map(({ id, name }) => [id, name]));
    const page = paged(items, (one) => [-one.createdAt, one.id], where);
    const views = page.items.map((one) => view(one, names.get(one.userId) ?? "", one.id === session.id));
    return c.json({ items: views, next: page.next }, 200);
  });
  app.openapi(end, async (c) => {
    const { ref } = c.req.valid("param");
    const theirs = await open(may(c, "sessions.all") ? undefined : sessionOf(c).user.id);
    // Of others' sessions nobody learns whether there is one.
    if (!theirs.some(({ id }) => id === ref) || !(await store.audited(c.var.source, "endSession", ref)))
      throw notFound("session", ref);
    return c.body(null, 204);
  });
  return app;
}

function view(session: StoredSession, userName: string, current: boolean) {
  const { id, userId, method, createdAt, lastSeenAt, address, agent } = session;
  return {
    id,
    user: { id: userId, name: userName },
    current,
    method,
    createdAt: rfc3339(createdAt),
    lastSeenAt: rfc3339(lastSeenAt),
    expiresAt: rfc3339(sessionEnd(session)),
    address,
    agent,
  };
}
