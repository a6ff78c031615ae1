import { randomBase62 } from "./key.ts";

/** A link that makes one master key for one user, once. Times are epoch milliseconds. */
export interface Claim {
  id: string;
  userId: string;
  /** Of the key that it makes. */
  keyName: string;
  /** When that key ends; null for never. */
  keyExpiresAt: number | null;
  /** HMAC-SHA256(pepper, token), 32 bytes: the token itself is in the link alone. */
  hash: Uint8Array;
  createdAt: number;
  expiresAt: number;
  revokedAt: number | null;
  /** When its key was made, and which one it is. */
  claimedAt: number | null;
  keyId: string | null;
}

export type ClaimState = "open" | "claimed" | "revoked" | "expired";

export function claimState({ claimedAt, revokedAt, expiresAt }: Claim, now: number): ClaimState {
  if (claimedAt !== null) return "claimed";
  if (revokedAt !== null) return "revoked";
  return expiresAt <= now ? "expired" : "open";
}

const TOKEN = /^[0-9A-Za-z]{10}\.[0-9A-Za-z]{32}$/;

/** About 190 bits that nobody guesses; the id in front finds it without a search. */
export function createClaimToken(): { id: string; token: string } {
  const id = randomBase62(10);
  return { id, token: `${id}.${randomBase62(32)}` };
}

/** The id in a token; undefined for what is none, or was cut short. */
export function claimIdIn(token: string): string | undefined {
  return TOKEN.test(token) ? token.slice(0, 10) : undefined;
}

/** What is hashed: no master key is ever hashed the same way. */
export function claimText(token: string): string {
  return `claim ${token}`;
}
