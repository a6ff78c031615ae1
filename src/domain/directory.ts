import type { Leak } from "./leak.ts";
import type { Role } from "./role.ts";

/** Who there is: groups, users (each in exactly one group) and their master keys. Times are epoch milliseconds. */

/** What groups, users and keys have in common: each can be cut off or end by itself. */
export interface Lifetime {
  revokedAt: number | null;
  expiresAt: number | null;
}

export interface Group extends Lifetime {
  id: string;
  name: string;
  createdAt: number;
}

export interface User extends Lifetime {
  id: string;
  name: string;
  groupId: string;
  role: Role;
  createdAt: number;
}

export interface MasterKey extends Lifetime {
  id: string;
  name: string;
  userId: string;
  createdAt: number;
  /** When it was stopped for the time being; null where it was not. */
  frozenAt?: number | null;
  frozenWhy?: string | null;
  /** Where one of its secrets was seen last; null where none was. See `openLeak`. */
  leak?: Leak | null;
  /** Newest first; older ones live until their overlap ends. */
  secrets: KeySecret[];
  /** Of a child key: what it was made with, and ends with. */
  parent?: KeyParent;
}

/** The master key that a child key was made with. */
export interface KeyParent {
  keyId: string;
  /** The version of its secret: once that one is rotated out, the child has ended. */
  secretVersion: number;
}

export interface KeySecret {
  version: number;
  /** HMAC-SHA256(pepper, key), 32 bytes. */
  hash: Uint8Array;
  createdAt: number;
  /** When the overlap after a rotation ends; null for the current secret. */
  expiresAt: number | null;
}

/** `active`, or why not. */
export type LifetimeState = "active" | "revoked" | "expired" | "frozen";

export function lifetimeState(thing: Lifetime & { frozenAt?: number | null }, now: number): LifetimeState {
  if (thing.revokedAt !== null) return "revoked";
  if (thing.expiresAt !== null && thing.expiresAt <= now) return "expired";
  if (thing.frozenAt != null) return "frozen";
  return "active";
}
