import { timingSafeEqual } from "node:crypto";
import { Refusal } from "../domain/refusal.ts";
import { knownProviders } from "../providers/catalogue.ts";
import type { Signer } from "./capability.ts";
import type { Directory, KeyHolder } from "./directory.ts";
import type { Route } from "./route.ts";

/** No master key begins so. */
const PREFIX = "lmkt.";
const BEARER_TOKEN = /^bearer +(lmkt\.\S*)$/i;
const LIFETIME_MS = 3_600_000;
export const LIFETIME_SECONDS = LIFETIME_MS / 1000;

/** Addresses at which a master key is given for a token; `serve/token-path.ts` answers them. */
export const tokenPaths: ReadonlyMap<string, string> = new Map(
  knownProviders.flatMap(({ id, clientTokens }) =>
    (clientTokens?.paths ?? []).map((path) => [path, id] as const),
  ),
);

/**
 * What a client sends instead of its master key, where its SDK wants a token: good for one provider, for an hour, and
 * as long as the secret that it was given for.
 * @param secretHash Of the master key that was presented.
 */
export function clientToken(
  provider: string,
  keyId: string,
  secretHash: Uint8Array,
  signer: Signer,
  now: number,
): string {
  const expiry = (now + LIFETIME_MS).toString(36);
  return `${PREFIX}${keyId}.${expiry}.${signatureOf(provider, keyId, expiry, secretHash, signer)}`;
}

/** The token that a request carries, where it goes to a provider that has such. */
export function presentedToken(headers: Headers, { upstream }: Pick<Route, "upstream">): string | undefined {
  if (upstream.provider.clientTokens === undefined) return undefined;
  const value = headers.get("authorization");
  return value === null ? undefined : BEARER_TOKEN.exec(value)?.[1];
}

/**
 * Finds out in whose name a token was given.
 * @throws Refusal `invalid_key` where it is for another provider, not ours, or its key's secret was replaced;
 *   `expired_key` where it has ended.
 */
export function identifyByToken(
  token: string,
  provider: string,
  directory: Directory,
  signer: Signer,
  now: number,
): KeyHolder {
  const [keyId = "", expiry = "", signature = ""] = token.slice(PREFIX.length).split(".");
  const holder = directory.find(keyId);
  const isOurs = holder?.key.secrets.some(
    ({ hash, expiresAt }) =>
      (expiresAt === null || expiresAt > now) &&
      equals(signature, signatureOf(provider, keyId, expiry, hash, signer)),
  );
  if (holder === undefined || !isOurs) {
    throw new Refusal("invalid_key", "This token was not given here for this provider; get a new one.");
  }
  if (Number.parseInt(expiry, 36) <= now) {
    throw new Refusal("expired_key", "This token has expired; get a new one.");
  }
  return holder;
}

function signatureOf(
  provider: string,
  keyId: string,
  expiry: string,
  hash: Uint8Array,
  signer: Signer,
): string {
  return signer.sign(JSON.stringify(["token", provider, keyId, expiry, Buffer.from(hash).toString("hex")]));
}

function equals(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
