import { expect, test } from "bun:test";
import fc from "fast-check";
import { ChunkReader } from "./chunks.ts";
import { MalformedAnswer } from "./failure.ts";

interface Read {
  readonly body: string;
  readonly isOver: boolean;
  /** What came behind the body. */
  readonly rest: string;
}

/** @param pieces In the cuts in which they arrive; a character for each byte. */
function read(...pieces: string[]): Read {
  const chunks = new ChunkReader();
  let body = "";
  let rest = "";
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, "latin1");
    const end = chunks.push(bytes, (part) => {
      body += Buffer.from(part).toString("latin1");
    });
    rest += bytes.toString("latin1", end);
  }
  return { body, isOver: chunks.isOver, rest };
}

function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => text.slice(start, at[index]));
}

const bytes = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .map((all) => Buffer.from(all).toString("latin1"));
const extension = fc.constantFrom("", ";a", ";a=b", ' ;a="b;c"', "\t", ";\u00e9");
const chunk = fc.record({ body: bytes, extension, isUpper: fc.boolean(), zeros: fc.nat(4) });

test("a body cut into any chunks, arriving in any cuts, comes out whole, and ends where it ends", () => {
  const places = fc.array(fc.nat(5000), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 8 }), places, bytes, (chunks, places, behind) => {
      const wire = chunks.map(({ body, extension, isUpper, zeros }) => {
        const size = body.length.toString(16);
        return `${"0".repeat(zeros)}${isUpper ? size.toUpperCase() : size}${extension}\r\n${body}\r\n`;
      });
      const text = `${wire.join("")}0\r\nx-trailer: 1\r\n\r\n`;
      const whole = chunks.map(({ body }) => body).join("");
      expect(read(...cut(text + behind, places))).toEqual({ body: whole, isOver: true, rest: behind });
      for (let end = 0; end < text.length; end += 7) expect(read(text.slice(0, end)).isOver).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test("byte by byte, too", () => {
  const text = "3;x\r\nabc\r\nA\r\n0123456789\r\n000\r\na: b\r\nc: d\r\n\r\n";
  expect(read(...text)).toEqual({ body: "abc0123456789", isOver: true, rest: "" });
});

test("the body's bytes are not copied", () => {
  const packet = Buffer.from("3\r\nabc\r\n");
  const parts: Uint8Array[] = [];
  new ChunkReader().push(packet, (part) => parts.push(part));
  expect(parts.map(({ buffer, length }) => [buffer === packet.buffer, length])).toEqual([[true, 3]]);
});

test.each([
  ["no size", "\r\n"],
  ["no digit", "g\r\n"],
  ["a sign", "+3\r\nabc\r\n"],
  ["a minus", "-3\r\nabc\r\n"],
  ["a space before", " 3\r\nabc\r\n"],
  ["a prefix", "0x3\r\nabc\r\n"],
  ["a separator", "1_0\r\nabc\r\n"],
  ["two numbers", "3 3\r\nabc\r\n"],
  ["more than numbers hold exactly", "fffffffffffffff\r\n"],
  ["a size that only a wrap makes small", "10000000000000003\r\nabc\r\n"],
  ["zeros without end", `${"0".repeat(20)}3\r\nabc\r\n`],
  ["a line that ends with a feed alone", "3\nabc\r\n0\r\n\r\n"],
  ["a return inside of a line", "3\r;\r\nabc\r\n"],
  ["an extension that holds a return", "3;a\rb\r\nabc\r\n"],
  ["two returns", "3\r\r\nabc\r\n"],
  ["nothing behind the data", "3\r\nabc0\r\n\r\n"],
  ["a feed alone behind the data", "3\r\nabc\n0\r\n\r\n"],
  ["a return alone behind the data", "3\r\nabc\r0\r\n\r\n"],
  ["more data than it says", "3\r\nabcd\r\n0\r\n\r\n"],
  ["less data than it says", "5\r\nabc\r\n0\r\n\r\n"],
  ["a trailer that ends with a feed alone", "0\r\na: b\n\r\n"],
  ["an end that is a feed alone", "0\r\n\n"],
  ["a digit that is none of ours", "\u00b3\r\nabc\r\n"],
])("%s is refused", (_, text) => {
  expect(() => read(text)).toThrow(MalformedAnswer);
  expect(() => read(...text)).toThrow(MalformedAnswer);
});

test("lines and trailers end somewhere, in one piece and in many", () => {
  const long = "x".repeat(17 * 1024);
  for (const text of [`1;${long}`, `0\r\na: ${long}`, `0\r\n${"a: b\r\n".repeat(4000)}`]) {
    expect(() => read(text)).toThrow("too long");
    expect(() => read(...text)).toThrow("too long");
  }
  const short = "x".repeat(8 * 1024);
  expect(read(`1;${short}\r\na\r\n0\r\na: ${short}\r\n\r\n`).body).toBe("a");
});

test("what is refused once is not taken up again behind the mistake", () => {
  const chunks = new ChunkReader();
  const taken: string[] = [];
  const take = (part: Uint8Array) => void taken.push(Buffer.from(part).toString());
  expect(() => chunks.push(Buffer.from("3\r\nabcX"), take)).not.toThrow();
  expect(() => chunks.push(Buffer.from("\r\n"), take)).toThrow(MalformedAnswer);
  expect([taken, chunks.isOver]).toEqual([["abc"], false]);
});
