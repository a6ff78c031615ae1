import type { Context } from "hono";
import type { Role } from "../domain/role.ts";
import type { SessionCaller } from "./caller.ts";
import { outranks, type Permission } from "./permissions.ts";
import { forbidden } from "./problem.ts";
import type { AdminEnv } from "./resource.ts";

/** Whether this request's caller has a permission. */
export function may(c: Context<AdminEnv>, permission: Permission): boolean {
  return c.var.caller?.permissions.has(permission) ?? false;
}

/** @throws HTTPException 403 for who lacks it. */
export function requirePermission(c: Context<AdminEnv>, permission: Permission): void {
  if (!may(c, permission)) throw forbidden(`This needs the permission ${permission}.`, "permission_missing");
}

/** Whether a thing of this user's is the caller's own. */
export function isOwn(c: Context<AdminEnv>, userId: string): boolean {
  const { caller } = c.var;
  return caller !== null && caller.kind !== "operator" && caller.user.id === userId;
}

/** @throws HTTPException 403 for any other caller than a user in the browser. */
export function sessionOf(c: Context<AdminEnv>): SessionCaller {
  const { caller } = c.var;
  if (caller?.kind === "session") return caller;
  throw forbidden("This is for people who have signed in, not for tokens.", "session_required");
}

/**
 * For what could make the caller somebody else: nobody reaches above themself, and a token not above what it was made
 * for, not even to its own user.
 * @throws HTTPException 403 where that user may do what the caller may not.
 */
export function requireRank(c: Context<AdminEnv>, { role }: { readonly role: Role }): void {
  const { caller } = c.var;
  if (caller !== null && outranks(caller.permissions, role)) return;
  throw forbidden(`Somebody is ${role} there, who may do more than you may here.`, "outranked");
}

/** How long after they showed who they are people may change what gives access, milliseconds. */
const STEP_UP_MS = 15 * 60_000;

/**
 * For changes of what gives access. A stolen session alone must not be worth a lasting way in.
 * @throws HTTPException 403 `step_up_required` where a session's user has not shown lately who they are.
 */
export function requireStepUp({ caller, source }: Pick<AdminEnv["Variables"], "caller" | "source">): void {
  if (caller?.kind !== "session" || source.at - caller.session.steppedUpAt < STEP_UP_MS) return;
  throw forbidden(
    "Confirm with your passkey or password that it is you: POST /api/v1/session/step-up, or sign in again.",
    "step_up_required",
  );
}
