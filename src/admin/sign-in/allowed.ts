import type { AdminParts } from "../parts.ts";
import { forbidden } from "../problem.ts";

/**
 * For every way in, and whatever prepares one, but the identity provider.
 * @throws CodedProblem 403 where nothing but single sign-on is allowed.
 */
export async function requireOtherThanSso({ signIn }: Pick<AdminParts, "signIn">): Promise<void> {
  const { ssoOnly } = await signIn();
  if (ssoOnly) throw forbidden("Here one signs in with the company's identity provider alone.", "sso_only");
}
