import { describe, expect, test } from "bun:test";
import { type CostFixture, costFixtures, workedOut } from "../../test/support/cost-fixtures.ts";
import { formats, usageFixtures } from "../../test/support/usage-fixtures.ts";
import type { Usage } from "../domain/usage.ts";
import { PriceBook } from "../pricing/book.ts";
import { bundledSnapshot } from "../pricing/bundled.ts";
import { priceOf } from "../pricing/costing.ts";
import { knownProviders } from "../providers/catalogue.ts";
import { huggingfaceEndpoint } from "../providers/huggingface-endpoint.ts";
import type { Provider } from "../providers/provider.ts";
import { createMeter } from "./meter.ts";
import { costingOf } from "./settle.ts";

const providers = new Map<string, Provider>(
  [...knownProviders, huggingfaceEndpoint("mine", "http://127.0.0.1:1")].map((one) => [one.id, one]),
);
/** The list prices that the product comes with, providers' own defaults, and one deployment at Azure. */
const book = new PriceBook(bundledSnapshot(), {
  defaults: Object.fromEntries(
    [...providers.values()].flatMap(({ id, pricing }) =>
      pricing === undefined ? [] : [[id, { kind: pricing }]],
    ),
  ),
});

function providerOf({ provider }: CostFixture): Provider {
  const known = providers.get(provider);
  if (known === undefined) throw new Error(`There is no provider ${provider}`);
  return known;
}

/** From the answer's bytes, cut in two at this place, to what it costs. */
function costOf(fixture: CostFixture, cut: number): bigint | null {
  const { format, headers, path, body } = fixture.answer;
  const meter = createMeter(format, headers, path);
  meter.push(body.subarray(0, cut));
  meter.push(body.subarray(cut));
  const usage = meter.end() as Usage | null;
  if (usage === null) throw new Error("The answer says nothing");
  const costing = costingOf(usage, fixture.model, book);
  return priceOf(costing, providerOf(fixture).id, fixture.at, book);
}

const every = costFixtures.map((fixture) => [fixture.name, fixture] as const);

test("every answer that says what it used has its cost worked out, or the reason why it has none", () => {
  const speaking = usageFixtures.filter(({ expected }) => expected !== null).map(({ name }) => name);
  expect(every.map(([name]) => name).sort()).toEqual(speaking.sort());
  const fromRates = costFixtures.filter(
    ({ rates, isReported }) => Object.keys(rates).length > 0 && !isReported,
  );
  expect(fromRates.length).toBeGreaterThanOrEqual(45);
});

test("every format and every provider that has a meter is among them", () => {
  const shown = new Set(costFixtures.map(({ answer }) => answer.format));
  expect(Object.entries(formats).filter(([, format]) => !shown.has(format))).toEqual([]);
  const seen = new Set(costFixtures.map(({ provider }) => provider));
  // Those three speak OpenAI's format on machines of one's own, as Ollama does.
  const own = ["anyscale", "vllm", "llamacpp"];
  expect(knownProviders.map(({ id }) => id).filter((id) => !seen.has(id) && !own.includes(id))).toEqual([]);
});

describe("an answer's bytes cost what a person works out from the price page", () => {
  test.each(every)("%s", (_, fixture) => {
    const { answer, costNanos } = fixture;
    const cuts = answer.isStreamed ? answer.body.length : 0;
    for (let cut = 0; cut <= cuts; cut++) {
      const cost = costOf(fixture, cut);
      if (cost !== costNanos) expect({ cut, cost }).toEqual({ cut, cost: costNanos });
    }
    expect(costOf(fixture, answer.body.length)).toBe(costNanos);
  });
});

describe("the working comes to the cost", () => {
  test.each(every.filter(([, { working }]) => working !== null))("%s", (_, { working, costNanos }) => {
    expect(workedOut(working ?? "")).toBe(costNanos as bigint);
    const [, right = ""] = working?.split(" = ") ?? [];
    // A periodic fraction is not written out.
    if (!right.endsWith("...")) expect(workedOut(right)).toBe(costNanos as bigint);
  });
});

describe("the price book has the rates of the price page", () => {
  test.each(every.filter(([, { rates }]) => Object.keys(rates).length > 0))("%s", (_, fixture) => {
    const { serviceTier = null, region = null } = fixture.answer.expected ?? {};
    for (const [model, published] of Object.entries(fixture.rates)) {
      const price = book.find({ provider: fixture.provider, model, at: fixture.at, serviceTier, region });
      for (const [unit, rate] of Object.entries(published)) {
        const found = price?.rates.units[unit as keyof typeof published];
        expect({ model, unit, rate: found }).toEqual({ model, unit, rate });
      }
    }
  });
});

test("the provider's own file meters the answer by this format", () => {
  const strange = costFixtures.filter(
    (fixture) => !providerOf(fixture).meters.some(({ format }) => format === fixture.answer.format),
  );
  expect(strange.map(({ name }) => name)).toEqual([]);
});
