import type { UseRule } from "../providers/owned.ts";
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
import { NameTable } from "./scan-plan.ts";

/** What a body says of objects. */
export interface Mentioned {
  /** Values that refer to one, by kind. */
  readonly values: readonly (readonly [kind: string, value: string])[];
  /** A member `store` says yes. */
  readonly stores: boolean;
  /** One says no, which need not be the only one. */
  readonly storesNot: boolean;
}

export const NOTHING: Mentioned = { values: [], stores: false, storesNot: false };

interface Names {
  readonly members: NameTable<string>;
  readonly opaque: NameTable<true>;
}

const prepared = new WeakMap<UseRule, Names>();
const isId = new NameTable<true>();
isId.add("id", true);
const isStore = new NameTable<true>();
isStore.add("store", true);

function namesOf(rule: UseRule): Names {
  let names = prepared.get(rule);
  if (names === undefined) {
    names = { members: new NameTable(), opaque: new NameTable() };
    for (const [name, kind] of Object.entries(rule.members)) names.members.add(name, kind);
    for (const name of rule.opaque ?? []) names.opaque.add(name, true);
    prepared.set(rule, names);
  }
  return names;
}

/**
 * Finds what a JSON text refers to, however deep it stands. Names count in any spelling that some reader could take for
 * them, and a member that is given twice counts twice.
 * @throws UnclearJson where it is broken.
 */
export function mentionsIn(bytes: Uint8Array, rule: UseRule): Mentioned {
  const { members, opaque } = namesOf(rule);
  const start = skipSpace(bytes, byteOrderMark(bytes));
  if (bytes[start] !== OPEN_BRACE && bytes[start] !== OPEN_BRACKET) return NOTHING;
  const values: (readonly [string, string])[] = [];
  let stores = false;
  let storesNot = false;
  for (let at = start; at < bytes.length; ) {
    if (bytes[at] !== QUOTE) {
      at++;
      continue;
    }
    const end = skipString(bytes, at);
    const colon = skipSpace(bytes, end);
    if (bytes[colon] !== COLON) {
      at = end;
      continue;
    }
    const value = skipSpace(bytes, colon + 1);
    const kind = members.find(bytes, at + 1, end - 1);
    if (kind !== undefined) for (const one of idsAt(bytes, value)) values.push([kind, one]);
    else if (isStore.find(bytes, at + 1, end - 1)) {
      if (bytes[value] === LETTER_T) stores = true;
      else storesNot = true;
    }
    at = kind === undefined && opaque.find(bytes, at + 1, end - 1) ? skipValue(bytes, value) : value;
  }
  return { values, stores, storesNot };
}

const LETTER_T = 0x74;

/** A text, the texts of a list, and every `id` of an object or of the objects of a list. */
function* idsAt(bytes: Uint8Array, start: number): Generator<string> {
  const first = bytes[start];
  if (first === QUOTE) yield decodeString(bytes, start, skipString(bytes, start));
  else if (first === OPEN_BRACE) {
    for (let at = skipSpace(bytes, start + 1); bytes[at] !== CLOSE_BRACE; ) {
      if (bytes[at] !== QUOTE) throw new UnclearJson("a member's name is missing");
      const end = skipString(bytes, at);
      const colon = skipSpace(bytes, end);
      if (bytes[colon] !== COLON) throw new UnclearJson("a colon is missing behind a member's name");
      const value = skipSpace(bytes, colon + 1);
      if (isId.find(bytes, at + 1, end - 1) && bytes[value] === QUOTE) yield* idsAt(bytes, value);
      at = skipSpace(bytes, skipValue(bytes, value));
      if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
    }
  } else if (first === OPEN_BRACKET) {
    for (let at = skipSpace(bytes, start + 1); bytes[at] !== CLOSE_BRACKET; ) {
      yield* idsAt(bytes, at);
      at = skipSpace(bytes, skipValue(bytes, at));
      if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
    }
  }
}
