/** Many texts to look for at once, in texts of any length: uploads have megabytes, and every user has a key. */

/** How many characters of a needle are compared at first; none may be shorter. */
const START = 8;

export class Needles {
  private readonly byStart = new Map<string, (readonly [needle: string, name: string])[]>();
  /** By the codes of two characters: whether any needle begins so. */
  private readonly begins = new Uint8Array(0x10000);

  /** @param names What each needle is called when it is found. */
  constructor(names: ReadonlyMap<string, string>) {
    for (const [needle, name] of names) {
      if (needle.length < START) throw new Error(`"${needle}" is too short to look for.`);
      const start = needle.slice(0, START);
      this.byStart.set(start, [...(this.byStart.get(start) ?? []), [needle, name]]);
      this.begins[pair(needle, 0)] = 1;
    }
  }

  /** The names of all that the text holds. */
  *in(text: string): Generator<string> {
    for (let at = 0; at <= text.length - START; at++) {
      if (this.begins[pair(text, at)] === 0) continue;
      for (const [needle, name] of this.byStart.get(text.slice(at, at + START)) ?? [])
        if (text.startsWith(needle, at)) yield name;
    }
  }
}

function pair(text: string, at: number): number {
  return ((text.charCodeAt(at) & 0xff) << 8) | (text.charCodeAt(at + 1) & 0xff);
}
