import { randomBase62 } from "../../domain/key.ts";
import { browserUrl } from "../../domain/loopback.ts";
import type { SignInLink } from "../../domain/sign-in.ts";
import { hashFor } from "./hash.ts";

/** How long a link opens, milliseconds. */
export const LINK_MS = 15 * 60_000;

/**
 * A link that signs this user in, once. The text behind its `#` is sent to no server before its page sends it.
 * @param madeBy The id of the user who makes it; null for the operator, whose links work under single sign-on, too.
 */
export function createSignInLink(
  { signInKey, consoleUrl }: { readonly signInKey: Uint8Array; readonly consoleUrl: string },
  userId: string,
  madeBy: string | null,
  now: number,
  lifetimeMs: number = LINK_MS,
): { link: SignInLink; url: string } {
  const secret = randomBase62(43);
  const link = {
    id: `sil_${randomBase62(10)}`,
    hash: hashFor(signInKey, "link", secret),
    userId,
    byOperator: madeBy === null,
    madeBy,
    createdAt: now,
    expiresAt: now + lifetimeMs,
  };
  return { link, url: `${browserUrl(consoleUrl)}/console/#link=${secret}` };
}
