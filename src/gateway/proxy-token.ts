import { timingSafeEqual } from "node:crypto";
import { Refusal } from "../domain/refusal.ts";
import type { Signer } from "./capability.ts";
import type { Directory, KeyHolder } from "./directory.ts";
import { requireActive } from "./identify.ts";

/** No master key begins so. */
const PREFIX = "lmkp.";

/**
 * What a client shows to be tunnelled to a host that is no provider's: good for that alone, as long as the secret of
 * the master key that it was made for.
 */
export function proxyToken(keyId: string, secretHash: Uint8Array, signer: Signer): string {
  return `${PREFIX}${keyId}.${signatureOf(keyId, secretHash, signer)}`;
}

/** @throws Refusal `invalid_key` or `expired_key`. */
export function identifyByProxyToken(
  token: string,
  directory: Directory,
  signer: Signer,
  now: number,
): KeyHolder {
  const [keyId = "", signature = ""] = token.startsWith(PREFIX) ? token.slice(PREFIX.length).split(".") : [];
  const holder = directory.find(keyId);
  const isOurs = holder?.key.secrets.some(
    ({ hash, expiresAt }) =>
      (expiresAt === null || expiresAt > now) && equals(signature, signatureOf(keyId, hash, signer)),
  );
  if (holder === undefined || !isOurs) {
    throw new Refusal(
      "invalid_key",
      "This is no proxy token of this gateway, or of a key that was replaced; get a new one with lmk env --proxy.",
      { status: 407, headers: { "proxy-authenticate": 'Basic realm="LlaMaKey"' } },
    );
  }
  requireActive(holder, now);
  return holder;
}

function signatureOf(keyId: string, hash: Uint8Array, signer: Signer): string {
  return signer.sign(JSON.stringify(["proxy", keyId, Buffer.from(hash).toString("hex")]));
}

function equals(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
