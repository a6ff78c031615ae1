/** In this platform, and in Node; what types do not know of it. */
const { utf8Slice } = Buffer.prototype as unknown as {
  readonly utf8Slice: (this: Uint8Array, start: number, end: number) => string;
};

/** The text of a piece of bytes; a third of what a decoder takes, and the view that it would need. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return utf8Slice.call(bytes, start, end);
}

/** Short texts that were read lately, each at the place that its bytes lead to: models, kinds of objects, tiers. */
const recent = new Array<string | undefined>(256);
const LONGEST_RECENT = 48;

/** The same for texts that come again and again: who reads one that was read lately makes no other. */
export function repeatedTextOf(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length <= 0 || length > LONGEST_RECENT) return textOf(bytes, start, end);
  const first = bytes[start] as number;
  const middle = bytes[start + (length >> 1)] as number;
  const last = bytes[end - 1] as number;
  const place = (length * 67 + first * 31 + middle * 7 + last) & 0xff;
  const known = recent[place];
  if (known !== undefined && isWrittenAt(known, bytes, start, length)) return known;
  const text = textOf(bytes, start, end);
  recent[place] = text;
  return text;
}

/** Whether these bytes are the text's letters; what is not ASCII never is. */
function isWrittenAt(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let n = 0; n < length; n++) {
    const byte = bytes[start + n] as number;
    if (byte >= 0x80 || byte !== text.charCodeAt(n)) return false;
  }
  return true;
}
