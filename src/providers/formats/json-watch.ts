import { repeatedTextOf, textOf } from "../../domain/utf8.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** The first letter of `null`, which streams repeat in every piece. */
const LETTER_N = 0x6e;
/** Where a number, `true`, `false` or `null` ends. */
const ENDS_SCALAR = new Uint8Array(256);
for (const byte of [SPACE, 0x09, 0x0a, 0x0d, COMMA, CLOSE_BRACE, CLOSE_BRACKET]) ENDS_SCALAR[byte] = 1;

const MAX_KEPT_BYTES = 64 * 1024;
/** Deeper than this nothing is watched, and no provider answers like that. */
const MAX_DEPTH = 512;
/** So far a string's end is looked for byte by byte: most are short, and a search costs more than it saves. */
const NEAR_BYTES = 48;

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);

/** Told what is found. */
export interface ValueListener {
  /**
   * Called for each watched value.
   * @param path As it was given to `watchList`.
   * @param value Parsed; undefined where it was over 64 KiB, which still tells that it was there.
   */
  onValue(path: string, value: unknown): void;
  /** Called where a text is over, and perhaps where something that is no JSON is. */
  onEnd?(): void;
}

type State = "value" | "member" | "name" | "string" | "scalar" | "after";

interface Node {
  readonly children: Map<string, Node>;
  /** The children's names as they stand in most texts, to be compared without decoding these. */
  readonly names: { readonly bytes: Uint8Array; readonly child: Node }[];
  path: string;
  isWatched: boolean;
  /** Its values are only measured. */
  isMeasured: boolean;
}

/** Paths to watch, prepared once. */
export interface WatchList {
  readonly root: Node;
}

/**
 * @param paths Member names joined by dots, `*` for any element of an array: `response.usage`, `output.*.type`.
 * @param measured Paths of values that are not read, and whose bytes are counted together.
 */
export function watchList(paths: readonly string[], measured: readonly string[] = []): WatchList {
  const root = newNode();
  for (const path of paths) nodeAt(root, path).isWatched = true;
  for (const path of measured) nodeAt(root, path).isMeasured = true;
  return { root };
}

function nodeAt(root: Node, path: string): Node {
  let node = root;
  for (const name of path.split(".")) {
    let child = node.children.get(name);
    if (child === undefined) {
      child = newNode();
      node.children.set(name, child);
      node.names.push({ bytes: encoder.encode(name), child });
    }
    node = child;
  }
  node.path = path;
  return node;
}

function newNode(): Node {
  return { children: new Map(), names: [], path: "", isWatched: false, isMeasured: false };
}

/** The child whose name stands between these places, where it is written without escapes. */
function childAt(node: Node, bytes: Uint8Array, start: number, end: number): Node | null {
  const length = end - start;
  next: for (const { bytes: name, child } of node.names) {
    if (name.length !== length) continue;
    for (let at = 0; at < length; at++) if (name[at] !== bytes[start + at]) continue next;
    return child;
  }
  return null;
}

/**
 * Picks a few values out of JSON text that arrives in pieces, whatever its size, in memory that does not grow.
 *
 * Nothing but the values that are watched is decoded; all else is skipped by brackets and quotation marks. What is
 * not JSON finds nothing. Several texts may follow one another (NDJSON): each begins anew.
 */
export class JsonWatcher {
  private readonly root: Node;
  private readonly listener: ValueListener;
  /** What is watched inside each open container, outermost first; null where nothing is. */
  private readonly nodes: (Node | null)[] = [];
  /** Whether each open container is an object. */
  private readonly objects: boolean[] = [];
  /** The node of the value that comes next. */
  private next: Node | null;
  private state: State = "value";
  /** Whether a piece ended behind a backslash. */
  private escaped = false;
  /** Whether the string that is being read has escapes. */
  private hasEscapes = false;
  /** The watched value that is being read, and the depth that it began at. */
  private watched: Node | null = null;
  private watchedDepth = 0;
  /** Whether a member name or watched value is being read, and not too long. */
  private keeping = false;
  /** Where it begins or goes on in this piece. */
  private keptFrom = 0;
  /** What came of it in earlier pieces. */
  private kept: Uint8Array = nothing;
  private keptLength = 0;
  /** Bytes of the values that are only measured, as they are written, without quotation marks. */
  measuredBytes = 0;
  private measuring = false;
  private measuredFrom = 0;
  private measuredDepth = 0;
  /** Where this piece has its next backslash, from the place on that was last asked about; its length for none. */
  private backslashAt = 0;

  constructor(watch: WatchList, listener: ValueListener) {
    this.root = watch.root;
    this.next = watch.root;
    this.listener = listener;
  }

  push(bytes: Uint8Array): void {
    this.backslashAt = -1;
    this.keptFrom = 0;
    this.measuredFrom = 0;
    for (let at = 0; at < bytes.length; ) {
      if (this.state === "string" || this.state === "name") at = this.inString(bytes, at);
      else if (this.state === "scalar") at = this.inScalar(bytes, at);
      else at = this.between(bytes, at);
    }
    if (this.keeping) this.keep(bytes, bytes.length);
    if (this.measuring) this.measuredBytes += bytes.length - this.measuredFrom;
  }

  /** Forgets where it was: the next byte begins a new text. */
  reset(): void {
    if (this.state === "scalar") {
      this.keptFrom = 0;
      this.endValue(nothing, 0);
    }
    this.nodes.length = 0;
    this.objects.length = 0;
    this.next = this.root;
    this.state = "value";
    this.escaped = false;
    this.watched = null;
    this.keeping = false;
    this.measuring = false;
  }

  /** Outside of strings and scalars: brackets, commas, colons, white space, the first byte of a value. */
  private between(bytes: Uint8Array, at: number): number {
    const byte = bytes[at] as number;
    switch (byte) {
      case QUOTE:
        this.beginString(at);
        return this.inString(bytes, at + 1);
      case OPEN_BRACE:
      case OPEN_BRACKET:
        this.open(byte === OPEN_BRACE, at);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        this.nodes.pop();
        this.objects.pop();
        this.endValue(bytes, at + 1);
        break;
      case COMMA:
        this.expectNext();
        break;
      default:
        if (byte !== COLON && byte > SPACE) {
          this.beginValue(at);
          this.state = "scalar";
          return this.inScalar(bytes, at);
        }
    }
    return at + 1;
  }

  private beginString(at: number): void {
    this.hasEscapes = false;
    if (this.state !== "member") {
      this.beginValue(at);
      this.state = "string";
      return;
    }
    this.state = "name";
    // Names are read only where one of them may lead to something.
    if (this.watched === null && this.innermost() !== null) this.startKeeping(at);
  }

  private inString(bytes: Uint8Array, start: number): number {
    let at = start;
    if (this.escaped && at < bytes.length) {
      this.escaped = false;
      at++;
    }
    const near = Math.min(bytes.length, at + NEAR_BYTES);
    while (at < near) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) return this.endString(bytes, at + 1);
      if (byte === BACKSLASH) at = this.escape(bytes, at);
      else at++;
    }
    // Looked for again only once it is passed: a long string may hold thousands of escapes.
    let quote = bytes.indexOf(QUOTE, at);
    while (at < bytes.length) {
      if (quote !== -1 && quote < at) quote = bytes.indexOf(QUOTE, at);
      const end = quote === -1 ? bytes.length : quote;
      const backslash = this.nextBackslash(bytes, at);
      if (backslash < end) at = this.escape(bytes, backslash);
      else if (quote !== -1) return this.endString(bytes, quote + 1);
      else break;
    }
    return bytes.length;
  }

  /** Looked for again only once it is passed, too: most texts have none, and then one search is enough for a piece. */
  private nextBackslash(bytes: Uint8Array, at: number): number {
    if (this.backslashAt < at) {
      const found = bytes.indexOf(BACKSLASH, at);
      this.backslashAt = found === -1 ? bytes.length : found;
    }
    return this.backslashAt;
  }

  /** Passes a backslash and what it escapes, which may be in the next piece. */
  private escape(bytes: Uint8Array, at: number): number {
    this.hasEscapes = true;
    this.escaped = at + 1 === bytes.length;
    return at + 2;
  }

  private endString(bytes: Uint8Array, end: number): number {
    if (this.state === "name") this.endName(bytes, end);
    else this.endValue(bytes, end);
    return end;
  }

  private endName(bytes: Uint8Array, end: number): void {
    const parent = this.innermost();
    this.state = "value";
    this.next = null;
    if (this.watched !== null || parent === null) return;
    if (this.keeping && this.keptLength === 0 && !this.hasEscapes) {
      this.next = childAt(parent, bytes, this.keptFrom + 1, end - 1);
    } else {
      const name = this.taken(bytes, end);
      if (typeof name === "string") this.next = parent.children.get(name) ?? null;
    }
    this.keeping = false;
  }

  private inScalar(bytes: Uint8Array, start: number): number {
    let end = start;
    while (end < bytes.length && ENDS_SCALAR[bytes[end] as number] === 0) end++;
    if (end < bytes.length) this.endValue(bytes, end);
    return end;
  }

  private open(isObject: boolean, at: number): void {
    if (this.nodes.length === MAX_DEPTH) this.reset();
    this.beginValue(at);
    this.nodes.push(this.watched === null ? this.next : null);
    this.objects.push(isObject);
    this.expectNext();
  }

  /** Behind an opening bracket or a comma. */
  private expectNext(): void {
    const isObject = this.objects.length > 0 && this.objects[this.objects.length - 1] === true;
    const container = isObject ? null : this.innermost();
    this.next = container?.children.get("*") ?? null;
    this.state = isObject ? "member" : "value";
  }

  private innermost(): Node | null {
    return this.nodes.length === 0 ? null : (this.nodes[this.nodes.length - 1] ?? null);
  }

  private beginValue(at: number): void {
    if (this.watched !== null || this.next === null) return;
    if (this.next.isMeasured && !this.measuring) {
      this.measuring = true;
      this.measuredFrom = at;
      this.measuredDepth = this.nodes.length;
    }
    if (!this.next.isWatched) return;
    this.watched = this.next;
    this.watchedDepth = this.nodes.length;
    this.startKeeping(at);
  }

  private endValue(bytes: Uint8Array, end: number): void {
    if (this.measuring && this.nodes.length <= this.measuredDepth) {
      this.measuring = false;
      // Two of them are the quotation marks.
      this.measuredBytes += Math.max(0, end - this.measuredFrom - 2);
    }
    if (this.watched !== null && this.nodes.length <= this.watchedDepth) {
      const { path } = this.watched;
      const value = this.taken(bytes, end);
      this.watched = null;
      this.keeping = false;
      this.listener.onValue(path, value);
    }
    const isOver = this.nodes.length === 0;
    this.state = isOver ? "value" : "after";
    if (!isOver) return;
    this.next = this.root;
    this.listener.onEnd?.();
  }

  private startKeeping(at: number): void {
    this.keeping = true;
    this.keptFrom = at;
    this.keptLength = 0;
  }

  /** Copies what this piece has of a value, up to here, for the value goes on. */
  private keep(bytes: Uint8Array, end: number): void {
    const length = this.keptLength + end - this.keptFrom;
    if (length > MAX_KEPT_BYTES) {
      this.keeping = false;
      return;
    }
    if (length > this.kept.length) {
      const larger = new Uint8Array(Math.min(MAX_KEPT_BYTES, Math.max(256, length * 2)));
      larger.set(this.kept.subarray(0, this.keptLength));
      this.kept = larger;
    }
    this.kept.set(bytes.subarray(this.keptFrom, end), this.keptLength);
    this.keptLength = length;
  }

  /** The value that ends here; undefined where it is none, or too long. */
  private taken(bytes: Uint8Array, end: number): unknown {
    if (!this.keeping) return undefined;
    if (this.keptLength === 0) {
      return end - this.keptFrom > MAX_KEPT_BYTES ? undefined : this.parsed(bytes, this.keptFrom, end);
    }
    this.keep(bytes, end);
    return this.keeping ? this.parsed(this.kept, 0, this.keptLength) : undefined;
  }

  private parsed(bytes: Uint8Array, start: number, end: number): unknown {
    const first = bytes[start];
    if (first === LETTER_N && end - start === 4) return null;
    if (first === QUOTE && !this.hasEscapes) return repeatedTextOf(bytes, start + 1, end - 1);
    try {
      return JSON.parse(textOf(bytes, start, end));
    } catch {
      return undefined;
    }
  }
}
