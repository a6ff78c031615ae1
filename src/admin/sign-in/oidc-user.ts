import { type AuditSource, bySystem } from "../../domain/audit.ts";
import { grantedBy } from "../../domain/claim-rule.ts";
import type { User } from "../../domain/directory.ts";
import { randomBase62 } from "../../domain/key.ts";
import type { OidcSettings, SignedUser } from "../../domain/sign-in.ts";
import { Conflict } from "../../domain/store.ts";
import { findByRef } from "../groups.ts";
import type { AdminParts } from "../parts.ts";
import { Name } from "../schemas.ts";
import { DEFAULT_GROUP } from "../users.ts";
import type { Arrived } from "./oidc.ts";

type Parts = Pick<AdminParts, "store" | "clock" | "directoryChanged">;

/** Names that are tried for a new user before a random one. */
const TRIES = 20;

/**
 * The user that an identity provider means, made where that is wanted. Only issuer and subject say who it is.
 * @returns why there is none: `unknown` or `no rule fits`.
 */
export async function userOfIdentity(
  parts: Parts,
  settings: OidcSettings,
  { issuer, subject, claims }: Arrived,
  address: string | null,
): Promise<SignedUser | "unknown" | "no rule fits"> {
  const { store, clock } = parts;
  const source = { ...bySystem("identity provider", clock.now()), address };
  const found = await store.readIdentity(issuer, subject);
  const granted = grantedBy(settings.rules, claims);
  if (settings.onlyMatching && !granted.matches && (found === null || found.identity.managed))
    return "no rule fits";
  const groups = await store.listGroups();
  const group = granted.group === null ? undefined : findByRef(groups, granted.group);
  const role = granted.role ?? "member";
  if (found !== null) {
    if (!found.identity.managed) return found;
    const change = {
      ...(found.user.role === role ? {} : { role }),
      ...(group === undefined || group.id === found.user.groupId ? {} : { groupId: group.id }),
    };
    if (Object.keys(change).length === 0) return found;
    try {
      await store.audited(source, "updateUser", found.user.id, change);
    } catch (error) {
      // The last owner stays owner, whatever the provider says.
      if (!(error instanceof Conflict)) throw error;
    }
    await parts.directoryChanged();
    return (await store.readIdentity(issuer, subject)) ?? "unknown";
  }
  if (!settings.createUsers) return "unknown";
  const home = group ?? groups.find(({ name }) => name === DEFAULT_GROUP);
  if (home === undefined) return "unknown";
  const now = clock.now();
  const user: User = {
    id: `usr_${randomBase62(10)}`,
    name: "",
    groupId: home.id,
    role,
    createdAt: now,
    revokedAt: null,
    expiresAt: null,
  };
  await addUnderSomeName(parts, source, user, claims);
  await store.audited(source, "addIdentity", {
    issuer,
    subject,
    userId: user.id,
    managed: true,
    createdAt: now,
  });
  await parts.directoryChanged();
  return (await store.readIdentity(issuer, subject)) ?? "unknown";
}

/** A name that somebody has already is theirs: the newcomer gets a number, never their account. */
async function addUnderSomeName(
  { store }: Parts,
  source: AuditSource,
  user: User,
  claims: Arrived["claims"],
): Promise<void> {
  const wanted = ["preferred_username", "email", "name", "sub"].map(
    (claim) => Name.safeParse(claims[claim]).data,
  );
  const name = wanted.find((one) => one !== undefined) ?? "user";
  for (let count = 1; ; count++) {
    const ending = count === 1 ? "" : count > TRIES ? `-${randomBase62(8)}` : `-${count}`;
    try {
      return await store.audited(source, "addUser", { ...user, name: name.slice(0, 90) + ending });
    } catch (error) {
      if (!(error instanceof Conflict) || count > TRIES) throw error;
    }
  }
}
