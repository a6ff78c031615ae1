import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { looksLikeKey } from "../domain/key.ts";
import { looksLikePersonalToken } from "../domain/personal-token.ts";
import { nobody } from "./acting-user.ts";
import { actorOf, type Caller, operator } from "./caller.ts";
import type { Declared, Need } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { BY_KEY, isPermission } from "./permissions.ts";
import { CodedProblem, forbidden } from "./problem.ts";
import { requireStepUp } from "./requirements.ts";
import type { AdminEnv } from "./resource.ts";
import { readSessionCookie } from "./sign-in/cookie.ts";
import { isFromPage, mayRead, placeOf } from "./sign-in/origin.ts";
import { findSession, isCsrf } from "./sign-in/sessions.ts";
import { findToken } from "./sign-in/tokens.ts";

/** What each operation declares, by method and path: `GET /api/v1/users/:ref`. */
export type Operations = ReadonlyMap<string, Declared & { readonly "x-permission": Need }>;

const PREFIX = "/api/v1";

/**
 * Stands before every operation of the admin API: finds out who asks, and lets through whoever may. A request that fits
 * no operation, an operation that declares nothing, and whatever goes wrong in here let nobody through.
 */
export function guard(parts: AdminParts, operations: () => Operations): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const operation = operationOf(c, operations());
    const isPublic = operation?.["x-permission"] === "public";
    const found = await callerOf(c, parts, isPublic);
    // Who holds a master key is nobody but where keys are taken.
    const need = operation?.["x-permission"] ?? "public";
    const caller =
      found?.kind === "key" && (need === "public" || !found.permissions.has(need)) ? null : found;
    const source = { at: parts.clock.now(), actor: actorOf(caller), address: c.env.address };
    c.set("caller", caller);
    c.set("source", source);
    if (caller === null && !isPublic) {
      throw new CodedProblem(
        401,
        "Sign in at /console/, or send a token: Authorization: Bearer <personal token, or content of admin.token in the data directory>.",
        "not_signed_in",
      );
    }
    if (operation !== undefined) {
      requireDeclared(operation, caller);
      if (operation["x-step-up"]) requireStepUp({ caller, source });
    }
    await next();
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
  };
}

/**
 * What all operations declare.
 * @throws Error for one that declares nothing, or a permission that there is none of.
 */
export function declaredOperations(app: OpenAPIHono<AdminEnv>): Operations {
  const operations = new Map<string, Declared & { "x-permission": Need }>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== "route") continue;
    const { method, path, ...rest } = definition.route;
    const declared = rest as Declared;
    const need = declared["x-permission"];
    const name = `${method.toUpperCase()} ${path.replaceAll(/\/\{(.+?)\}/g, "/:$1")}`;
    if (need === undefined || (need !== "public" && !isPermission(need)))
      throw new Error(`${name} declares no permission: spread needs(...) into its createRoute.`);
    operations.set(name, { ...declared, "x-permission": need });
  }
  for (const { method, path } of app.routes) {
    if (method !== "ALL" && path.startsWith(PREFIX) && !operations.has(`${method} ${path}`))
      throw new Error(`${method} ${path} is no operation of the document: add it by openapi().`);
  }
  return operations;
}

/** The one that will answer; undefined where there is none. */
function operationOf(c: Context<AdminEnv>, operations: Operations) {
  const method = c.req.method === "HEAD" ? "GET" : c.req.method;
  for (const route of matchedRoutes(c)) {
    if (route.method === "ALL") continue;
    const operation = operations.get(`${method} ${route.path}`);
    if (operation === undefined) throw forbidden("This operation is open to nobody.", "undeclared");
    return operation;
  }
  return undefined;
}

async function callerOf(c: Context<AdminEnv>, parts: AdminParts, isPublic: boolean): Promise<Caller | null> {
  const { headers } = c.req.raw;
  const changes = c.req.method !== "GET" && c.req.method !== "HEAD";
  const authorization = headers.get("authorization");
  // Whoever names a token is no browser that follows somebody else's link.
  if (authorization !== null && !isPublic) return bearerOf(authorization, parts);

  const place = placeOf(headers, c.env.address, parts.consoleUrl);
  if (isPublic && changes && !isFromPage(headers, place)) throw notFromPage(place);
  const secret = readSessionCookie(c, place);
  if (secret === undefined || !mayRead(headers, place)) return null;
  const caller = await findSession(parts, secret);
  if (caller === null || isPublic || !changes) return caller;
  if (!isFromPage(headers, place)) throw notFromPage(place);
  if (!isCsrf(c.req.header("x-lmk-csrf"), caller)) {
    throw forbidden(
      "Changes that a session makes carry its x-lmk-csrf token: see GET /api/v1/session.",
      "csrf",
    );
  }
  return caller;
}

async function bearerOf(authorization: string, parts: AdminParts): Promise<Caller | null> {
  const token = /^Bearer (.+)$/.exec(authorization)?.[1];
  if (token === undefined) return null;
  if (parts.isOperator(token)) return operator;
  if (looksLikePersonalToken(token) || !looksLikeKey(token)) return findToken(parts, token);
  const holder = parts.holderOfKey(token);
  if (holder === undefined) return null;
  const { user, group } = holder;
  return { kind: "key", permissions: BY_KEY, user, group };
}

function requireDeclared(declared: Declared & { "x-permission": Need }, caller: Caller | null): void {
  const need = declared["x-permission"];
  if (need === "public") return;
  if (caller === null || !caller.permissions.has(need))
    throw forbidden(`This needs the permission ${need}.`, "permission_missing");
  if (caller.kind === "operator" && need.startsWith("self.")) throw nobody();
  if (declared["x-session"] && caller.kind !== "session")
    throw forbidden("This is for people who have signed in, not for tokens.", "session_required");
}

function notFromPage(place: ReturnType<typeof placeOf>): CodedProblem {
  return "refusal" in place
    ? forbidden(place.refusal, "insecure")
    : forbidden("This request was not made by the console's own page.", "csrf");
}
