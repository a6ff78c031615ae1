import type { Group, User } from "./directory.ts";
import type { Role } from "./role.ts";

/** How people come into the admin API. Secrets are stored as hashes; times are epoch milliseconds. */

/** The ways in that begin a session. */
export const SIGN_IN_METHODS = ["link", "password", "passkey", "oidc"] as const;

export type SignInMethod = (typeof SIGN_IN_METHODS)[number];

export interface StoredSession {
  readonly id: string;
  /** HMAC of the cookie's content, 32 bytes. */
  readonly hash: Uint8Array;
  readonly userId: string;
  readonly method: SignInMethod;
  readonly createdAt: number;
  /** When it was last used, give or take half a minute. */
  readonly lastSeenAt: number;
  /** When its user last showed who they are. */
  readonly steppedUpAt: number;
  /** When it ends, used or not. */
  readonly expiresAt: number;
  readonly address: string | null;
  /** The browser, as it names itself. */
  readonly agent: string;
}

/** Opens one session of one user, once. */
export interface SignInLink {
  readonly id: string;
  readonly hash: Uint8Array;
  readonly userId: string;
  /** Made with the operator token: it works where nothing but single sign-on does. */
  readonly byOperator: boolean;
  /** The user who made it: it opens no more than they may open when it is used. Null where it was nobody. */
  readonly madeBy: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A public key that a user's device proves to have. */
export interface Passkey {
  /** What the authenticator calls it, base64url. */
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** COSE. */
  readonly publicKey: Uint8Array;
  /** Of signatures, where the authenticator counts them. */
  readonly counter: number;
  readonly transports: readonly string[];
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

/** What programs of a user's come in with. */
export interface ApiToken {
  readonly id: string;
  readonly hash: Uint8Array;
  readonly userId: string;
  readonly name: string;
  /** Permissions. */
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt: number | null;
}

/** Whom an identity provider knows a user as: never an e-mail address, which changes hands. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly userId: string;
  /** The provider's claims decide this user's role and group at each sign-in. */
  readonly managed: boolean;
  readonly createdAt: number;
}

/** Who a session, token or link belongs to, as they are at this moment. */
export interface SignedUser {
  readonly user: User;
  readonly group: Group;
}

export interface SignInSettings {
  readonly oidc: OidcSettings | null;
  /** Nothing but the identity provider, and links made with the operator token, begins a session. */
  readonly ssoOnly: boolean;
}

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Bound to the issuer; null for a public client. */
  readonly sealedSecret: Uint8Array | null;
  /** What the button says. */
  readonly name: string;
  readonly scopes: readonly string[];
  /** The first that fits and names a role decides the role; the same for the group. */
  readonly rules: readonly ClaimRule[];
  /** Whether somebody who is not known yet becomes a user. */
  readonly createUsers: boolean;
  /** Whether somebody whom no rule fits is kept out. */
  readonly onlyMatching: boolean;
}

/** What a claim of the identity provider's says of a user. */
export interface ClaimRule {
  /** A claim's name, with dots for members of it: `groups`, `realm_access.roles`. */
  readonly claim: string;
  /** What it is, or has among others; `*` stands for any text. */
  readonly value: string;
  readonly role: Role | null;
  /** Name or id. */
  readonly group: string | null;
}

export const defaultSignIn: SignInSettings = { oidc: null, ssoOnly: false };
