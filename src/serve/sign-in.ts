import type { AdminParts } from "../admin/parts.ts";
import { Challenges } from "../admin/sign-in/challenges.ts";
import { Failures } from "../admin/sign-in/failures.ts";
import { createSignInLink } from "../admin/sign-in/links.ts";
import { Oidc } from "../admin/sign-in/oidc.ts";
import { Passwords } from "../admin/sign-in/passwords.ts";
import type { Config } from "../config.ts";
import { bySystem } from "../domain/audit.ts";
import type { Clock } from "../domain/clock.ts";
import type { Store } from "../domain/store.ts";
import type { Vault } from "../vault/vault.ts";

type SignInParts = Pick<
  AdminParts,
  | "signInKey"
  | "consoleUrl"
  | "signIn"
  | "failures"
  | "passwords"
  | "challenges"
  | "oidc"
  | "sealClientSecret"
  | "isSignInFixed"
>;

interface Given {
  readonly config: Pick<Config, "signIn" | "upstreamProxy">;
  readonly store: Store;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Where browsers reach the console, without a trailing slash. */
  readonly consoleUrl: string;
}

/** Everything that lets people in. */
export function signInParts({ config, store, vault, clock, consoleUrl }: Given): SignInParts {
  const fixed = config.signIn;
  const signInKey = vault.keyFor("sign-in");
  // Bound to the issuer: whoever can edit the row cannot have its secret sent to another one.
  const ofClient = (issuer: string) => ({ row: "oidc-client-secret", upstream: issuer });
  const ofJourney = (issuer: string) => ({ row: "oidc-journey", upstream: issuer });
  return {
    signInKey,
    consoleUrl,
    signIn: async () => fixed?.settings ?? (await store.readSignInSettings()),
    failures: new Failures(store),
    passwords: new Passwords(signInKey),
    challenges: new Challenges(signInKey, () => clock.now()),
    oidc: new Oidc({
      clock,
      secretOf: ({ issuer, sealedSecret }) => {
        if (fixed !== undefined) return fixed.clientSecret;
        return sealedSecret && vault.openCredential(sealedSecret, ofClient(issuer));
      },
      seal: (issuer, text) => vault.sealCredential(text, ofJourney(issuer)),
      open: (issuer, sealed) => vault.openCredential(sealed, ofJourney(issuer)),
      proxy: config.upstreamProxy,
    }),
    sealClientSecret: (issuer, secret) => vault.sealCredential(secret, ofClient(issuer)),
    isSignInFixed: fixed !== undefined,
  };
}

/** Signs the first user in, once, for whoever reads what the start prints. */
export async function firstLink(
  store: Store,
  clock: Clock,
  parts: Pick<SignInParts, "signInKey" | "consoleUrl">,
  userId: string,
): Promise<string> {
  const { link, url } = createSignInLink(parts, userId, null, clock.now());
  await store.audited(bySystem("start", clock.now()), "addSignInLink", link);
  return url;
}
