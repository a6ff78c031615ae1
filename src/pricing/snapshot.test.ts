import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { readSources } from "../../scripts/price-snapshot.ts";
import { PriceBook } from "./book.ts";
import { bundledSnapshot } from "./bundled.ts";
import { makeSnapshot } from "./lists/make-snapshot.ts";
import { MODIFIERS } from "./modifiers.ts";
import { isUnit, type Rates, UNITS } from "./rates.ts";
import { parseSnapshot } from "./snapshot.ts";

const snapshot = bundledSnapshot();
const all = Object.entries(snapshot.providers).flatMap(([provider, { models }]) =>
  models.map((model) => ({ provider, model })),
);

test("the list has the providers that the product knows, each with models, and says where it is from", () => {
  for (const id of [
    "openai",
    "anthropic",
    "cohere",
    "perplexity",
    "gemini",
    "vertex",
    "azure",
    "huggingface",
  ]) {
    expect(snapshot.providers[id]?.models.length).toBeGreaterThan(5);
  }
  expect(snapshot.sources.map(({ name, version, date }) => `${name} ${version} ${date}`)).toEqual([
    "@pydantic/genai-prices 0.1.8 2026-09-23",
    "models.dev snapshot 2026-07-02",
  ]);
});

test("a longer request is never the cheaper: holds count on it", () => {
  for (const { provider, model } of all) {
    for (const { rates } of model.prices) {
      let below = rates.units;
      for (const { units } of rates.tiers ?? []) {
        for (const unit of UNITS) {
          expect([provider, model.id, unit, (units[unit] ?? 0n) >= (below[unit] ?? 0n)]).toEqual([
            provider,
            model.id,
            unit,
            true,
          ]);
        }
        below = units;
      }
    }
  }
});

test("every documented tier and region makes whole rates, so that nothing is rounded twice", () => {
  for (const { provider, times, models, of } of MODIFIERS) {
    const [numerator, denominator] = times;
    for (const { model } of all.filter((one) => one.provider === provider)) {
      if (of === "region" || (models && !models.test(model.id))) continue;
      for (const rate of model.prices.flatMap(({ rates }) => tokenRates(rates))) {
        expect([model.id, (rate * numerator) % denominator]).toEqual([model.id, 0n]);
      }
    }
  }
});

test("every model is found under its own names", () => {
  const book = new PriceBook(snapshot);
  const lost = all.filter(({ provider, model }) => {
    const whole = model.match.find((rule) => rule.startsWith("="))?.slice(1);
    return whole !== undefined && book.find({ provider, model: whole, at: 0 }) === undefined;
  });
  expect(lost.map(({ provider, model }) => `${provider} ${model.id}`)).toEqual([]);
});

describe("a list is refused that has", () => {
  const model = (more: object) =>
    JSON.stringify({
      sources: [],
      providers: { p: { models: [{ id: "m", prices: [{ rates: {} }], ...more }] } },
    });
  test("nothing wrong: not", () => {
    expect(parseSnapshot(model({})).providers["p"]?.models[0]?.match).toEqual(["=m"]);
  });
  for (const [what, text] of [
    ["a fraction of a nano-dollar", model({ prices: [{ rates: { input_tokens: 0.5 } }] })],
    ["a negative price", model({ prices: [{ rates: { input_tokens: -1 } }] })],
    ["a number that JSON cannot hold", model({ prices: [{ rates: { input_tokens: 2 ** 53 } }] })],
    ["an unknown unit", model({ prices: [{ rates: { words: 1 } }] })],
    ["a date that is none", model({ prices: [{ from: "2026-13-01", rates: {} }] })],
    ["a time that is none", model({ prices: [{ daily: ["01:00", "25:00"], rates: {} }] })],
    ["no models", JSON.stringify({ sources: [], providers: { p: {} } })],
  ] as const) {
    test(what, () => {
      expect(() => parseSnapshot(text)).toThrow();
    });
  }
});

test("the file is what the sources make", async () => {
  const text = readFileSync(new URL("snapshot.json", import.meta.url), "utf8");
  expect(makeSnapshot(...(await readSources()))).toBe(text);
});

function tokenRates({ units, tiers = [] }: Rates): bigint[] {
  return [units, ...tiers.map((tier) => tier.units)].flatMap((some) =>
    Object.entries(some).flatMap(([unit, rate]) => (isUnit(unit) && unit.endsWith("_tokens") ? [rate] : [])),
  );
}
