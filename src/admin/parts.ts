import type { AuditSource } from "../domain/audit.ts";
import type { Clock } from "../domain/clock.ts";
import type { DescribedCall, DescribedCaller, Explanation } from "../domain/explanation.ts";
import type { Repriced, RepriceFilter } from "../domain/repricing.ts";
import type { RequestAccount } from "../domain/request-account.ts";
import type { LoggedRequest } from "../domain/request-record.ts";
import type { SignedUser, SignInSettings } from "../domain/sign-in.ts";
import type { AdminStore } from "../domain/store.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { PriceBook } from "../pricing/book.ts";
import type { Challenges } from "./sign-in/challenges.ts";
import type { Failures } from "./sign-in/failures.ts";
import type { Oidc } from "./sign-in/oidc.ts";
import type { Passwords } from "./sign-in/passwords.ts";

/** What the admin API needs; made in `serve.ts`. */
export interface AdminParts {
  readonly store: AdminStore;
  readonly clock: Clock;
  /** Where clients reach the gateway, without a trailing slash. */
  readonly publicUrl: string;
  readonly keyHasher: { hashKey(key: string): Uint8Array };
  /** For all that gives access to this API: see `sign-in/hash.ts`. 32 bytes. */
  readonly signInKey: Uint8Array;
  /** Where browsers reach the console, without a trailing slash. */
  readonly consoleUrl: string;
  /** How people may sign in at this moment. */
  readonly signIn: () => Promise<SignInSettings>;
  readonly failures: Failures;
  readonly passwords: Passwords;
  readonly challenges: Challenges;
  readonly oidc: Oidc;
  /** Seals the client secret that an identity provider gave; bound to the issuer. */
  readonly sealClientSecret: (issuer: string, secret: string) => Uint8Array;
  /** Whether the environment says how people sign in: then nothing else does. */
  readonly isSignInFixed: boolean;
  /** Compares in constant time with the operator token. */
  readonly isOperator: (token: string) => boolean;
  /** Called after every change of groups, users or keys; when it returns, the change is in force. */
  readonly directoryChanged: () => Promise<void>;
  /** Cuts the open exchanges of these keys; returns how many there were. */
  readonly cutKeys: (keyIds: ReadonlySet<string>) => number;
  readonly credentials: CredentialDesk;
  readonly providers: () => ProviderView[];
  /** Called after every change of named providers; when it returns, they can be called, or can no more. */
  readonly providersChanged: () => Promise<void>;
  readonly addresses: {
    /** Why an address may not be called; undefined where it may. @param whose At the beginning of a sentence. */
    problemOf(whose: string, url: string, allowPrivate: boolean): Promise<string | undefined>;
  };
  readonly prices: () => PriceBook;
  /** Called after every price decision; when it returns, calls are costed by it. */
  readonly pricesChanged: () => Promise<void>;
  /** How budgets stand, and what is unresolved. */
  readonly ledger: Pick<Ledger, "standing" | "unresolved" | "decide">;
  /** Works out again what calls cost, by the prices in force. */
  readonly reprice: (filter: RepriceFilter) => Promise<Repriced>;
  /** What would happen to a call; by the steps that a real one takes. */
  readonly explain: (call: DescribedCall, caller: DescribedCaller) => Promise<Explanation>;
  /** Called after every decision on whose an object at a provider is; when it returns, it is in force. */
  readonly objectsChanged: () => void;
  readonly webhooks: {
    /** Why this address may not be called; undefined where it may. */
    problemOf(url: string, allowPrivate: boolean): Promise<string | undefined>;
    seal(url: string, secret: string): Uint8Array;
  };
  /** What the ledger has of a request: what was held for it, and how its cost was worked out. */
  readonly accountOf: (row: LoggedRequest) => Promise<RequestAccount>;
  /** Whose master key this is; undefined for any other text, and for child keys. */
  readonly holderOfKey: (key: string) => SignedUser | undefined;
  /** Called after every change of settings; when it returns, the change is in force. */
  readonly settingsChanged: () => Promise<void>;
}

/** Real keys as the admin API handles them: they go in, and never come out again. */
export interface CredentialDesk {
  list(): Promise<CredentialView[]>;
  /** @throws CredentialProblem */
  add(
    source: AuditSource,
    provider: string,
    name: string,
    secret: string,
    weight: number,
  ): Promise<CredentialView>;
  /** null where no such credential is stored. */
  setWeight(source: AuditSource, id: string, weight: number): Promise<CredentialView | null>;
  remove(source: AuditSource, id: string): Promise<boolean>;
  /** Makes one call that costs nothing with it; null where there is no such credential. */
  test(source: AuditSource, id: string): Promise<CredentialTest | null>;
  /** The same with whatever credential the provider has, or none; null where there is no such provider. */
  testProvider(source: AuditSource, id: string): Promise<CredentialTest | null>;
}

export interface CredentialView {
  id: string;
  provider: string;
  name: string;
  source: "environment" | "stored";
  masked: string;
  usable: boolean;
  problem: string | null;
  rejection: { at: string; message: string } | null;
  weight: number;
  /** How it does; `unusable` where it cannot be sent at all, see `problem`. */
  state: "ready" | "limited" | "failing" | "rejected" | "unusable";
  /** Until then calls go to others, if there are any. */
  coolingUntil: string | null;
  /** The last thing that kept it from serving, be it over or not. */
  lastError: { at: string; status: number | null; message: string } | null;
  inFlight: number;
  /** The part of the calls that it gets now, 0 to 1. */
  share: number;
  createdAt: string | null;
}

export interface CredentialTest {
  ok: boolean;
  status: number | null;
  message: string;
  durationMs: number;
}

export interface ProviderView {
  id: string;
  name: string;
  upstream: string;
  /** `stored`: an administrator has named it while the gateway ran. */
  source: "built_in" | "environment" | "stored";
  credentials: number;
  ready: boolean;
  /** What it keeps for those who share its key, by the names of `lmk objects`. */
  objectKinds: string[];
  /** What no list has a price for, and why. */
  unlisted: string | null;
}
