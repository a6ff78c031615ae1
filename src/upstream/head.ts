import { MalformedAnswer } from "./failure.ts";

/** How an answer's body ends (RFC 9112, 6.3). */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** With the connection. */
  | { readonly kind: "close" };

/** The head of an answer. */
export interface Head {
  readonly status: number;
  readonly headers: Headers;
  readonly framing: Framing;
  /** Whether the connection may take another request behind this answer. */
  readonly keepsAlive: boolean;
  /** Seconds for which the upstream keeps the connection, where it says so. */
  readonly idleSeconds: number | undefined;
}

/** Ten times what answers have: the platform compares each name with all before it, and 50,000 would hold up everybody. */
const MAX_HEADERS = 512;

const NONE: Framing = { kind: "none" };
const CHUNKED: Framing = { kind: "chunked" };
const CLOSE: Framing = { kind: "close" };

/**
 * Reads the head of an answer. As strict as RFC 9112 lets a client be: what two readers could frame differently is no
 * answer.
 * @param text The bytes before the empty line, a character for each.
 * @param method The request's: an answer to `HEAD` has no body whatever it says.
 * @throws MalformedAnswer
 */
export function parseHead(text: string, method: string): Head {
  if (BREAKS_LINES.test(text)) throw new MalformedAnswer("it holds control characters");
  const status = statusOf(text);
  const lineEnd = text.indexOf("\r\n");
  const headers = new Headers();
  let count = 0;
  let length: number | undefined;
  let hasManyLengths = false;
  let isChunked = false;
  let isClosing = text[VERSION] !== "1";
  let idleSeconds: number | undefined;
  for (let at = lineEnd === -1 ? text.length : lineEnd + 2; at < text.length; ) {
    if (++count > MAX_HEADERS) throw new MalformedAnswer("it has too many headers");
    let end = text.indexOf("\r\n", at);
    if (end === -1) end = text.length;
    const colon = text.indexOf(":", at);
    if (colon === -1 || colon > end || !isToken(text, at, colon)) {
      throw new MalformedAnswer("a header has no proper name");
    }
    const name = text.slice(at, colon);
    const value = trimmed(text, colon + 1, end);
    at = end + 2;
    // Names that decide about framing are told by their length first: nearly all are none of these.
    switch (name.length) {
      case 14:
        if (name.toLowerCase() === "content-length") {
          hasManyLengths ||= length !== undefined || value.includes(",");
          length = lengthOf(value, length);
        }
        break;
      case 17:
        if (name.toLowerCase() === "transfer-encoding") {
          if (isChunked || value.toLowerCase() !== "chunked")
            throw new MalformedAnswer("its transfer-encoding is not one that can be read");
          isChunked = true;
        }
        break;
      case 10:
        if (name.toLowerCase() === "connection") {
          if (/(?:^|,)\s*close\s*(?:,|$)/i.test(value)) isClosing = true;
        } else if (name.toLowerCase() === "keep-alive") {
          const timeout = /(?:^|,)\s*timeout=(\d{1,6})/i.exec(value)?.[1];
          if (timeout !== undefined) idleSeconds = Number(timeout);
        }
        break;
      default:
    }
    headers.append(name, value);
  }
  // Chunks go before a length, and then nobody knows what follows them.
  if (isChunked && length !== undefined) {
    headers.delete("content-length");
    isClosing = true;
  } else if (hasManyLengths) headers.set("content-length", String(length));
  const framing = framingOf(status, method, isChunked, length);
  if (framing.kind === "close") isClosing = true;
  // Whoever announces a body where none may be might send it: it would stand before the next answer.
  if (framing.kind === "none" && (isChunked || (length ?? 0) > 0)) isClosing = true;
  return { status, headers, framing, keepsAlive: !isClosing, idleSeconds };
}

/** Where the minor version stands in `HTTP/1.1 200 OK`. */
const VERSION = 7;
const FIRST_LINE = /^HTTP\/1\.[01] [1-9]\d\d(?:[ \r]|$)/;

function statusOf(text: string): number {
  if (!FIRST_LINE.test(text)) throw new MalformedAnswer("its first line is none of HTTP/1.1");
  return digitAt(text, 9) * 100 + digitAt(text, 10) * 10 + digitAt(text, 11);
}

function digitAt(text: string, at: number): number {
  return text.charCodeAt(at) - 0x30;
}

function framingOf(status: number, method: string, isChunked: boolean, length: number | undefined): Framing {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return NONE;
  if (isChunked) return CHUNKED;
  if (length === undefined) return CLOSE;
  return length === 0 ? NONE : { kind: "length", bytes: length };
}

const LENGTH = /^\d{1,15}$/;

/** @param before Of an earlier header of the same name. */
function lengthOf(value: string, before: number | undefined): number {
  if (before === undefined && LENGTH.test(value)) return Number(value);
  // A list of the same number is what some proxies make of a header that came twice.
  const values = value.includes(",") ? value.split(",").map((one) => one.trim()) : [value];
  for (const one of values) {
    if (!LENGTH.test(one)) throw new MalformedAnswer("its length is no number");
    if (before !== undefined && Number(one) !== before) throw new MalformedAnswer("it has two lengths");
    before = Number(one);
  }
  return before as number;
}

/** Without the spaces and tabs around it. */
function trimmed(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Ends a line, or the text, for some readers alone. */
const BREAKS_LINES = /\0|\r(?:[^\n]|$)|(?:^|[^\r])\n/;

/** Whether these characters are a header's name (RFC 9110, 5.6.2). */
function isToken(text: string, start: number, end: number): boolean {
  if (start === end) return false;
  for (let at = start; at < end; at++) if (TOKEN[text.charCodeAt(at)] !== 1) return false;
  return true;
}

const TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[char.charCodeAt(0)] = 1;
}
