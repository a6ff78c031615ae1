import { expect, test } from "bun:test";
import fc from "fast-check";
import { Gathered } from "./gathered.ts";

test("pieces come out as one, and the first of them is not touched", () => {
  const piece = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(piece, fc.array(piece, { maxLength: 40 }), (first, others) => {
      const before = Buffer.from(first);
      const gathered = new Gathered(first);
      let all = before;
      for (const other of others) {
        all = Buffer.concat([all, other]);
        expect(gathered.add(other).equals(all)).toBe(true);
        expect(gathered.length).toBe(all.length);
      }
      expect(first.equals(before)).toBe(true);
    }),
  );
});
