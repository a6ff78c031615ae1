import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Enrolled, Roll } from "./roll.ts";

test("has who came and did not leave, whatever the order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 100 }), (moves) => {
      const everybody: Enrolled[] = Array.from({ length: 10 }, () => ({ place: -1 }));
      const roll = new Roll<Enrolled>();
      const expected = new Set<Enrolled>();
      for (const [comes, which] of moves) {
        const member = everybody[which] as Enrolled;
        if (comes && !expected.has(member)) {
          roll.add(member);
          expected.add(member);
        } else if (!comes) {
          roll.delete(member);
          expected.delete(member);
        }
        expect(roll.size).toBe(expected.size);
        expect(new Set(roll.all())).toEqual(expected);
      }
    }),
  );
});

test("all() is not changed by who comes or leaves meanwhile", () => {
  const roll = new Roll<Enrolled>();
  const [one, other] = [{ place: -1 }, { place: -1 }];
  roll.add(one);
  roll.add(other);
  const all = roll.all();
  roll.delete(one);
  expect(all).toHaveLength(2);
  expect(roll.all()).toEqual([other]);
});
