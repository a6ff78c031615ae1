import { MalformedAnswer } from "./failure.ts";

/** A size, its extensions, or a trailer longer than this is none. */
const MAX_LINE = 16 * 1024;

type State = "size" | "data" | "data-end" | "trailer" | "over";

const CR = 0x0d;
const LF = 0x0a;

/** Reads `transfer-encoding: chunked` (RFC 9112, 7.1), piece by piece; extensions and trailers are dropped. */
export class ChunkReader {
  private state: State = "size";
  /** Of the chunk that is being read, bytes that are still to come. */
  private left = 0;
  /** What came of a line that is not over, a character for each byte. */
  private line = "";
  /** Bytes of the trailer section so far. */
  private trailer = 0;

  get isOver(): boolean {
    return this.state === "over";
  }

  /**
   * @param take Called with each run of the body's own bytes: views into `bytes`.
   * @returns Where the body ended in `bytes`; their length where it has not.
   * @throws MalformedAnswer
   */
  push(bytes: Uint8Array<ArrayBuffer>, take: (piece: Uint8Array<ArrayBuffer>) => void): number {
    let at = 0;
    while (at < bytes.length && this.state !== "over") {
      if (this.state === "data") {
        const end = Math.min(bytes.length, at + this.left);
        take(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
        this.left -= end - at;
        at = end;
        if (this.left === 0) this.state = "data-end";
        continue;
      }
      const feed = bytes.indexOf(LF, at);
      const end = feed === -1 ? bytes.length : feed;
      this.addToLine(bytes, at, end);
      if (feed === -1) return bytes.length;
      at = feed + 1;
      this.endLine();
    }
    return at;
  }

  private addToLine(bytes: Uint8Array, start: number, end: number): void {
    if (this.line.length + end - start > MAX_LINE)
      throw new MalformedAnswer("a line of its chunks is too long");
    for (let at = start; at < end; at++) this.line += String.fromCharCode(bytes[at] as number);
  }

  private endLine(): void {
    const { line } = this;
    this.line = "";
    if (line.charCodeAt(line.length - 1) !== CR || line.indexOf("\r") !== line.length - 1) {
      throw new MalformedAnswer("a line of its chunks does not end as lines do");
    }
    const text = line.slice(0, -1);
    if (this.state === "data-end") {
      if (text !== "") throw new MalformedAnswer("a chunk is longer than it says");
      this.state = "size";
    } else if (this.state === "trailer") {
      this.trailer += line.length;
      if (this.trailer > MAX_LINE) throw new MalformedAnswer("its trailers are too long");
      if (text === "") this.state = "over";
    } else {
      this.left = sizeOf(text);
      this.state = this.left === 0 ? "trailer" : "data";
    }
  }
}

function sizeOf(text: string): number {
  const size = /^([0-9a-f]{1,13})[ \t]*(?:;.*)?$/i.exec(text)?.[1];
  if (size === undefined) throw new MalformedAnswer("a chunk's size is no number");
  return Number.parseInt(size, 16);
}
