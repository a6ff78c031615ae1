import { expect, test } from "bun:test";
import fc from "fast-check";
import { repeatedTextOf, textOf } from "./utf8.ts";

test("what was read lately is never taken for something else", () => {
  const letters = fc.constantFrom(0x20, 0x41, 0x42, 0x61, 0x7f, 0x80, 0xc3, 0xa9, 0xff);
  fc.assert(
    fc.property(fc.uint8Array({ min: 0, max: 255, maxLength: 60 }), fc.array(letters), (any, few) => {
      for (const bytes of [any, Uint8Array.from(few), any]) {
        for (let end = 0; end <= bytes.length; end++) {
          expect(repeatedTextOf(bytes, 0, end)).toBe(textOf(bytes, 0, end));
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("texts of which only one byte differs stay apart, and so do those that are none in UTF-8", () => {
  const bytesOf = (text: string) => Buffer.from(text, "latin1");
  for (const text of ["gpt-5-mini", "gpt-5-mina", "gpt-4-mini", "a\x80c", "a\x81c", "", "x"]) {
    const bytes = bytesOf(text);
    for (let time = 0; time < 2; time++)
      expect(repeatedTextOf(bytes, 0, bytes.length)).toBe(textOf(bytes, 0, bytes.length));
  }
});
