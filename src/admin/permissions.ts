import type { Role } from "../domain/role.ts";

/**
 * What an operation of the admin API may need; each says so where it is declared, by `needs`. What ends in `.read`
 * changes nothing and shows no secret.
 */
export const PERMISSIONS = [
  "groups.read",
  "groups.write",
  "users.read",
  "users.write",
  "users.role",
  "keys.read",
  "keys.write",
  "policies.read",
  "policies.write",
  "ledger.read",
  "ledger.decide",
  "settings.read",
  "settings.write",
  "settings.sign_in",
  "credentials.read",
  "credentials.write",
  "providers.read",
  "providers.write",
  "objects.read",
  "objects.write",
  "prices.read",
  "prices.write",
  "requests.read",
  "usage.read",
  "audit.read",
  "sign_in_links.write",
  "sessions.all",
  "asks.read",
  "asks.decide",
  "self.read",
  "self.usage",
  "self.ask",
  "self.write",
  "self.sign_in",
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** One's own keys, calls and limits; sessions and what one signs in with. */
const SELF: readonly Permission[] = ["self.read", "self.usage", "self.ask", "self.write", "self.sign_in"];

/** What the holder of a master key may do with it: see what is its own, and ask for more. */
export const BY_KEY: ReadonlySet<Permission> = new Set(["self.usage", "self.ask"]);

/** Who may let others in as owner, decide how people sign in, or say what a lost call has cost. */
const OWNERS_ALONE: readonly Permission[] = [
  "users.role",
  "settings.sign_in",
  "sessions.all",
  "ledger.decide",
];

const OF_ROLE: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  owner: new Set(PERMISSIONS),
  admin: new Set(PERMISSIONS.filter((permission) => !OWNERS_ALONE.includes(permission))),
  auditor: new Set([...PERMISSIONS.filter((permission) => permission.endsWith(".read")), ...SELF]),
  member: new Set(SELF),
};

export function permissionsOf(role: Role): ReadonlySet<Permission> {
  return OF_ROLE[role];
}

export function isPermission(text: string): text is Permission {
  return PERMISSIONS.includes(text as Permission);
}

/** True for permissions that suffice for all that a role may do, but for what everybody may with what is their own. */
export function outranks(permissions: ReadonlySet<Permission>, role: Role): boolean {
  return [...OF_ROLE[role]].every((one) => SELF.includes(one) || permissions.has(one));
}
