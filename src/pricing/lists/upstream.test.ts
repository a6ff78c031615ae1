import { expect, test } from "bun:test";
import { readSources } from "../../../scripts/price-snapshot.ts";
import { bundledSnapshot } from "../bundled.ts";
import { parseSnapshot } from "../snapshot.ts";
import { snapshotTextOf } from "./upstream.ts";

const [genai] = await readSources();
/** Their published file does not name the kinds of its constraints, as their package does. */
const published = JSON.stringify(genai, (key, value: unknown) => {
  if (key !== "constraint") return value;
  const { type, ...constraint } = value as { type: string };
  return constraint;
});

test("what genai-prices publishes makes the same prices as its package, additions and limits included", () => {
  const made = parseSnapshot(snapshotTextOf(published));
  expect(made.providers).toEqual(bundledSnapshot().providers);
  expect(made.sources.map(({ name }) => name)).toEqual(["@pydantic/genai-prices", "models.dev"]);
  // The same data is the same list, whenever it is fetched.
  expect(parseSnapshot(snapshotTextOf(published)).hash).toBe(made.hash);
});

test("a snapshot of our own is taken as it is", () => {
  const text = JSON.stringify({ sources: [], providers: {} });
  expect(snapshotTextOf(text)).toBe(text);
});

interface Theirs {
  id: string;
  models: { id: string; match: unknown; prices: unknown; context_window?: unknown }[];
}

test("of a model, only what has the documented shape is taken", () => {
  for (const [change, why] of [
    [{ match: {} }, "no match"],
    [{ match: { sounds_like: "a" } }, "no match sounds_like"],
    [{ match: { equals: "a", regex: "b" } }, "no match"],
    [{ match: { regex: "(" } }, "egular expression"],
    [{ match: { regex: "a".repeat(301) } }, "301 characters"],
    [{ match: { or: [{ or: [{ or: [{ or: [{ or: [{ equals: "a" }] }] }] }] }] } }, "no match"],
    [{ context_window: "many" }, "no amount"],
    [{ prices: "free" }, "no object"],
    [{ prices: [{ prices: { input_mtok: 1 }, constraint: { weekday: 1 } }] }, "no time"],
    [{ prices: [{ prices: { input_mtok: 1 }, constraint: { start_date: "soon" } }] }, "no time"],
    [
      { prices: [{ prices: { input_mtok: 1 }, constraint: { start_time: "1", end_time: "2" } }] },
      "full minute",
    ],
    [{ prices: { input_mtok: { base: 1, tiers: [{ start: 1 }] } } }, "no amount"],
    [{ prices: { constructor: 1 } }, "what constructor is for is not known"],
  ] as const) {
    const providers = JSON.parse(published) as Theirs[];
    const model = providers.find(({ id }) => id === "mistral")?.models[0];
    Object.assign(model ?? {}, change);
    expect(() => snapshotTextOf(JSON.stringify(providers))).toThrow(why);
  }
});

test("a list that is broken off is none", () => {
  const providers = JSON.parse(published) as Theirs[];
  expect(() => snapshotTextOf(JSON.stringify(providers.slice(0, 5)))).toThrow("it has no models of");
  expect(() => snapshotTextOf(published.slice(0, 100_000))).toThrow("no JSON");
});

test("a provider that is gone takes its models with it, and nothing else", () => {
  const providers = (JSON.parse(published) as Theirs[]).filter(({ id }) => id !== "groq");
  const { groq, openai } = parseSnapshot(snapshotTextOf(JSON.stringify(providers))).providers;
  expect(openai?.models).toEqual(bundledSnapshot().providers["openai"]?.models ?? []);
  expect(groq?.models.length).toBeLessThan(bundledSnapshot().providers["groq"]?.models.length ?? 0);
});
