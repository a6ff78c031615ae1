import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { unknownDemand } from "../providers/formats/demand.ts";
import { scanObject, UnclearJson } from "./scan.ts";

const scan = (text: string) => {
  const found = scanObject(Buffer.from(text), unknownDemand);
  return found && { model: found.model };
};

test("a text that JSON does not allow, and a number of more digits than are exact, are read as JSON reads them", () => {
  for (const letter of ["\u0001", "\n", "\t"])
    expect(() => scan(`{"model":"a${letter}b"}`)).toThrow("malformed escape");
  const cap = (digits: string) => {
    const format = { ...unknownDemand, members: { max_tokens: "cap" } } as const;
    return scanObject(Buffer.from(`{"max_tokens":${digits}}`), format)?.outputCap;
  };
  for (const digits of ["0", "007", "256", "999999999999999", "9007199254740993", "12345678901234567891"])
    expect(cap(digits)).toBe(Number(digits));
  for (const [digits, value] of [
    ["1.5", 2],
    ["1e3", 1000],
    ["-1", null],
  ] as const)
    expect(cap(digits)).toBe(value);
});

test("finds the model that JSON.parse finds, in any JSON object", () => {
  const objects = fc
    .dictionary(fc.oneof(fc.string(), fc.constantFrom("model", "mode", "models")), fc.jsonValue())
    .chain((object) =>
      fc
        .constantFrom(undefined, "gpt-5", "", 'a"b\\c', "é€😀", "\u0000\n")
        .map((model) => ({ object, model })),
    );
  fc.assert(
    fc.property(objects, fc.constantFrom(undefined, 1, "\t"), ({ object, model }, space) => {
      const value = model === undefined ? object : { ...object, model };
      const parsed = JSON.parse(JSON.stringify(value)) as { model?: unknown };
      const own = Object.hasOwn(parsed, "model") ? parsed.model : undefined;
      expect(scan(JSON.stringify(value, null, space))).toEqual({
        model: typeof own === "string" ? own : null,
      });
    }),
    { numRuns: 500 },
  );
});

test("finds it first, last, in the middle, with and without space", () => {
  for (const text of [
    '{"model":"m","a":1}',
    '{"a":{"model":"x"},"model":"m"}',
    '{"a":["model","x"],"model":"m","b":"model"}',
    ' \r\n\t{ "model" \n: "m" } \n',
    '\ufeff{"model":"m"}',
    '{"mod\\u0065l":"m"}',
    '{"model":"\\u006d"}',
    '{"a":"\\\\","model":"m"}',
    '{"a":"\\"}","model":"m"}',
  ]) {
    expect(scan(text)).toEqual({ model: "m" });
  }
});

test("is null for what is no object, and no model where it is no text", () => {
  for (const text of ["", " ", "[]", '"model"', "1", "null", "not JSON"]) expect(scan(text)).toBeNull();
  for (const value of ["1", "null", "true", "{}", '["m"]'])
    expect(scan(`{"model":${value}}`)).toEqual({ model: null });
  expect(scan("{}")).toEqual({ model: null });
});

describe("refuses", () => {
  const unclear: Record<string, string> = {
    "two models": '{"model":"a","model":"b"}',
    "two models, one escaped": '{"model":"a","\\u006dodel":"b"}',
    "two equal models": '{"model":"a","model":"a"}',
    "an object that is cut short": '{"model":"a"',
    "a text that is cut short": '{"model":"a',
    "a text that ends in an escaped quote": '{"model":"a\\"}',
    "a name without quotes": '{model:"a"}',
    "a name in single quotes": "{'model':'a'}",
    "a missing colon": '{"model" "a"}',
    "a missing value": '{"model":}',
    "a missing comma": '{"a":1 "model":"a"}',
    "a comma at the end": '{"model":"a",}',
    "something behind the object": '{"model":"a"}{"model":"b"}',
    "brackets that do not match": '{"a":[1},"model":"a"]',
    "brackets that are not closed": '{"a":[[1]',
    "a malformed escape in the model": '{"model":"\\x"}',
    "a malformed escape in a name": '{"mod\\uel":"a"}',
    "half an escape": '{"model":"\\ud8"}',
  };
  for (const [what, text] of Object.entries(unclear)) {
    test(what, () => expect(() => scan(text)).toThrow(UnclearJson));
  }

  test("nesting deeper than 512", () => {
    const nested = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)},"model":"m"}`;
    expect(scan(nested(512))).toEqual({ model: "m" });
    expect(() => scan(nested(513))).toThrow(UnclearJson);
  });
});

test("never throws anything else, whatever the bytes", () => {
  const alphabet = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    '"',
    ":",
    ",",
    "\\",
    "m",
    '"model"',
    " ",
    "1",
    "\\u006d",
    "\xff",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.array(alphabet).map((parts) => Buffer.from(`{${parts.join("")}`)),
      ),
      (bytes) => {
        try {
          scanObject(bytes, unknownDemand);
        } catch (error) {
          expect(error).toBeInstanceOf(UnclearJson);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("what JSON.parse takes and two readers would read alike is never refused", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      expect(scan(JSON.stringify(object))).not.toBeNull();
    }),
    { numRuns: 500 },
  );
});
