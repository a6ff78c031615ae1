/** A stretch of a body, and what is to stand there instead; an insertion where it is empty. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const encoder = new TextEncoder();

/** The same bytes but for these edits, which do not overlap; of several at one place the first comes first. */
export function spliced(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array<ArrayBuffer> {
  const sorted = edits.toSorted((a, b) => a.start - b.start);
  const texts = sorted.map(({ text }) => encoder.encode(text));
  const grown = sorted.reduce((sum, { start, end }, i) => sum + (texts[i]?.length ?? 0) - (end - start), 0);
  const result = new Uint8Array(bytes.length + grown);
  let from = 0;
  let to = 0;
  for (const [i, { start, end }] of sorted.entries()) {
    result.set(bytes.subarray(from, start), to);
    to += start - from;
    const text = texts[i] as Uint8Array;
    result.set(text, to);
    to += text.length;
    from = end;
  }
  result.set(bytes.subarray(from), to);
  return result;
}
