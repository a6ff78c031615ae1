import { asCount, type Fields, isObject } from "./fields.ts";

/** What is kept of the values of one path: streams repeat what they count, and the newest is right. */
interface Seen {
  readonly path: string;
  count: number;
  newest: unknown;
  object: Fields | null;
  text: string | null;
  sum: number;
  /** The first text and how often it was seen: most paths never have another. */
  first: string | null;
  firstTally: number;
  others: Map<string, number> | null;
}

/** Most texts that are told apart; the others are not counted by themselves. */
const MAX_TALLIES = 64;

/** The watched values of one answer, in memory that does not grow with their number. */
export class Found {
  /** Searched one after another: there are too few for a map to be faster. */
  private readonly seen: Seen[] = [];
  /** Texts that are told apart, of all paths. */
  private tallies = 0;

  add(path: string, value: unknown): void {
    const seen = this.of(path) ?? this.begin(path);
    seen.count++;
    seen.newest = value;
    if (typeof value === "number") seen.sum += asCount(value);
    else if (typeof value === "string") this.addText(seen, value);
    else if (isObject(value)) seen.object = value;
  }

  /** The newest value of these paths that is an object, in the order of the paths. */
  object(...paths: string[]): Fields | null {
    for (const path of paths) {
      const object = this.of(path)?.object;
      if (object !== undefined && object !== null) return object;
    }
    return null;
  }

  /** The newest value of these paths that is a text, in the order of the paths. */
  text(...paths: string[]): string | null {
    for (const path of paths) {
      const text = this.of(path)?.text;
      if (text !== undefined && text !== null) return text;
    }
    return null;
  }

  /** The newest value, whatever it is. */
  newest(path: string): unknown {
    return this.of(path)?.newest;
  }

  /** How many values there were. */
  count(path: string): number {
    return this.of(path)?.count ?? 0;
  }

  /** The sum of the values that are counts. */
  sum(path: string): number {
    return this.of(path)?.sum ?? 0;
  }

  /** How many values were this text. */
  tally(path: string, text: string): number {
    const seen = this.of(path);
    if (seen === undefined) return 0;
    return seen.first === text ? seen.firstTally : (seen.others?.get(text) ?? 0);
  }

  private of(path: string): Seen | undefined {
    for (const seen of this.seen) if (seen.path === path) return seen;
    return undefined;
  }

  private begin(path: string): Seen {
    const seen: Seen = {
      path,
      count: 0,
      newest: undefined,
      object: null,
      text: null,
      sum: 0,
      first: null,
      firstTally: 0,
      others: null,
    };
    this.seen.push(seen);
    return seen;
  }

  private addText(seen: Seen, text: string): void {
    seen.text = text;
    if (seen.first === text) {
      seen.firstTally++;
      return;
    }
    const tally = seen.others?.get(text);
    if (tally !== undefined) seen.others?.set(text, tally + 1);
    else if (this.tallies < MAX_TALLIES) {
      this.tallies++;
      if (seen.first === null) {
        seen.first = text;
        seen.firstTally = 1;
      } else {
        seen.others ??= new Map();
        seen.others.set(text, 1);
      }
    }
  }
}
