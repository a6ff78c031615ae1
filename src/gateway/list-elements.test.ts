import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { elementsOf, withoutElements, withoutMember } from "./list-elements.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("a list without some of its elements", () => {
  test("parses to what filtering the parsed list gives, and keeps the bytes of the others", () => {
    const element = fc.record({ id: fc.nat({ max: 5 }), more: fc.jsonValue() });
    const answer = fc.record({
      before: fc.jsonValue(),
      data: fc.array(element, { maxLength: 8 }),
      after: fc.jsonValue(),
    });
    fc.assert(
      fc.property(answer, fc.nat({ max: 4 }), fc.uniqueArray(fc.nat({ max: 5 })), (value, indent, owned) => {
        const text = JSON.stringify(value, null, indent);
        const bytes = bytesOf(text);
        const elements = elementsOf(bytes, "data");
        expect(elements).toHaveLength(value.data.length);
        const isMine = (i: number) => owned.includes(value.data[i]?.id ?? -1);
        const kept = textOf(withoutElements(bytes, elements, isMine));
        const data = value.data.filter(({ id }) => owned.includes(id));
        expect(JSON.parse(kept)).toEqual(JSON.parse(JSON.stringify({ ...value, data })));
        for (const [i, [start, end]] of elements.entries()) {
          if (isMine(i)) expect(kept).toContain(textOf(bytes.subarray(start, end)));
        }
      }),
    );
  });

  test("is the same where all are kept, or there is none", () => {
    for (const text of ['{"data":[ ]}', '{"data": [1 , 2]\n}', '{"other":[1]}', '{"data":null}']) {
      const bytes = bytesOf(text);
      expect(textOf(withoutElements(bytes, elementsOf(bytes, "data"), () => true))).toBe(text);
    }
  });

  test("is not made of what cannot be read for certain", () => {
    for (const text of ['{"data":[1],"data":[2]}', '{"data":[1', '{"data":[1 2]}', "[1]", "null"]) {
      expect(() => elementsOf(bytesOf(text), "data")).toThrow();
    }
  });
});

test("an object without a member parses to the object without it", () => {
  for (const [text, without] of [
    ['{"a":1,"next":"x","b":2}', '{"a":1,"b":2}'],
    ['{ "next" : "x" , "b":2}', '{  "b":2}'],
    ['{"a":[{"next":1}], "next":{"a":1}}', '{"a":[{"next":1}]}'],
    ['{"next":"x"}', "{}"],
    ['{"a":1}', '{"a":1}'],
  ] as const) {
    expect(textOf(withoutMember(bytesOf(text), "next"))).toBe(without);
  }
});
