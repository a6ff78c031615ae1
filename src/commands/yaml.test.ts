import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BadYaml, duplicateKey, parseYaml } from "./yaml.ts";

describe("a key that stands twice is found", () => {
  test.each([
    ["a: 1\na: 2", 2],
    ["a: 1\n'a': 2", 2],
    ['users:\n  alice:\n    models: [x]\n  bob: {}\n  "alice":\n    shadow: true', 5],
    ["budgets:\n  - name: a\n    amount: 1\n    name: b", 4],
    ["a: {b: 1, c: {}, b: 2}", 1],
    ["a: {b: [1, 2],\n  'b': 2}", 2],
    ['{"users": {"a": 1,\n "a": 2}}', 2],
    ["a:\n- b: 1\n  b: 2", 3],
    ["a: |\n  x: 1\n  x: 2\na: 2", 4],
    ["a: # {\n  b: 1\na: 2", 3],
  ] as const)("%j", (text, line) => {
    expect(duplicateKey(text)?.line).toBe(line);
    expect(() => parseYaml(text)).toThrow(BadYaml);
  });
});

describe("what stands once is let pass", () => {
  test.each([
    "a: {b: 1}\nc: {b: 2}",
    "a:\n  b: 1\nc:\n  b: 2\n",
    "a:\n  - b: 1\n  - b: 2\n",
    "a:\n- b: 1\n- b: 2\nc: 1",
    "a: |\n  b: 1\n  b: 2\nb: 3",
    '{"a": [{"b": 1}, {"b": 2}], "c": "a: b, a: c"}',
    "# a: 1\na: 2",
    "a: 'x: 1'\nb: \"y: {a: 1, a: 2}\"",
    "url: http://a:1\nother: http://a:1",
  ])("%j", (text) => {
    expect(duplicateKey(text)).toBeUndefined();
    expect(() => parseYaml(text)).not.toThrow();
  });
});

test.each([
  "a: [",
  "a: &a [*a]",
  `a: &a [${"1,".repeat(9)}1]\n${[..."bcdefghi"].map((c, n) => `${c}: &${c} [${Array(10).fill(`*${"abcdefgh"[n]}`)}]`).join("\n")}`,
  `a: ${"[".repeat(100_000)}`,
  "x".repeat(5_000_000),
])("what cannot be used is said, not thrown about (%#)", (text) => {
  expect(() => parseYaml(text)).toThrow(BadYaml);
});

test("what we write we read again", () => {
  const word = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.string({ unit: "binary", maxLength: 8 }).filter((text) => text.isWellFormed()),
    fc.constantFrom(
      "yes",
      "null",
      "1",
      "1e3",
      "0x1",
      "~",
      "- a",
      "a: b",
      "#",
      "&a",
      "*a",
      "!x",
      "2027-01-31",
      "",
      " ",
    ),
  );
  // The platform writes no `__proto__`, and reads `<<` as YAML 1.1 does, quotes or not: names that are so are written as ids.
  const key = word.filter((text) => text !== "__proto__" && text !== "<<");
  const value = fc.oneof(word, fc.boolean(), fc.nat(), fc.array(word, { maxLength: 3 }));
  const mapping = fc.dictionary(key, fc.oneof(value, fc.dictionary(key, value, { maxKeys: 3 })), {
    maxKeys: 4,
  });
  fc.assert(
    fc.property(mapping, (document) => {
      const plain = JSON.parse(JSON.stringify(document)) as unknown;
      expect(parseYaml(Bun.YAML.stringify(plain, null, 2)) ?? {}).toEqual(plain ?? {});
    }),
    { numRuns: 1000 },
  );
});
