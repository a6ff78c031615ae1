import type { AuditActor } from "../domain/audit.ts";
import type { ApiToken, SignedUser, StoredSession } from "../domain/sign-in.ts";
import { PERMISSIONS, type Permission, permissionsOf } from "./permissions.ts";

/** Whoever holds the operator token. */
interface Operator {
  readonly kind: "operator";
  readonly permissions: ReadonlySet<Permission>;
}

/** A user in the browser. */
export interface SessionCaller extends SignedUser {
  readonly kind: "session";
  readonly permissions: ReadonlySet<Permission>;
  readonly session: StoredSession;
  /** What changing calls of this session must carry in `x-lmk-csrf`. */
  readonly csrf: string;
}

/** A user's program. */
export interface TokenCaller extends SignedUser {
  readonly kind: "token";
  readonly permissions: ReadonlySet<Permission>;
  readonly token: ApiToken;
}

/** The holder of a master key. */
interface KeyCaller extends SignedUser {
  readonly kind: "key";
  readonly permissions: ReadonlySet<Permission>;
}

/** Who makes a request of the admin API, and all that they may do. */
export type Caller = Operator | SessionCaller | TokenCaller | KeyCaller;

export const operator: Operator = { kind: "operator", permissions: new Set(PERMISSIONS) };

/** As the audit log names them. */
export function actorOf(caller: Caller | null): AuditActor {
  if (caller === null) return { kind: "nobody", id: null, name: "nobody" };
  if (caller.kind === "operator") return { kind: "operator", id: null, name: "operator" };
  const { id, name } = caller.user;
  if (caller.kind !== "token") return { kind: "user", id, name };
  return { kind: "token", id: caller.token.id, name: `${name}/${caller.token.name}` };
}

/** What a user's token may do: what it was made for, as far as its user may do it now. */
export function tokenPermissions({ user }: SignedUser, { scopes }: ApiToken): ReadonlySet<Permission> {
  return new Set([...permissionsOf(user.role)].filter((permission) => scopes.includes(permission)));
}
