import { lifetimeState } from "../../domain/directory.ts";
import { createPersonalToken, parsePersonalToken } from "../../domain/personal-token.ts";
import type { ApiToken } from "../../domain/sign-in.ts";
import { type TokenCaller, tokenPermissions } from "../caller.ts";
import type { Permission } from "../permissions.ts";
import { hashFor, sameHash } from "./hash.ts";
import { isActive, type SessionParts } from "./sessions.ts";

/** Uses within this time are noted as one, milliseconds. */
const TOUCH_MS = 60_000;
/** Compared where the id is unknown, so that an unknown id takes as long as a wrong secret. */
const NO_HASH = new Uint8Array(32);

/** A new token; its text is nowhere else. */
export function createToken(
  { signInKey }: Pick<SessionParts, "signInKey">,
  facts: {
    readonly userId: string;
    readonly name: string;
    readonly scopes: readonly Permission[];
    readonly createdAt: number;
    readonly expiresAt: number;
  },
): { token: ApiToken; text: string } {
  const { id, text } = createPersonalToken();
  const hash = hashFor(signInKey, "token", text);
  return { token: { ...facts, id, hash, lastUsedAt: null }, text };
}

/** Whose token this is; null where it is none, or it or its user has ended. */
export async function findToken(
  { store, clock, signInKey }: SessionParts,
  text: string,
): Promise<TokenCaller | null> {
  const id = parsePersonalToken(text);
  if (id === undefined) return null;
  const found = await store.readApiToken(id);
  const isSame = sameHash(hashFor(signInKey, "token", text), found?.token.hash ?? NO_HASH);
  const now = clock.now();
  if (found === null || !isSame || !isActive(found, now)) return null;
  const { token, user, group } = found;
  if (lifetimeState({ revokedAt: null, expiresAt: token.expiresAt }, now) !== "active") return null;
  if (token.lastUsedAt === null || now - token.lastUsedAt >= TOUCH_MS)
    await store.touchApiToken(token.id, now);
  return { kind: "token", user, group, permissions: tokenPermissions(found, token), token };
}
