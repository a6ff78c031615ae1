import type { Demand, DemandBounds } from "../domain/demand.ts";
import type { DemandFormat, Fact, Part } from "../providers/formats/demand.ts";
import {
  byteOrderMark,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  closers,
  countItems,
  countPrompts,
  decodeString,
  includes,
  isEmpty,
  numberAt,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipSpace,
  skipString,
  skipValue,
  startsWith,
  tooDeep,
  UnclearJson,
} from "./json-bytes.ts";
import { IS_TYPE, type Plan, planOf, type ValuePlan } from "./scan-plan.ts";

export { UnclearJson } from "./json-bytes.ts";

/** What one pass over a request's JSON finds: what it names, what bounds its cost, and where to write into it. */
export class Scanned implements Demand {
  readonly bounds: DemandBounds;
  bytes: number;
  /** Text of the member that names the model, where it is a string. */
  model: string | null = null;
  stream = false;
  outputCap: number | null = null;
  answers = 1;
  images = 0;
  audios = 0;
  files = 0;
  stored = false;
  caching: Demand["caching"] = "none";
  serviceTier: string | null = null;
  region: string | null = null;
  serverTools = 0;
  toolUses: number | null = null;
  otherModels = false;
  speaks = false;
  draws = false;
  predicts = false;
  background = false;
  items = 1;
  queryBytes = 0;
  /** Behind the opening brace. */
  inside = 0;
  /** Where the value of `stream_options` begins and ends; null where there is none. */
  streamOptions: readonly [start: number, end: number] | null = null;
  /** Where the values of caps begin and end. */
  caps: (readonly [start: number, end: number])[] | null = null;
  /** Where the object that caps stand in begins and ends; null where it is the body, or is not there. */
  capHolder: readonly [start: number, end: number] | null = null;
  /** Of tools that the provider runs, those that say how often. */
  private limitedTools = 0;
  private limitOfTools = 0;
  private inlines = 0;
  private mimes = 0;

  constructor(bounds: DemandBounds, bytes: number) {
    this.bounds = bounds;
    this.bytes = bytes;
  }

  take(fact: Fact, bytes: Uint8Array, start: number, end: number): void {
    const first = bytes[start];
    const isText = first === QUOTE;
    switch (fact) {
      case "stream":
        this.stream = first === LETTER_T;
        return;
      case "streamOptions":
        this.streamOptions = [start, end];
        return;
      case "model":
        if (isText) this.takeModel(decodeString(bytes, start, end));
        return;
      case "cap":
        this.takeCap(bytes, start, end);
        return;
      case "answers":
        this.answers = Math.max(this.answers, numberAt(bytes, start, end) ?? 1);
        return;
      case "query":
        this.queryBytes = end - start;
        return;
      default:
    }
    if (first === LETTER_N || first === LETTER_F) return;
    switch (fact) {
      case "tier":
        if (isText && this.serviceTier !== "fast") this.serviceTier = decodeString(bytes, start, end);
        return;
      case "speed":
        if (isText && decodeString(bytes, start, end) !== "standard") this.serviceTier = "fast";
        return;
      case "region":
        if (isText) this.region = decodeString(bytes, start, end);
        return;
      case "stored":
        this.stored = true;
        return;
      case "background":
        this.background = true;
        return;
      case "toolUses":
        this.toolUses = numberAt(bytes, start, end);
        return;
      case "serverTool":
        if (!isEmpty(bytes, start)) this.serverTools++;
        return;
      case "otherModels":
        if (!isEmpty(bytes, start)) this.otherModels = true;
        return;
      case "modalities":
        this.speaks = includes(bytes, start, end, "audio");
        this.draws = includes(bytes, start, end, "image");
        return;
      case "predicts":
        this.predicts = true;
        return;
      case "caching":
        // How long is not looked up here: the dearer.
        this.caching = "long";
        return;
      case "prompts":
        this.items = Math.max(this.items, countPrompts(bytes, start));
        return;
      case "items":
        this.items = Math.max(this.items, countItems(bytes, start));
        return;
      case "images":
        this.images += countItems(bytes, start);
        return;
      case "file":
        this.files++;
    }
  }

  takePart(part: Part, bytes: Uint8Array, start: number): void {
    const first = bytes[start];
    if (first === LETTER_N) return;
    switch (part) {
      case "image":
        this.images++;
        this.leaveOutImage(bytes, start);
        return;
      case "link":
        this.leaveOutImage(bytes, start);
        return;
      case "audio":
        this.audios++;
        return;
      case "file":
        this.files++;
        return;
      case "stored":
        this.stored = true;
        return;
      case "serverTool":
        this.serverTools++;
        return;
      case "caching":
        if (this.caching === "none") this.caching = "short";
        return;
      case "ttl":
        if (!startsWith(bytes, start, FIVE_MINUTES)) this.caching = "long";
        return;
      case "inline":
        this.inlines++;
        return;
      case "mime":
        this.mimes++;
        if (startsWith(bytes, start + 1, "image/")) this.images++;
        else if (startsWith(bytes, start + 1, "audio/")) this.audios++;
        else if (!startsWith(bytes, start + 1, "text/")) this.files++;
    }
  }

  /** @param uses How often it may be used, where the request says so. */
  takeTool(uses: number | null): void {
    this.serverTools++;
    if (uses === null) return;
    this.limitedTools++;
    this.limitOfTools += uses;
  }

  /** What is known only when all is. */
  finish(): this {
    if (this.inlines > this.mimes) this.files += this.inlines - this.mimes;
    const allLimited = this.limitedTools > 0 && this.limitedTools === this.serverTools;
    if (this.toolUses === null && allLimited) this.toolUses = this.limitOfTools;
    return this;
  }

  private takeModel(model: string): void {
    if (this.model !== null && this.model !== model) throw new UnclearJson("it names two models");
    this.model = model;
  }

  private takeCap(bytes: Uint8Array, start: number, end: number): void {
    this.caps ??= [];
    this.caps.push([start, end]);
    // A cap in quotes may not be taken for one; below nought it stands for none.
    const cap = bytes[start] === QUOTE ? null : numberAt(bytes, start, end);
    if (cap !== null && cap >= 0) this.outputCap = Math.max(this.outputCap ?? 0, cap);
  }

  private leaveOutImage(bytes: Uint8Array, start: number): void {
    if (bytes[start] === QUOTE && startsWith(bytes, start + 1, "data:image/")) {
      this.bytes -= skipString(bytes, start) - start;
    }
  }
}

/** First letters of `true`, `null` and `false`. */
const LETTER_T = 0x74;
const LETTER_N = 0x6e;
const LETTER_F = 0x66;
const FIVE_MINUTES = '"5m"';

/**
 * Finds the members that a format is about in a JSON object, without parsing the rest.
 *
 * Prompts and images make bodies of many megabytes of which the gateway reads a few fields: strings are skipped by
 * searching for their closing quote, nothing else is decoded. What is malformed inside a value is the provider's to
 * complain about; what would make the members themselves ambiguous is reported.
 *
 * @returns null where the body is no JSON object (an array, a bare value, or empty).
 * @throws UnclearJson for duplicate members of interest, broken structure, or nesting deeper than 512.
 */
export function scanObject(bytes: Uint8Array, format: DemandFormat): Scanned | null {
  const start = skipSpace(bytes, byteOrderMark(bytes));
  if (bytes[start] !== OPEN_BRACE) {
    if (isWide(bytes, start)) throw new UnclearJson("it is not UTF-8");
    return null;
  }
  const found = new Scanned(format.bounds, bytes.length);
  found.inside = start + 1;
  const end = scanMembers(bytes, start, planOf(format), found);
  if (skipSpace(bytes, end) < bytes.length) throw new UnclearJson("something follows the object");
  return found.finish();
}

/** Whether this is an object in UTF-16 or UTF-32, which some reader may take: after its mark, or after zeros. */
function isWide(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start];
  const second = bytes[start + 1];
  if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) return true;
  if (first !== 0) return false;
  const letter = bytes.subarray(start, start + 4).find((byte) => byte !== 0);
  return (
    letter === OPEN_BRACE || letter === 0x20 || (letter !== undefined && letter >= 0x09 && letter <= 0x0d)
  );
}

/** From the opening brace to behind the closing one. */
function scanMembers(bytes: Uint8Array, brace: number, plan: Plan, found: Scanned): number {
  let seen = 0;
  let at = skipSpace(bytes, brace + 1);
  if (bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) throw new UnclearJson("a member's name is missing");
    const nameEnd = skipString(bytes, at);
    const member = plan.find(bytes, at + 1, nameEnd - 1);
    at = skipSpace(bytes, nameEnd);
    if (bytes[at] !== COLON) throw new UnclearJson("a colon is missing behind a member's name");
    at = skipSpace(bytes, at + 1);
    if (member === undefined) at = skipValue(bytes, at);
    else {
      if ((seen & member.bit) !== 0) throw new UnclearJson(`"${member.name}" is given twice`);
      seen |= member.bit;
      const { fact, rule } = member;
      const first = bytes[at];
      const start = at;
      if (rule.members !== undefined && first === OPEN_BRACE) {
        at = scanMembers(bytes, at, rule.members, found);
        if (rule.holdsCap) found.capHolder = [start, at];
      } else if (rule.isWatched && (first === OPEN_BRACE || first === OPEN_BRACKET)) {
        at = watchNested(bytes, at, rule, found);
      } else {
        at = skipValue(bytes, at);
        if (rule.holdsCap) found.capHolder = [start, at];
      }
      if (fact !== undefined) found.take(fact, bytes, start, at);
    }
    at = skipSpace(bytes, at);
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== COMMA) throw new UnclearJson("the object is cut short or a comma is missing");
    at = skipSpace(bytes, at + 1);
  }
}

/** Skips an object or a list, and counts what is in it: from its bracket to behind the closing one. */
function watchNested(bytes: Uint8Array, start: number, plan: ValuePlan, found: Scanned): number {
  const { parts, types, tools } = plan;
  /** How deep the members of a tool stand. */
  const toolDepth = bytes[start] === OPEN_BRACE ? 1 : 2;
  let depth = 0;
  let isServerRun = false;
  let uses: number | null = null;
  for (let at = start; at < bytes.length; ) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      const end = skipString(bytes, at);
      let next = end;
      if (bytes[next] !== COLON) next = skipSpace(bytes, end);
      if (bytes[next] === COLON) {
        const value = skipSpace(bytes, next + 1);
        const part = parts.find(bytes, at + 1, end - 1);
        if (part !== undefined) found.takePart(part, bytes, value);
        if (types !== undefined && bytes[value] === QUOTE && IS_TYPE.find(bytes, at + 1, end - 1)) {
          const type = types.find(bytes, value);
          if (type !== undefined) found.takePart(type, bytes, value);
        }
        if (tools !== undefined && depth === toolDepth) {
          if (tools.isServerRun(bytes, at + 1, end - 1, value)) isServerRun = true;
          const limit = tools.limitAt(bytes, at + 1, end - 1, value);
          if (limit !== undefined) uses = limit;
          if (tools.namesModel(bytes, at + 1, end - 1, value)) found.otherModels = true;
        }
        at = value;
      } else at = end;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > 512) throw tooDeep();
      closers[depth] = byte + 2;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (closers[depth] !== byte) throw new UnclearJson("brackets do not match");
      if (depth === toolDepth && isServerRun) {
        found.takeTool(uses);
        isServerRun = false;
      }
      if (depth === toolDepth) uses = null;
      depth--;
      if (depth === 0) return at + 1;
    }
    at++;
  }
  throw new UnclearJson("it is cut short");
}
