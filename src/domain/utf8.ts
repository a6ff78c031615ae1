/** In this platform, and in Node; what types do not know of it. */
const { utf8Slice } = Buffer.prototype as unknown as {
  readonly utf8Slice: (this: Uint8Array, start: number, end: number) => string;
};

/** The text of a piece of bytes; a third of what a decoder takes, and the view that it would need. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return utf8Slice.call(bytes, start, end);
}
