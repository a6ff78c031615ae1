import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { ApiToken } from "../domain/sign-in.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { isPermission, PERMISSIONS } from "./permissions.ts";
import { notFound } from "./problem.ts";
import { may, requirePermission, sessionOf } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, Name, Ref, Reference, rfc3339, Time } from "./schemas.ts";
import { createToken } from "./sign-in/tokens.ts";

/** A token lives no longer than this, milliseconds. */
const LONGEST_MS = 366 * 86_400_000;

const TokenView = z
  .object({
    id: z.string(),
    name: z.string(),
    user: Reference,
    scopes: z.array(z.string()).describe("Permissions; good as far as the user has them, too."),
    createdAt: Time,
    expiresAt: Time,
    lastUsedAt: Time.nullable().describe("Give or take a minute."),
  })
  .openapi("Token");
const TokenInput = z.object({
  name: Name,
  scopes: z.array(z.enum(PERMISSIONS)).min(1).describe("Permissions that you have yourself."),
  expiresAt: Time.describe("At most a year from now."),
});
const All = z.object({
  all: z.enum(["true", "false"]).default("false").describe("Those of all users, where you may see them."),
});

const list = createRoute({
  ...needs("self.sign_in", { session: true }),
  method: "get",
  path: "/tokens",
  request: { query: All.extend(pageQuery) },
  responses: { 200: json(pageOf(TokenView), "Personal tokens, oldest first") },
});
const add = createRoute({
  ...needs("self.sign_in", { session: true, stepUp: true }),
  method: "post",
  path: "/tokens",
  request: { body: jsonBody(TokenInput) },
  responses: {
    201: json(
      z.object({
        token: TokenView,
        secret: z
          .string()
          .nullable()
          .describe("Shown this once; null where an Idempotency-Key repeats an answer."),
      }),
      "The new token",
    ),
  },
});
const remove = createRoute({
  ...needs("self.sign_in", { session: true }),
  method: "delete",
  path: "/tokens/{ref}",
  request: { params: Ref },
  responses: { 204: { description: "It opens nothing any more" } },
});

/** Personal tokens for the admin API. None of them makes another one, or changes how its user signs in. */
export function tokens(parts: AdminParts): AdminApp {
  const { store, clock } = parts;
  const app = resource();

  app.openapi(list, async (c) => {
    const { user } = sessionOf(c);
    const { all, ...where } = c.req.valid("query");
    const isAll = all === "true";
    if (isAll) requirePermission(c, "sessions.all");
    const [users, items] = await Promise.all([
      store.listUsers(),
      store.listApiTokens(isAll ? undefined : user.id),
    ]);
    const names = new Map(users.map(({ id, name }) => [id, name]));
    const page = paged(items, ({ createdAt, id }) => [createdAt, id], where);
    const views = page.items.map((token) => view(token, names.get(token.userId) ?? ""));
    return c.json({ items: views, next: page.next }, 200);
  });
  app.openapi(add, async (c) => {
    const { user, permissions } = sessionOf(c);
    const { name, scopes, expiresAt } = c.req.valid("json");
    const [now, end] = [clock.now(), Date.parse(expiresAt)];
    const missing = scopes.find((scope) => !isPermission(scope) || !permissions.has(scope));
    if (missing !== undefined) throw unacceptable(`scopes: you have no permission ${missing} to hand on.`);
    if (end <= now || end > now + LONGEST_MS)
      throw unacceptable("expiresAt: it must be after now and within a year.");
    const facts = { userId: user.id, name, scopes: [...new Set(scopes)], createdAt: now, expiresAt: end };
    const { token, text } = createToken(parts, facts);
    await store.audited(c.var.source, "addApiToken", token);
    return c.json({ token: view(token, user.name), secret: text }, 201);
  });
  app.openapi(remove, async (c) => {
    const { ref } = c.req.valid("param");
    const { user } = sessionOf(c);
    const token = (await store.listApiTokens(may(c, "sessions.all") ? undefined : user.id)).find(
      ({ id }) => id === ref,
    );
    if (token === undefined || !(await store.audited(c.var.source, "removeApiToken", ref)))
      throw notFound("token", ref);
    return c.body(null, 204);
  });
  return app;
}

function view({ id, name, userId, scopes, createdAt, expiresAt, lastUsedAt }: ApiToken, userName: string) {
  return {
    id,
    name,
    user: { id: userId, name: userName },
    scopes: [...scopes],
    createdAt: rfc3339(createdAt),
    expiresAt: rfc3339(expiresAt),
    lastUsedAt: rfc3339(lastUsedAt),
  };
}

function unacceptable(message: string): HTTPException {
  return new HTTPException(422, { message });
}
