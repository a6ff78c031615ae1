/**
 * Finds a few top-level members of a JSON object without parsing the rest.
 *
 * Prompts and images make bodies of many megabytes of which the gateway reads one or two fields: strings are
 * skipped by searching for their closing quote, nothing else is decoded. What is malformed inside a value is the
 * provider's to complain about; what would make the members themselves ambiguous is reported.
 */
export interface ScannedObject {
  /** Text of the member that names the model, where it is a string. */
  model: string | null;
  /** True where `stream` is. */
  stream: boolean;
  /** Where the value of `stream_options` begins and ends; null where there is none. */
  streamOptions: readonly [start: number, end: number] | null;
  /** Behind the opening brace. */
  inside: number;
}

/** Behind the model's own name. */
const NAMES = ["stream", "stream_options"] as const;

/** Why a body cannot be read for certain. */
export class UnclearJson extends Error {
  override name = "UnclearJson";
}

const MAX_DEPTH = 512;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** Of `true`. */
const LETTER_T = 0x74;

const decoder = new TextDecoder("utf-8");

/**
 * @param modelName What the model's member is called.
 * @returns null where the body is no JSON object (an array, a bare value, or empty).
 * @throws UnclearJson for duplicate members of interest, broken structure, or nesting deeper than 512.
 */
export function scanObject(bytes: Uint8Array, modelName = "model"): ScannedObject | null {
  const names = [modelName, ...NAMES];
  let at = skipSpace(bytes, byteOrderMark(bytes));
  if (bytes[at] !== OPEN_BRACE) return null;
  const found: ScannedObject = { model: null, stream: false, streamOptions: null, inside: at + 1 };
  let seen = 0;
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACE) return endOf(bytes, at, found);
  for (;;) {
    if (bytes[at] !== QUOTE) throw new UnclearJson("a member's name is missing");
    const nameStart = at;
    const nameEnd = skipString(bytes, at);
    const name = names.findIndex((known) => isName(bytes, nameStart, nameEnd, known));
    at = skipSpace(bytes, nameEnd);
    if (bytes[at] !== COLON) throw new UnclearJson("a colon is missing behind a member's name");
    at = skipSpace(bytes, at + 1);
    const valueEnd = skipValue(bytes, at);
    if (name !== -1) {
      if ((seen & (1 << name)) !== 0) throw new UnclearJson(`"${names[name]}" is given twice`);
      seen |= 1 << name;
      take(found, name, bytes, at, valueEnd);
    }
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === CLOSE_BRACE) return endOf(bytes, at, found);
    if (bytes[at] !== COMMA) throw new UnclearJson("the object is cut short or a comma is missing");
    at = skipSpace(bytes, at + 1);
  }
}

function take(found: ScannedObject, name: number, bytes: Uint8Array, start: number, end: number): void {
  if (name === 0) {
    if (bytes[start] === QUOTE) found.model = decodeString(bytes, start, end);
  } else if (NAMES[name - 1] === "stream") found.stream = bytes[start] === LETTER_T;
  else found.streamOptions = [start, end];
}

function endOf(bytes: Uint8Array, brace: number, found: ScannedObject): ScannedObject {
  if (skipSpace(bytes, brace + 1) < bytes.length) throw new UnclearJson("something follows the object");
  return found;
}

/** Where the text begins behind a byte order mark. */
function byteOrderMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

function skipSpace(bytes: Uint8Array, at: number): number {
  for (;;) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at++;
  }
}

/** From the opening quote to behind the closing one. */
function skipString(bytes: Uint8Array, quote: number): number {
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

function skipValue(bytes: Uint8Array, start: number): number {
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

function skipNested(bytes: Uint8Array, start: number): number {
  const closers: number[] = [];
  for (let at = start; at < bytes.length; ) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      continue;
    }
    if (byte === OPEN_BRACE) closers.push(CLOSE_BRACE);
    else if (byte === OPEN_BRACKET) closers.push(CLOSE_BRACKET);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (closers.pop() !== byte) throw new UnclearJson("brackets do not match");
      if (closers.length === 0) return at + 1;
    }
    if (closers.length > MAX_DEPTH) throw new UnclearJson(`it is nested deeper than ${MAX_DEPTH} levels`);
    at++;
  }
  throw new UnclearJson("it is cut short");
}

/** Compares a member's name, escaped spellings (`"mod\u0065l"`) included. */
function isName(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  const escaped = bytes.subarray(start + 1, end - 1).includes(BACKSLASH);
  if (escaped) return decodeString(bytes, start, end) === name;
  if (end - start - 2 !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if (bytes[start + 1 + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}

function decodeString(bytes: Uint8Array, start: number, end: number): string {
  const text = decoder.decode(bytes.subarray(start, end));
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new UnclearJson("a string has a malformed escape");
  }
}
