/**
 * The master key: `lmk_<id:10>_<secret:32>_<crc:6>`, all base62.
 *
 * The CRC covers everything before it, so that a typing error is told from a wrong key without a lookup.
 * 32 characters of secret are about 190 bits: the stored HMAC needs no slow hash.
 */
export interface ParsedKey {
  /** Ten characters; public, shown in lists and logs. */
  id: string;
  /** The whole key without any alias prefix; secret. */
  text: string;
}

export const KEY_PREFIX = "lmk_";
/** Characters of a whole key, without an alias prefix. */
export const KEY_LENGTH = 54;

const ID_START = KEY_PREFIX.length;
const SECRET_START = ID_START + 10 + 1;
const CRC_START = SECRET_START + 32 + 1;

/** Prefixes that clients insist on, longest first: each is the same key with something in front of it. */
const ALIAS_PREFIXES = ["sk-ant-api03-", "sk-proj-", "sk-ant-", "hf_", "sk-"];

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Unbiased random base62 text of this many characters. */
export function randomBase62(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // 248 = 4 * 62: bytes above it would favour the first characters.
      if (byte < 248 && text.length < length) text += BASE62[byte % 62];
    }
  }
  return text;
}

/** A new master key; `id` keeps the identity when a key is rotated. */
export function createKey(id: string = randomBase62(10)): ParsedKey {
  const body = `${KEY_PREFIX}${id}_${randomBase62(32)}_`;
  return { id, text: body + checksum(body) };
}

/** True where the text carries our key prefix, alias or not, whole or cut short. */
export function looksLikeKey(text: string): boolean {
  return stripAlias(text).startsWith(KEY_PREFIX);
}

/**
 * The key in this text, aliases resolved, or the reason why there is none:
 * `foreign` (not one of our keys at all) or `damaged` (ours, but mistyped or cut short).
 */
export function parseKey(text: string): ParsedKey | "foreign" | "damaged" {
  const key = stripAlias(text);
  if (!key.startsWith(KEY_PREFIX)) return "foreign";
  if (key.length !== KEY_LENGTH || key[SECRET_START - 1] !== "_" || key[CRC_START - 1] !== "_") {
    return "damaged";
  }
  if (checksum(key.slice(0, CRC_START)) !== key.slice(CRC_START)) return "damaged";
  return { id: key.slice(ID_START, SECRET_START - 1), text: key };
}

/** How a secret is shown where it must be recognised but not used: `sk-pro...wxyz`. */
export function mask(secret: string): string {
  if (secret.length < 20) return "...";
  return `${secret.slice(0, 6)}...${secret.slice(-4)}`;
}

/** A text in which keys and personal tokens are known by their ids alone: `lmk_k3yId00001_...`. */
export function withoutKeys(text: string): string {
  return text.includes(KEY_PREFIX) ? text.replace(KEY_LIKE, "$1...") : text;
}

/** Cut short, too. */
const KEY_LIKE = /(lmk_(?:pat_)?[0-9A-Za-z]{10}_)[0-9A-Za-z_]+/g;

function stripAlias(text: string): string {
  if (text.startsWith(KEY_PREFIX)) return text;
  for (const prefix of ALIAS_PREFIXES) {
    if (text.startsWith(prefix)) return text.slice(prefix.length);
  }
  return text;
}

export function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let i = 0; i < 6; i++) {
    digits = BASE62[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** CRC-32 as in zlib (IEEE 802.3), without it: this runs on Node too, wherever the client does. */
function crc32(text: string): number {
  let crc = -1;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
