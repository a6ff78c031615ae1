import { expect, test } from "bun:test";
import fc from "fast-check";
import { messagesDemand } from "../providers/formats/anthropic-demand.ts";
import type { DemandFormat } from "../providers/formats/demand.ts";
import { generateDemand } from "../providers/formats/gemini-demand.ts";
import { chatDemand, responsesDemand } from "../providers/formats/openai-demand.ts";
import { ollamaDemand } from "../providers/formats/other-demands.ts";
import { askForUsage } from "./ask-usage.ts";
import { outputCapEdits, spliceOutputCap } from "./output-cap.ts";
import { type Scanned, scanObject } from "./scan.ts";
import { spliced } from "./splice.ts";

const chat = chatDemand("max_completion_tokens");

function capped(text: string, format: DemandFormat, cap = 2048): string {
  const bytes = new TextEncoder().encode(text);
  const rule = format.cap;
  if (rule === undefined) throw new Error("the format takes no cap");
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    spliceOutputCap(bytes, scanObject(bytes, format) as Scanned, rule, cap),
  );
}

const others = fc.dictionary(
  fc.string().filter((name) => !/^(?:max_|model|n$|stream|generation|options)/i.test(name)),
  fc.jsonValue(),
);
const formats = fc.constantFrom(chat, responsesDemand, messagesDemand, generateDemand, ollamaDemand);

test("a body gets its cap, which is then found, and keeps every other byte", () => {
  fc.assert(
    fc.property(
      others,
      formats,
      fc.constantFrom(undefined, 2),
      fc.integer({ min: 1024, max: 200_000 }),
      (body, format, space, cap) => {
        const text = JSON.stringify(body, null, space);
        const result = capped(text, format, cap);
        expect((scanObject(Buffer.from(result), format) as Scanned).outputCap).toBe(cap);
        const { member = "", within } = format.cap ?? {};
        const own = within === undefined ? { [member]: cap } : { [within[0] ?? ""]: { [member]: cap } };
        expect(JSON.parse(result)).toEqual({ ...JSON.parse(text), ...own });
        // Behind what was put in, and before it, nothing is new.
        const [start] = /^\s*\{/.exec(text) ?? [""];
        expect(result.startsWith(start) && result.endsWith(text.slice(start.length))).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

test("it is written where the provider reads it", () => {
  expect(capped('{"model":"m"}', chat)).toBe('{"max_completion_tokens":2048,"model":"m"}');
  expect(capped('{"model":"m"}', chatDemand("max_tokens"))).toBe('{"max_tokens":2048,"model":"m"}');
  expect(capped("{}", responsesDemand)).toBe('{"max_output_tokens":2048}');
  expect(capped('{"contents":[]}', generateDemand)).toBe(
    '{"generationConfig":{"maxOutputTokens":2048},"contents":[]}',
  );
  expect(capped('{"generation_config": {"topK":1} }', generateDemand)).toBe(
    '{"generation_config": {"maxOutputTokens":2048,"topK":1} }',
  );
  expect(capped('{"generationConfig":{ }}', generateDemand)).toBe(
    '{"generationConfig":{"maxOutputTokens":2048 }}',
  );
  expect(capped('{"generationConfig":null}', generateDemand)).toBe(
    '{"generationConfig":{"maxOutputTokens":2048}}',
  );
  expect(capped('\ufeff {"options":{"num_predict":-1}}', ollamaDemand)).toBe(
    '\ufeff {"options":{"num_predict":2048}}',
  );
});

test("a cap that is there, or is null, is written over: no name is there twice", () => {
  expect(capped('{"max_tokens":null,"a":1}', chat)).toBe('{"max_tokens":2048,"a":1}');
  expect(capped('{"max_tokens":9,"max_completion_tokens":9000}', chat)).toBe(
    '{"max_tokens":2048,"max_completion_tokens":2048}',
  );
});

test("the cap and the question for usage are one rewrite", () => {
  const bytes = new TextEncoder().encode('{"stream":true,"max_tokens":null,"stream_options":null}');
  const scanned = scanObject(bytes, chat) as Scanned;
  const question = askForUsage(bytes, scanned);
  if (question === null || chat.cap === undefined) throw new Error("nothing is asked");
  const both = spliced(bytes, [question, ...outputCapEdits(bytes, scanned, chat.cap, 2048)]);
  expect(new TextDecoder().decode(both)).toBe(
    '{"stream":true,"max_tokens":2048,"stream_options":{"include_usage":true}}',
  );
  const plain = new TextEncoder().encode('{"stream":true}');
  const found = scanObject(plain, chat) as Scanned;
  const edits = [askForUsage(plain, found) ?? question, ...outputCapEdits(plain, found, chat.cap, 2048)];
  expect(JSON.parse(new TextDecoder().decode(spliced(plain, edits)))).toEqual({
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: 2048,
  });
});
