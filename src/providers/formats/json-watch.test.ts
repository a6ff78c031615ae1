import { expect, test } from "bun:test";
import fc from "fast-check";
import { JsonWatcher, watchList } from "./json-watch.ts";

const paths = ["usage", "a.b", "list.*.type", "*.usage", "model"];
const list = watchList(paths);

type Found = [path: string, value: unknown][];

function watched(text: string, cuts: readonly number[] = []): Found {
  const found: Found = [];
  const watcher = new JsonWatcher(list, { onValue: (path, value) => found.push([path, value]) });
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const end = Math.max(at, Math.min(bytes.length, cut));
    watcher.push(bytes.subarray(at, end));
    at = end;
  }
  watcher.push(bytes.subarray(at));
  watcher.reset();
  return found;
}

/** The same by parsing the whole. */
function expected(value: unknown): Found {
  const found: Found = [];
  const walk = (node: unknown, trail: string[]) => {
    const path = trail.join(".");
    if (trail.length > 0 && paths.includes(path)) {
      found.push([path, node]);
      return;
    }
    if (Array.isArray(node)) for (const item of node) walk(item, [...trail, "*"]);
    else if (typeof node === "object" && node !== null) {
      for (const [name, item] of Object.entries(node)) walk(item, [...trail, name]);
    }
  };
  walk(value, []);
  return found;
}

const name = fc.oneof(
  fc.constantFrom("usage", "a", "b", "list", "type", "model", "us\u0061ge", "", 'x"y'),
  fc.string({ maxLength: 6 }),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(null, true, false, "\\", '"', "}{][", "\u2028é😀"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .uniqueArray(
        fc.tuple(
          name.filter((text) => text !== "*" && !text.includes(".") && text !== "__proto__"),
          tie("value"),
        ),
        {
          maxLength: 5,
          selector: ([key]) => key,
        },
      )
      .map(Object.fromEntries),
  ),
})).value;

test("finds in pieces what parsing the whole finds, however the text is cut and spaced", () => {
  fc.assert(
    fc.property(
      json,
      fc.array(fc.nat(400), { maxLength: 12 }),
      fc.constantFrom(undefined, 2, "\t"),
      (value, cuts, space) => {
        expect(watched(JSON.stringify(value, null, space), cuts)).toEqual(
          JSON.parse(JSON.stringify(expected(value))),
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test("finds where long texts end that are full of escapes, in whatever pieces they come", () => {
  const parts = fc.constantFrom('"', "\\", "\n", "x".repeat(50), "y".repeat(90));
  const long = fc.array(parts, { maxLength: 8 }).map((some) => some.join(""));
  fc.assert(
    fc.property(long, long, long, fc.array(fc.nat(900), { maxLength: 6 }), (one, two, three, cuts) => {
      const text = JSON.stringify({ text: one, usage: two, more: [three, one], model: three });
      expect(watched(text, cuts)).toEqual([
        ["usage", two],
        ["model", three],
      ]);
    }),
    { numRuns: 500 },
  );
});

test("reads names that are written with escapes", () => {
  expect(watched('{"us\\u0061ge":{"n":1}}')).toEqual([["usage", { n: 1 }]]);
});

test("begins anew with each of several texts", () => {
  expect(watched('{"usage":1}\n{"usage":2}\n[{"usage":3}]')).toEqual([
    ["usage", 1],
    ["usage", 2],
    ["*.usage", 3],
  ]);
});

test("tells of values that are too long without keeping them, and finds what follows", () => {
  const long = "x".repeat(70_000);
  expect(watched(`{"usage":{"text":"${long}"},"model":"m","content":"${long}"}`)).toEqual([
    ["usage", undefined],
    ["model", "m"],
  ]);
});

test("survives what is not JSON", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const watcher = new JsonWatcher(list, { onValue: () => {} });
      watcher.push(bytes);
      watcher.reset();
      watcher.push(new TextEncoder().encode('{"usage":1}'));
    }),
  );
  for (const text of ["[DONE]", "{", "}", "]]]]", '{"usage":', '"', "[".repeat(2000)]) watched(text);
});
