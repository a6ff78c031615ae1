import type {
  CapRule,
  DemandFormat,
  Fact,
  MemberRule,
  Members,
  Part,
  Tools,
} from "../providers/formats/demand.ts";
import {
  BACKSLASH,
  decodeString,
  numberAt,
  QUOTE,
  skipString,
  skipValue,
  UnclearJson,
} from "./json-bytes.ts";

/** A format's members, prepared for looking names up in bytes. */
export class Plan {
  readonly #names = new NameTable<MemberPlan>();

  constructor(members: Members, cap: CapRule | undefined, isOutermost: boolean) {
    let bit = 1;
    for (const [name, value] of Object.entries(members)) {
      const rule: MemberRule = typeof value === "string" ? { is: value } : value;
      const holdsCap = isOutermost && cap?.within?.includes(name) === true;
      const member = { name, bit, fact: rule.is, rule: new ValuePlan(rule, holdsCap) };
      for (const spelling of [name, ...(rule.also ?? [])]) this.#names.add(spelling, member);
      bit <<= 1;
    }
    if (bit < 0 || Object.keys(members).length > 30) throw new Error("a format has at most 30 members");
  }

  /** @throws UnclearJson for a name that some reader would take for one of these, and another would not. */
  find(bytes: Uint8Array, start: number, end: number): MemberPlan | undefined {
    const member = this.#names.find(bytes, start, end);
    if (member !== undefined && !this.#names.isExact) {
      throw new UnclearJson(`"${member.name}" is spelt otherwise`);
    }
    return member;
  }
}

export interface MemberPlan {
  readonly name: string;
  /** Its own, among those of its object. */
  readonly bit: number;
  readonly fact: Fact | undefined;
  readonly rule: ValuePlan;
}

/** What to look for in a member's value. */
export class ValuePlan {
  readonly members: Plan | undefined;
  readonly holdsCap: boolean;
  readonly isWatched: boolean;
  readonly parts = new NameTable<Part>();
  readonly types: TypeTable | undefined;
  readonly tools: ToolPlan | undefined;

  constructor({ members, parts, tools }: MemberRule, holdsCap: boolean) {
    this.members = members && new Plan(members, undefined, false);
    this.holdsCap = holdsCap;
    this.isWatched = parts !== undefined || tools !== undefined;
    for (const [name, part] of Object.entries(parts?.names ?? {})) this.parts.add(name, part);
    this.types = parts?.types && new TypeTable(parts.types);
    this.tools = tools && new ToolPlan(tools);
  }
}

/** Finds a name's value among a few; most names are told to be none of them by their length and one letter. */
export class NameTable<Value> {
  readonly #byLength: (Entry<Value>[] | undefined)[] = [];
  readonly #all: Entry<Value>[] = [];
  /** Of the name that was found last: it was written as it is known, escapes aside. */
  isExact = true;

  add(name: string, value: Value): void {
    const entry = { name, folded: fold(name), bytes: Uint8Array.from(name, (c) => c.charCodeAt(0)), value };
    this.#all.push(entry);
    this.#byLength[name.length] ??= [];
    this.#byLength[name.length]?.push(entry);
  }

  find(bytes: Uint8Array, start: number, end: number): Value | undefined {
    const length = end - start;
    // Six bytes a letter, all of it escaped.
    if (length > MAX_NAME * 6) return undefined;
    const first = (bytes[start] as number) | LOWER;
    for (const entry of this.#byLength[length] ?? NONE) {
      if ((entry.bytes[0] as number) === first && this.#matches(entry as Entry<Value>, bytes, start)) {
        return (entry as Entry<Value>).value;
      }
    }
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === BACKSLASH || byte >= 0x80) return this.#findWritten(bytes, start, end);
    }
    return undefined;
  }

  #matches({ bytes: known }: Entry<Value>, bytes: Uint8Array, start: number): boolean {
    let isExact = true;
    for (let i = 0; i < known.length; i++) {
      const byte = bytes[start + i] as number;
      if (byte === known[i]) continue;
      if ((byte | LOWER) !== ((known[i] as number) | LOWER)) return false;
      isExact = false;
    }
    this.isExact = isExact;
    return true;
  }

  /** Escaped, or with letters that some readers take for the same (a long s, the sign of Kelvin). */
  #findWritten(bytes: Uint8Array, start: number, end: number): Value | undefined {
    const name = decodeString(bytes, start - 1, end + 1);
    const folded = fold(name);
    const entry = this.#all.find((known) => known.folded === folded);
    this.isExact = entry?.name === name;
    return entry?.value;
  }
}

interface Entry<Value> {
  readonly name: string;
  readonly folded: string;
  readonly bytes: Uint8Array;
  readonly value: Value;
}

const NONE: readonly Entry<unknown>[] = [];
/** No name that is looked for is longer. */
const MAX_NAME = 40;
/** The bit that a lower-case letter has and its capital has not. */
const LOWER = 0x20;

function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** What members `type` say. */
class TypeTable {
  readonly #types: readonly (readonly [start: string, part: Part])[];

  constructor(types: Readonly<Record<string, Part>>) {
    this.#types = Object.entries(types);
  }

  find(bytes: Uint8Array, quote: number): Part | undefined {
    for (const [start, part] of this.#types) if (beginsSo(bytes, quote, start)) return part;
    return undefined;
  }
}

/** Which tools the client runs; all others are the provider's. */
export class ToolPlan {
  readonly #clientRun: readonly string[];
  readonly #by: Tools["by"];

  constructor({ clientRun, by }: Tools) {
    this.#clientRun = clientRun;
    this.#by = by;
  }

  /** @param start Of a tool's member's name, and where its value begins. */
  isServerRun(bytes: Uint8Array, start: number, end: number, value: number): boolean {
    if (this.#by === "member") return !this.#isClientRun(bytes, start - 1);
    if (bytes[value] !== QUOTE || IS_TYPE.find(bytes, start, end) === undefined) return false;
    return !this.#isClientRun(bytes, value);
  }

  /** How often it may be used, where this member says so. */
  limitAt(bytes: Uint8Array, start: number, end: number, value: number): number | null | undefined {
    if (IS_LIMIT.find(bytes, start, end) === undefined) return undefined;
    return numberAt(bytes, value, skipValue(bytes, value));
  }

  namesModel(bytes: Uint8Array, start: number, end: number, value: number): boolean {
    return this.#by === "type" && bytes[value] === QUOTE && IS_MODEL.find(bytes, start, end) !== undefined;
  }

  #isClientRun(bytes: Uint8Array, quote: number): boolean {
    return this.#clientRun.some((name) =>
      name.endsWith("*") ? beginsSo(bytes, quote, name.slice(0, -1)) : beginsSo(bytes, quote, `${name}"`),
    );
  }
}

/** Whether a text, escaped or not, begins with another; its closing quote may belong to that. */
function beginsSo(bytes: Uint8Array, quote: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[quote + 1 + i];
    if (byte === BACKSLASH) {
      return `${decodeString(bytes, quote, skipString(bytes, quote))}"`.startsWith(text);
    }
    if (byte !== text.charCodeAt(i)) return false;
  }
  return true;
}

function tableOf(name: string): NameTable<true> {
  const table = new NameTable<true>();
  table.add(name, true);
  return table;
}

export const IS_TYPE = tableOf("type");
const IS_LIMIT = tableOf("max_uses");
const IS_MODEL = tableOf("model");

const plans = new WeakMap<DemandFormat, Plan>();

export function planOf(format: DemandFormat): Plan {
  let plan = plans.get(format);
  if (plan === undefined) {
    plan = new Plan(format.members, format.cap, true);
    plans.set(format, plan);
  }
  return plan;
}
