import { type KeySecret, type Lifetime, lifetimeState, type MasterKey } from "../domain/directory.ts";
import { looksLikeKey, parseKey } from "../domain/key.ts";
import { looksLikePersonalToken } from "../domain/personal-token.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Directory, KeyHolder } from "./directory.ts";
import type { Route } from "./route.ts";

/** What identifying needs of the vault. */
export interface KeyHasher {
  hashKey(key: string): Uint8Array;
  sameHash(a: Uint8Array, b: Uint8Array): boolean;
}

/** Every header in which some SDK puts its key; all are taken off before forwarding, whichever one held it. */
export const KEY_HEADERS = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key"] as const;

const SUBPROTOCOL_KEY = /(?:^|,)\s*(?:openai-insecure-api-key\.)?([A-Za-z0-9_-]*lmk_[A-Za-z0-9_]+)\s*(?=,|$)/;

/** Compared where the id is unknown, so that an unknown id takes as long as a wrong secret. */
const UNKNOWN: KeySecret = { version: 0, hash: new Uint8Array(32), createdAt: 0, expiresAt: null };

/**
 * Finds out whose request this is.
 * @throws Refusal `invalid_key`.
 */
export function identify(
  headers: Headers,
  route: Pick<Route, "keys">,
  directory: Directory,
  hasher: KeyHasher,
  now: number,
): KeyHolder {
  const text = presentedKey(headers, route);
  // Only what was right letter for letter is in there, and a secret may have an end.
  const known = directory.identifiedBy(text);
  if (known !== undefined && isOpen(known.secret, now)) {
    const holder = directory.find(known.keyId);
    if (holder !== undefined) return holder;
  }
  const parsed = parseKey(text);
  if (looksLikePersonalToken(text)) {
    throw new Refusal(
      "invalid_key",
      "This is a personal token, which opens the admin API; calls to providers take a master key.",
    );
  }
  if (parsed === "foreign") {
    throw new Refusal(
      "invalid_key",
      "What was sent is not a LlaMaKey master key (those begin with lmk_). Is a provider's own key set in this environment?",
    );
  }
  if (parsed === "damaged") {
    throw new Refusal(
      "invalid_key",
      "The master key is mistyped or cut short: its checksum does not fit. Copy it again.",
    );
  }
  const holder = directory.find(parsed.id);
  const hash = hasher.hashKey(parsed.text);
  let found: KeySecret | undefined;
  for (const secret of holder?.key.secrets ?? [UNKNOWN]) {
    if (hasher.sameHash(hash, secret.hash) && isOpen(secret, now)) found = secret;
  }
  if (holder === undefined || found === undefined) {
    throw new Refusal(
      "invalid_key",
      "This master key is not known here: it was rotated or deleted, or belongs to another installation.",
    );
  }
  directory.noteIdentified(text, parsed.id, found);
  return holder;
}

function isOpen({ expiresAt }: KeySecret, now: number): boolean {
  return expiresAt === null || expiresAt > now;
}

/**
 * A step of its own behind `identify`, so that the log knows whose revoked key was tried.
 * @throws Refusal `invalid_key` or `expired_key` where key, user or group was revoked or has ended.
 */
export function requireActive(holder: KeyHolder, now: number): void {
  refuseEnded(holder.key, "This master key", now);
  if (holder.ancestors !== undefined) requireAncestors(holder.key, holder.ancestors, now);
  refuseEnded(holder.user, "The user of this master key", now);
  refuseEnded(holder.group, "The group of this master key", now);
}

/** A child key ends with the key that it was made with, and with the very secret of it. */
function requireAncestors(key: MasterKey, ancestors: readonly MasterKey[], now: number): void {
  let child = key;
  for (const parent of ancestors) {
    refuseEnded(parent, "The key that this key was made with", now);
    const madeWith = parent.secrets.find(({ version }) => version === child.parent?.secretVersion);
    if (madeWith === undefined || (madeWith.expiresAt !== null && madeWith.expiresAt <= now)) {
      throw new Refusal(
        "invalid_key",
        "The key that this key was made with was rotated, and its old secret has ended; make another with the new one.",
      );
    }
    child = parent;
  }
}

/** True where the client sent anything that could be meant as a key. */
export function presentsKey(headers: Headers, route: Pick<Route, "keys" | "capability">): boolean {
  return (
    route.capability !== undefined || route.keys.length > 0 || KEY_HEADERS.some((name) => headers.has(name))
  );
}

/**
 * The first of our keys among all positions, or else the first text in any of them.
 * @throws Refusal `invalid_key` where there is none, or two that differ.
 */
export function presentedKey(headers: Headers, route: Pick<Route, "keys">): string {
  let text: string | undefined;
  for (const name of KEY_HEADERS) {
    const value = headers.get(name);
    if (value !== null) text = better(text, name === "authorization" ? withoutScheme(value) : value.trim());
  }
  const subprotocol = headers.get("sec-websocket-protocol");
  const inSubprotocol = subprotocol === null ? undefined : SUBPROTOCOL_KEY.exec(subprotocol)?.[1];
  if (inSubprotocol !== undefined) text = better(text, inSubprotocol);
  for (const key of route.keys) text = better(text, key);
  if (text === undefined) {
    throw new Refusal(
      "invalid_key",
      'No master key was sent. Send yours as Authorization: Bearer lmk_..., or set this shell up with: eval "$(lmk env)".',
    );
  }
  return text;
}

/**
 * One of our keys before whatever else, and of two texts that are as good the first.
 * @throws Refusal `invalid_key` where both are keys of ours, and not the same.
 */
function better(known: string | undefined, text: string): string {
  if (known === undefined) return text;
  if (!looksLikeKey(text)) return known;
  if (!looksLikeKey(known)) return text;
  if (bareKey(known) === bareKey(text)) return known;
  throw new Refusal("invalid_key", "The request carries two different master keys; send one.");
}

/** The key without its alias. */
export function bareKey(text: string): string {
  return text.slice(text.indexOf("lmk_"));
}

/** `Bearer <key>`, `Token <key>` (Deepgram), or the key alone (AssemblyAI). */
function withoutScheme(value: string): string {
  const trimmed = value.trim();
  const space = trimmed.indexOf(" ");
  return space === -1 ? trimmed : trimmed.slice(space + 1).trimStart();
}

function refuseEnded(
  thing: Lifetime & Pick<MasterKey, "frozenAt" | "frozenWhy">,
  subject: string,
  now: number,
): void {
  const state = lifetimeState(thing, now);
  if (state === "active") return;
  if (state === "expired")
    throw new Refusal("expired_key", `${subject} has expired; ask your administrator.`);
  if (state === "frozen") {
    const why = thing.frozenWhy == null ? "" : `: ${thing.frozenWhy}`;
    throw new Refusal(
      "invalid_key",
      `${subject} is frozen for the time being${why}. Ask your administrator.`,
    );
  }
  throw new Refusal("invalid_key", `${subject} was revoked; ask your administrator.`);
}
