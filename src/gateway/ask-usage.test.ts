import { expect, test } from "bun:test";
import fc from "fast-check";
import { unknownDemand } from "../providers/formats/demand.ts";
import { askForUsage } from "./ask-usage.ts";
import { type Scanned, scanObject } from "./scan.ts";
import { spliced } from "./splice.ts";

function asked(text: string): string | null {
  const bytes = new TextEncoder().encode(text);
  const question = askForUsage(bytes, scanObject(bytes, unknownDemand) as Scanned);
  return question === null ? null : new TextDecoder().decode(spliced(bytes, [question]));
}

test("a stream that does not ask for usage does so afterwards, and everything else stays", () => {
  const others = fc
    .dictionary(fc.string(), fc.jsonValue())
    .map(({ stream, stream_options, model, ...rest }) => rest);
  fc.assert(
    fc.property(others, fc.constantFrom(undefined, 2), (rest, space) => {
      const body = { ...rest, stream: true };
      const text = asked(JSON.stringify(body, null, space)) ?? "";
      expect(JSON.parse(text)).toEqual({
        ...JSON.parse(JSON.stringify(body)),
        stream_options: { include_usage: true },
      });
    }),
  );
});

test("other stream options are kept", () => {
  expect(asked('{"stream_options":{"include_obfuscation":false},"stream":true}')).toBe(
    '{"stream_options":{"include_obfuscation":false,"include_usage":true},"stream":true}',
  );
  expect(asked('{"stream":true,"stream_options":{"include_usage":false}}')).toBe(
    '{"stream":true,"stream_options":{"include_usage":true}}',
  );
  expect(asked('{"stream":true,"stream_options":null}')).toBe(
    '{"stream":true,"stream_options":{"include_usage":true}}',
  );
});

test("nothing changes where there is no stream, where usage is asked for, and where the options are odd", () => {
  for (const text of [
    "{}",
    '{"stream":false}',
    '{"stream":true,"stream_options":{"include_usage":true}}',
    '{"stream":true,"stream_options":"x"}',
    '{"stream":true,"stream_options":[1]}',
  ]) {
    expect(asked(text)).toBeNull();
  }
});
