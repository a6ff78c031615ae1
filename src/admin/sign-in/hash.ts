import { timingSafeEqual } from "node:crypto";

/** What a text that gives access is for: one of a kind never passes as another. */
export type Purpose = "session" | "csrf" | "link" | "token" | "challenge" | "throttle";

/** HMAC-SHA256 under a key of this installation: what is stored of a secret. 32 bytes. */
export function hashFor(key: Uint8Array, purpose: Purpose, text: string): Uint8Array {
  return new Bun.CryptoHasher("sha256", key).update(`${purpose}\u0000${text}`).digest();
}

/** Takes the same time for any two hashes. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
