import { asCount, type Fields, isObject } from "./fields.ts";

/**
 * What is kept of the values of one path: streams repeat what they count, and the newest is right. Of most paths there is
 * one value, of which nothing more need be kept.
 */
interface Seen {
  readonly path: string;
  newest: unknown;
  /** Of the first value: whether it is a text that is told apart. */
  readonly isTallied: boolean;
  /** Undefined while there was one value. */
  all: AllSeen | undefined;
}

interface AllSeen {
  count: number;
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
    const seen = this.of(path);
    if (seen === undefined) {
      const isTallied = typeof value === "string" && this.tallies < MAX_TALLIES;
      if (isTallied) this.tallies++;
      this.seen.push({ path, newest: value, isTallied, all: undefined });
      return;
    }
    seen.all ??= allSeen(seen);
    seen.newest = value;
    seen.all.count++;
    if (typeof value === "number") seen.all.sum += asCount(value);
    else if (typeof value === "string") this.addText(seen.all, value);
    else if (isObject(value)) seen.all.object = value;
  }

  /** The newest value of these paths that is an object, in the order of the paths. */
  object(...paths: string[]): Fields | null {
    for (const path of paths) {
      const seen = this.of(path);
      if (seen === undefined) continue;
      if (seen.all === undefined) {
        if (isObject(seen.newest)) return seen.newest;
      } else if (seen.all.object !== null) return seen.all.object;
    }
    return null;
  }

  /** The newest value of these paths that is a text, in the order of the paths. */
  text(...paths: string[]): string | null {
    for (const path of paths) {
      const seen = this.of(path);
      if (seen === undefined) continue;
      if (seen.all === undefined) {
        if (typeof seen.newest === "string") return seen.newest;
      } else if (seen.all.text !== null) return seen.all.text;
    }
    return null;
  }

  /** The newest value, whatever it is. */
  newest(path: string): unknown {
    return this.of(path)?.newest;
  }

  /** How many values there were. */
  count(path: string): number {
    const seen = this.of(path);
    return seen === undefined ? 0 : (seen.all?.count ?? 1);
  }

  /** The sum of the values that are counts. */
  sum(path: string): number {
    const seen = this.of(path);
    if (seen === undefined) return 0;
    return seen.all?.sum ?? asCount(seen.newest);
  }

  /** How many values were this text. */
  tally(path: string, text: string): number {
    const seen = this.of(path);
    if (seen === undefined) return 0;
    if (seen.all === undefined) return seen.isTallied && seen.newest === text ? 1 : 0;
    return seen.all.first === text ? seen.all.firstTally : (seen.all.others?.get(text) ?? 0);
  }

  private of(path: string): Seen | undefined {
    for (const seen of this.seen) if (seen.path === path) return seen;
    return undefined;
  }

  private addText(all: AllSeen, text: string): void {
    all.text = text;
    if (all.first === text) {
      all.firstTally++;
      return;
    }
    const tally = all.others?.get(text);
    if (tally !== undefined) all.others?.set(text, tally + 1);
    else if (this.tallies < MAX_TALLIES) {
      this.tallies++;
      if (all.first === null) {
        all.first = text;
        all.firstTally = 1;
      } else {
        all.others ??= new Map();
        all.others.set(text, 1);
      }
    }
  }
}

/** The same of its one value. */
function allSeen({ newest, isTallied }: Seen): AllSeen {
  return {
    count: 1,
    object: isObject(newest) ? newest : null,
    text: typeof newest === "string" ? newest : null,
    sum: asCount(newest),
    first: isTallied ? (newest as string) : null,
    firstTally: isTallied ? 1 : 0,
    others: null,
  };
}
