import type { AuditSource } from "../../domain/audit.ts";
import type { Clock } from "../../domain/clock.ts";
import { lifetimeState } from "../../domain/directory.ts";
import { randomBase62 } from "../../domain/key.ts";
import type { SignedUser, SignInMethod, StoredSession } from "../../domain/sign-in.ts";
import type { AdminStore } from "../../domain/store.ts";
import type { SessionCaller } from "../caller.ts";
import { permissionsOf } from "../permissions.ts";
import { hashFor, sameHash } from "./hash.ts";

/** A session ends this long after it began, used or not, milliseconds. */
export const SESSION_MS = 12 * 3_600_000;
/** A session that nobody uses ends after this time, milliseconds. */
const IDLE_MS = 30 * 60_000;
/** Uses within this time are noted as one, milliseconds. */
const TOUCH_MS = 30_000;

export interface SessionParts {
  readonly store: AdminStore;
  readonly clock: Clock;
  readonly signInKey: Uint8Array;
}

/** Who comes from where, as the log and the user see it. */
export interface Arrival {
  readonly source: AuditSource;
  readonly agent: string;
}

/** Begins a session; its secret is nowhere else. What came in with another one must end that first. */
export async function beginSession(
  { store, clock, signInKey }: SessionParts,
  { user, group }: SignedUser,
  method: SignInMethod,
  { source, agent }: Arrival,
): Promise<{ secret: string; caller: SessionCaller }> {
  const secret = randomBase62(43);
  const now = clock.now();
  const session: StoredSession = {
    id: `ses_${randomBase62(10)}`,
    hash: hashFor(signInKey, "session", secret),
    userId: user.id,
    method,
    createdAt: now,
    lastSeenAt: now,
    steppedUpAt: now,
    expiresAt: now + SESSION_MS,
    address: source.address,
    agent: agent.slice(0, 200),
  };
  await store.audited(bySelf(source, user), "addSession", session);
  return { secret, caller: callerOf({ user, group }, session, csrfOf(signInKey, secret)) };
}

/** What a user does who is coming in. */
export function bySelf(source: AuditSource, { id, name }: SignedUser["user"]): AuditSource {
  return { ...source, actor: { kind: "user", id, name } };
}

/** Whose session this is; null where there is none of this secret, or it or its user has ended. */
export async function findSession(
  { store, clock, signInKey }: SessionParts,
  secret: string,
): Promise<SessionCaller | null> {
  const found = await store.readSession(hashFor(signInKey, "session", secret));
  if (found === null) return null;
  const { session } = found;
  const now = clock.now();
  if (now >= sessionEnd(session) || !isActive(found, now)) return null;
  if (now - session.lastSeenAt >= TOUCH_MS) await store.touchSession(session.id, now);
  return callerOf(found, session, csrfOf(signInKey, secret));
}

/** When it ends if nobody uses it any more. */
export function sessionEnd({ lastSeenAt, expiresAt }: StoredSession): number {
  return Math.min(lastSeenAt + IDLE_MS, expiresAt);
}

/** Users whose group was revoked or has ended are as little let in as those who were themselves. */
export function isActive({ user, group }: SignedUser, now: number): boolean {
  return lifetimeState(user, now) === "active" && lifetimeState(group, now) === "active";
}

/** Whether this is the session's own: see `SessionCaller.csrf`. */
export function isCsrf(given: string | undefined, { csrf }: SessionCaller): boolean {
  return given !== undefined && sameHash(Buffer.from(given), Buffer.from(csrf));
}

function csrfOf(key: Uint8Array, secret: string): string {
  return hashFor(key, "csrf", secret).toBase64({ alphabet: "base64url", omitPadding: true });
}

function callerOf({ user, group }: SignedUser, session: StoredSession, csrf: string): SessionCaller {
  return { kind: "session", user, group, permissions: permissionsOf(user.role), session, csrf };
}
