import type { Context } from "hono";
import type { SignedUser, SignInMethod } from "../../domain/sign-in.ts";
import type { SessionCaller } from "../caller.ts";
import type { AdminParts } from "../parts.ts";
import { forbidden } from "../problem.ts";
import type { AdminEnv } from "../resource.ts";
import { readSessionCookie, setSessionCookie } from "./cookie.ts";
import { placeOf } from "./origin.ts";
import { beginSession, findSession } from "./sessions.ts";

/**
 * Begins a session and gives the browser its cookie; the one that the browser had before ends. The only way in which
 * sessions begin.
 */
export async function enter(
  c: Context<AdminEnv>,
  parts: AdminParts,
  user: SignedUser,
  method: SignInMethod,
): Promise<SessionCaller> {
  const place = placeOf(c.req.raw.headers, c.env.address, parts.consoleUrl);
  if ("refusal" in place) throw forbidden(place.refusal, "insecure");
  const before = readSessionCookie(c, place);
  const old = before === undefined ? null : await findSession(parts, before);
  if (old !== null) await parts.store.audited(c.var.source, "endSession", old.session.id);
  const arrival = { source: c.var.source, agent: c.req.header("user-agent") ?? "" };
  const { secret, caller } = await beginSession(parts, user, method, arrival);
  setSessionCookie(c, place, secret);
  return caller;
}
