import {
  byteOrderMark,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  decodeString,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipSpace,
  skipString,
  skipValue,
  UnclearJson,
} from "./json-bytes.ts";

/** Where a list's elements begin and end in a JSON text. */
export type Elements = readonly (readonly [start: number, end: number])[];

/**
 * @param member Of the object that the text is, which holds the list; empty where the text is the list.
 * @returns None where there is no such member, or no list in it.
 * @throws UnclearJson where the text cannot be read for certain.
 */
export function elementsOf(bytes: Uint8Array, member: string): Elements {
  const start = skipSpace(bytes, byteOrderMark(bytes));
  const list = member === "" ? start : memberAt(bytes, start, member)?.value;
  if (list === undefined || bytes[list] !== OPEN_BRACKET) return [];
  const elements: [number, number][] = [];
  let at = skipSpace(bytes, list + 1);
  if (bytes[at] === CLOSE_BRACKET) return elements;
  for (;;) {
    const end = skipValue(bytes, at);
    elements.push([at, end]);
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACKET) return elements;
    if (bytes[at] !== COMMA) throw new UnclearJson("a comma is missing");
    at = skipSpace(bytes, at + 1);
  }
}

/** Where its name and its value begin. */
interface Member {
  readonly name: number;
  readonly value: number;
}

function memberAt(bytes: Uint8Array, start: number, member: string): Member | undefined {
  if (bytes[start] !== OPEN_BRACE) throw new UnclearJson("it is no object");
  let found: Member | undefined;
  let at = skipSpace(bytes, start + 1);
  while (bytes[at] !== CLOSE_BRACE) {
    if (bytes[at] !== QUOTE) throw new UnclearJson("a member's name is missing");
    const end = skipString(bytes, at);
    const colon = skipSpace(bytes, end);
    if (bytes[colon] !== COLON) throw new UnclearJson("a colon is missing behind a member's name");
    const value = skipSpace(bytes, colon + 1);
    if (decodeString(bytes, at, end) === member) {
      if (found !== undefined) throw new UnclearJson(`"${member}" is given twice`);
      found = { name: at, value };
    }
    at = skipSpace(bytes, skipValue(bytes, value));
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
    else if (bytes[at] !== CLOSE_BRACE) throw new UnclearJson("a comma is missing");
  }
  return found;
}

/** The same bytes without some of the elements, and without the commas that parted them from the others. */
export function withoutElements(
  bytes: Uint8Array,
  elements: Elements,
  isKept: (index: number) => boolean,
): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  const [first] = elements;
  const last = elements.at(-1);
  if (first === undefined || last === undefined) return new Uint8Array(bytes);
  pieces.push(bytes.subarray(0, first[0]));
  let isFirst = true;
  for (const [index, [start, end]] of elements.entries()) {
    if (!isKept(index)) continue;
    // With what parts it from the one before.
    const before = elements[index - 1];
    pieces.push(bytes.subarray(isFirst || before === undefined ? start : before[1], end));
    isFirst = false;
  }
  pieces.push(bytes.subarray(last[1]));
  return new Uint8Array(Buffer.concat(pieces));
}

/** The same bytes without a member of the object that they are, and without the comma that parted it from another. */
export function withoutMember(bytes: Uint8Array<ArrayBuffer>, member: string): Uint8Array<ArrayBuffer> {
  const found = memberAt(bytes, skipSpace(bytes, byteOrderMark(bytes)), member);
  if (found === undefined) return bytes;
  const { name, value } = found;
  const end = skipValue(bytes, value);
  const behind = skipSpace(bytes, end);
  let before = name - 1;
  while (bytes[before] !== COMMA && bytes[before] !== OPEN_BRACE) before--;
  // Of two commas one goes: the one behind, where no member stands before.
  const [from, to] =
    bytes[before] === COMMA ? [before, end] : [name, bytes[behind] === COMMA ? behind + 1 : end];
  return new Uint8Array(Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]));
}
