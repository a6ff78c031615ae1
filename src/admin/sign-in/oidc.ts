import * as client from "openid-client";
import { claimOf } from "../../domain/claim-rule.ts";
import type { Clock } from "../../domain/clock.ts";
import { isLoopbackHost } from "../../domain/loopback.ts";
import type { OidcSettings } from "../../domain/sign-in.ts";

/** How long a person may be at the identity provider, milliseconds. */
export const JOURNEY_MS = 10 * 60_000;
/** How long what a provider says of itself is believed, milliseconds. */
const DISCOVERY_MS = 3_600_000;
/** How long it may take to answer, seconds. */
const TIMEOUT_SECONDS = 10;
/** How long ago somebody may have signed in there who confirms who they are, seconds. */
const FRESH_SECONDS = 300;

/** What somebody is sent to the identity provider for. */
export type Errand =
  | { readonly kind: "sign-in" }
  /** To be known from now on as this user; or to confirm that they are the user of this session. */
  | { readonly kind: "connect" | "step-up"; readonly userId: string; readonly sessionId: string };

/** What has to be the same when they come back; sealed, in a cookie of its own. */
interface Journey {
  readonly errand: Errand;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly origin: string;
  readonly endsAt: number;
}

/** Whom the identity provider says that somebody is. */
export interface Arrived {
  readonly errand: Errand;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface OidcParts {
  readonly clock: Clock;
  /** Null of a public client. */
  readonly secretOf: (settings: OidcSettings) => string | null;
  readonly seal: (issuer: string, text: string) => Uint8Array;
  /** @throws where it was not sealed here, for this issuer. */
  readonly open: (issuer: string, sealed: Uint8Array) => string;
  readonly proxy: string | undefined;
}

/** Somebody came back from the identity provider, and not as they should. */
export class JourneyFailed extends Error {
  override name = "JourneyFailed";
}

/** Signing in with any OpenID Connect provider: authorisation code, PKCE, state and nonce, checked by openid-client. */
export class Oidc {
  private readonly parts: OidcParts;
  private known:
    | { readonly of: string; readonly at: number; readonly found: Promise<client.Configuration> }
    | undefined;

  constructor(parts: OidcParts) {
    this.parts = parts;
  }

  /** @returns where to send the browser, and what it must bring back. */
  async start(
    settings: OidcSettings,
    origin: string,
    errand: Errand,
  ): Promise<{ url: string; journey: string }> {
    const configuration = await this.discover(settings);
    const journey: Journey = {
      errand,
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
      origin,
      endsAt: this.parts.clock.now() + JOURNEY_MS,
    };
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: callbackUrl(origin),
      scope: settings.scopes.join(" "),
      state: journey.state,
      nonce: journey.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(journey.verifier),
      code_challenge_method: "S256",
      ...(errand.kind === "step-up" && { prompt: "login", max_age: String(FRESH_SECONDS) }),
    });
    const sealed = this.parts.seal(settings.issuer, JSON.stringify(journey));
    return { url: url.href, journey: Buffer.from(sealed).toString("base64url") };
  }

  /**
   * @param search The query that the provider sent the browser back with.
   * @throws JourneyFailed for whatever does not fit.
   */
  async finish(
    settings: OidcSettings,
    origin: string,
    search: string,
    journeyText: string,
  ): Promise<Arrived> {
    const journey = this.journeyIn(settings.issuer, journeyText);
    if (journey.endsAt <= this.parts.clock.now()) throw new JourneyFailed("it took too long");
    if (journey.origin !== origin) throw new JourneyFailed("it began at another address");
    const configuration = await this.discover(settings);
    const { errand, state, nonce, verifier } = journey;
    try {
      const tokens = await client.authorizationCodeGrant(
        configuration,
        new URL(callbackUrl(origin) + search),
        {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
          ...(errand.kind === "step-up" && { maxAge: FRESH_SECONDS }),
        },
      );
      const claims = tokens.claims();
      if (claims === undefined) throw new JourneyFailed("the provider sent no ID token");
      const more = isEnough(settings, claims)
        ? {}
        : await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      return { errand, issuer: claims.iss, subject: claims.sub, claims: { ...more, ...claims } };
    } catch (cause) {
      if (cause instanceof JourneyFailed) throw cause;
      throw new JourneyFailed(reasonOf(cause), { cause });
    }
  }

  /** @throws JourneyFailed where the provider cannot be asked. */
  async discover(settings: OidcSettings): Promise<client.Configuration> {
    const secret = this.parts.secretOf(settings);
    const of = JSON.stringify([settings.issuer, settings.clientId, secret]);
    const now = this.parts.clock.now();
    if (this.known === undefined || this.known.of !== of || now - this.known.at > DISCOVERY_MS) {
      this.known = { of, at: now, found: this.ask(settings, secret) };
    }
    const { known } = this;
    try {
      return await known.found;
    } catch (cause) {
      if (this.known === known) this.known = undefined;
      throw new JourneyFailed(`the provider cannot be asked: ${reasonOf(cause)}`, { cause });
    }
  }

  private ask({ issuer, clientId }: OidcSettings, secret: string | null): Promise<client.Configuration> {
    const url = new URL(issuer);
    const isLocal = url.protocol === "http:" && isLoopbackHost(url.hostname);
    const { proxy } = this.parts;
    return client.discovery(url, clientId, undefined, secret === null ? client.None() : withSecret(secret), {
      timeout: TIMEOUT_SECONDS,
      // For a provider on this very machine: the library itself asks for https.
      execute: isLocal ? [client.allowInsecureRequests] : [],
      [client.customFetch]: (target, options) =>
        fetch(target, { ...(options as RequestInit), ...(proxy !== undefined && { proxy }) }),
    });
  }

  private journeyIn(issuer: string, text: string): Journey {
    try {
      return JSON.parse(this.parts.open(issuer, Buffer.from(text, "base64url"))) as Journey;
    } catch (cause) {
      throw new JourneyFailed("it did not begin here", { cause });
    }
  }
}

function callbackUrl(origin: string): string {
  return `${origin}/api/v1/session/oidc/callback`;
}

/** As the provider takes it; `client_secret_basic` is what the standard falls back to. */
function withSecret(secret: string): client.ClientAuth {
  const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)];
  return (as, ...rest) => {
    const taken = as.token_endpoint_auth_methods_supported;
    const method = taken === undefined || taken.includes("client_secret_basic") ? basic : post;
    return method(as, ...rest);
  };
}

/** Whether an ID token says all that the rules ask about: some providers keep groups for the userinfo endpoint. */
function isEnough({ rules }: OidcSettings, claims: client.IDToken): boolean {
  return (
    claimOf(claims, "preferred_username") !== undefined &&
    rules.every(({ claim }) => claimOf(claims, claim) !== undefined)
  );
}

/** For the log: a code, never what a provider sends as text. */
function reasonOf(error: unknown): string {
  const { error: answered, code, name } = error as { error?: unknown; code?: unknown; name?: unknown };
  return [answered, code, name].find((one) => typeof one === "string" && /^[\w-]{1,60}$/.test(one)) ===
    undefined
    ? "unknown reason"
    : String([answered, code, name].find((one) => typeof one === "string"));
}
