import { repeatedTextOf, textOf } from "../domain/utf8.ts";

/** Why a body cannot be read for certain. */
export class UnclearJson extends Error {
  override name = "UnclearJson";
}

const MAX_DEPTH = 512;
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COLON = 0x3a;
export const COMMA = 0x2c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;

/** Where the text begins behind a byte order mark. */
export function byteOrderMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

export function skipSpace(bytes: Uint8Array, at: number): number {
  for (;;) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at++;
  }
}

/** From the opening quote to behind the closing one. */
export function skipString(bytes: Uint8Array, quote: number): number {
  let at = quote;
  for (;;) {
    at = nextQuote(bytes, at + 1);
    if (at === -1) throw new UnclearJson("a string is not closed");
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at + 1;
  }
}

/** Most strings are short, and a call into the platform costs more than looking at a few bytes. */
function nextQuote(bytes: Uint8Array, start: number): number {
  const near = Math.min(bytes.length, start + 32);
  for (let at = start; at < near; at++) if (bytes[at] === QUOTE) return at;
  return bytes.indexOf(QUOTE, near);
}

export function skipValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return skipString(bytes, start);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(bytes, start);
  let at = start;
  for (;;) {
    const byte = bytes[at];
    if (
      byte === undefined ||
      byte === COMMA ||
      byte === CLOSE_BRACE ||
      byte === CLOSE_BRACKET ||
      byte <= 0x20
    )
      break;
    at++;
  }
  if (at === start) throw new UnclearJson("a value is missing");
  return at;
}

/** What closes each level that is open: one for all, because nothing waits in the middle of a value. */
export const closers = new Uint8Array(MAX_DEPTH + 2);

function skipNested(bytes: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; ) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) throw tooDeep();
      // A brace and a bracket are each two before what closes them.
      closers[depth] = byte + 2;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (closers[depth--] !== byte) throw new UnclearJson("brackets do not match");
      if (depth === 0) return at + 1;
    }
    at++;
  }
  throw new UnclearJson("it is cut short");
}

export function tooDeep(): UnclearJson {
  return new UnclearJson(`it is nested deeper than ${MAX_DEPTH} levels`);
}

/** @param start Of the opening quote; `end` is behind the closing one. */
export function decodeString(bytes: Uint8Array, start: number, end: number): string {
  if (isPlain(bytes, start + 1, end - 1)) return repeatedTextOf(bytes, start + 1, end - 1);
  const text = textOf(bytes, start, end);
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new UnclearJson("a string has a malformed escape");
  }
}

/** Whether a short text stands for itself: without escapes, or what would have to be one. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > LONGEST_PLAIN) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === BACKSLASH || byte < 0x20) return false;
  }
  return true;
}

/** Longer ones are few, and a call into the platform costs no more than looking at so many bytes. */
const LONGEST_PLAIN = 64;

/** Whether the text that begins here goes on so; escaped spellings do not. */
export function startsWith(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** @returns null for what is no number, nor one in quotes; parts count as whole. */
export function numberAt(bytes: Uint8Array, start: number, end: number): number | null {
  const digits = digitsAt(bytes, start, end);
  if (digits !== undefined) return digits;
  const isQuoted = bytes[start] === QUOTE;
  const text = isQuoted ? decodeString(bytes, start, end) : textOf(bytes, start, end);
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? Math.ceil(value) : null;
}

/** The number that nothing but a few digits write; undefined for what is written otherwise. */
function digitsAt(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start > MOST_DIGITS) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return end > start ? value : undefined;
}

/** So many make a whole number that is exact. */
const MOST_DIGITS = 15;

/** `[]`, `{}` and `""` say nothing. */
export function isEmpty(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start];
  const next = bytes[skipSpace(bytes, start + 1)];
  return (
    (first === OPEN_BRACKET && next === CLOSE_BRACKET) ||
    (first === OPEN_BRACE && next === CLOSE_BRACE) ||
    (first === QUOTE && bytes[start + 1] === QUOTE)
  );
}

/** How many elements a list has; 1 for what is none. */
export function countItems(bytes: Uint8Array, start: number): number {
  return count(bytes, start, () => true);
}

/** How many prompts there are: texts, or lists of tokens; a list of numbers is one. */
export function countPrompts(bytes: Uint8Array, start: number): number {
  return Math.max(
    1,
    count(bytes, start, (first) => first === QUOTE || first === OPEN_BRACKET),
  );
}

function count(bytes: Uint8Array, start: number, counts: (first: number | undefined) => boolean): number {
  if (bytes[start] !== OPEN_BRACKET) return 1;
  let items = 0;
  let at = skipSpace(bytes, start + 1);
  while (bytes[at] !== CLOSE_BRACKET) {
    if (counts(bytes[at])) items++;
    at = skipSpace(bytes, skipValue(bytes, at));
    if (bytes[at] !== COMMA) break;
    at = skipSpace(bytes, at + 1);
  }
  return items;
}

/** Whether a text stands in a value, in whatever case. */
export function includes(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  const value = textOf(bytes, start, end);
  // Escapes hide letters: then it may stand there.
  return value.includes("\\") || value.toLowerCase().includes(text);
}
