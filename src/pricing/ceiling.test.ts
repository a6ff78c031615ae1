import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { bodilessDemand, type Demand, type DemandBounds, defaultBounds } from "../domain/demand.ts";
import type { Quantities, Unit } from "../domain/usage.ts";
import { PriceBook } from "./book.ts";
import { bundledSnapshot } from "./bundled.ts";
import {
  type Bounded,
  type Ceiling,
  ceilingFor,
  ceilingOf,
  costAt,
  outputAt,
  outputThatFits,
} from "./ceiling.ts";
import { costOf } from "./cost.ts";
import { type Rates, UNITS, type UnitRates } from "./rates.ts";

const bounds = (more: Partial<DemandBounds>): DemandBounds => ({ ...defaultBounds, ...more });
const of = (more: Partial<Demand>, those: Partial<DemandBounds> = { kind: "tokens" }): Demand => ({
  ...bodilessDemand(bounds(those)),
  ...more,
});

const INPUT: readonly Unit[] = [
  "input_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cache_write_1h_tokens",
];
const HEARD: readonly Unit[] = ["input_audio_tokens", "cache_read_audio_tokens"];
const SEEN: readonly Unit[] = ["input_image_tokens"];
const OUTPUT: readonly Unit[] = ["output_tokens", "reasoning_tokens", "output_image_tokens"];

const rate = fc.bigInt({ min: 0n, max: 10n ** 14n });
const unitRates: fc.Arbitrary<UnitRates> = fc
  .dictionary(fc.constantFrom(...UNITS), rate, { maxKeys: 8 })
  .chain((some) =>
    fc.record({ input_tokens: rate, output_tokens: rate }).map((both) => ({ ...some, ...both })),
  );
const rates: fc.Arbitrary<Rates> = fc
  .record({
    units: unitRates,
    tiers: fc.array(fc.record({ over: fc.nat(300_000), units: unitRates }), { maxLength: 2 }),
    least: fc.dictionary(fc.constantFrom<Unit>("input_tokens", "milliseconds", "images"), fc.nat(20_000)),
  })
  .map(({ units, tiers, least }) => ({ units, least, tiers: tiers.toSorted((a, b) => a.over - b.over) }));

const demands: fc.Arbitrary<Demand> = fc
  .record({
    bytes: fc.nat(500_000),
    outputCap: fc.option(fc.nat(200_000)),
    answers: fc.integer({ min: 1, max: 8 }),
    items: fc.integer({ min: 1, max: 5 }),
    images: fc.nat(3),
    audios: fc.nat(2),
    files: fc.constantFrom(0, 0, 1),
    stored: fc.constantFrom(false, false, true),
    caching: fc.constantFrom<Demand["caching"][]>("none", "short", "long"),
    serverTools: fc.constantFrom(0, 0, 1),
    toolUses: fc.option(fc.nat(5)),
    speaks: fc.boolean(),
    predicts: fc.boolean(),
    cacheWrites: fc.constantFrom<DemandBounds["cacheWrites"][]>("always", "asked"),
    reasoning: fc.constantFrom<DemandBounds["reasoning"][]>("within", "beside"),
  })
  .map(({ cacheWrites, reasoning, ...demand }) => of(demand, { kind: "tokens", cacheWrites, reasoning }));

/** Splits a total among units at random. */
function shared(total: number, units: readonly Unit[], weights: readonly number[]): Quantities {
  const quantities: Quantities = {};
  let left = total;
  for (const [i, unit] of units.entries()) {
    const part = i === units.length - 1 ? left : Math.floor(left * (weights[i] ?? 0));
    quantities[unit] = (quantities[unit] ?? 0) + part;
    left -= part;
  }
  return quantities;
}

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const limitsOf = fc.record({
  context: fc.option(fc.integer({ min: 1, max: 2_000_000 })),
  output: fc.option(fc.integer({ min: 1, max: 200_000 })),
});

test("no call that uses what its request allows costs more than its ceiling", () => {
  let bounded = 0;
  fc.assert(
    fc.property(
      demands,
      rates,
      limitsOf,
      fc.tuple(fraction, fraction),
      fc.array(fraction, { minLength: 8, maxLength: 8 }),
      fc.uniqueArray(fc.nat(7), { maxLength: 8 }),
      (demand, each, limits, [input, output], weights, order) => {
        const ceiling = ceilingOf(demand, { rates: [each], limits, model: "m" });
        if (ceiling.kind !== "bounded") return;
        bounded++;
        const { caching, files, stored, bounds: those } = demand;
        const may = (unit: Unit) =>
          unit === "input_tokens" ||
          unit === "cache_read_tokens" ||
          (those.cacheWrites === "always" ? unit.startsWith("cache_write") : false) ||
          (caching !== "none" && unit === "cache_write_tokens") ||
          (caching === "long" && unit === "cache_write_1h_tokens");
        const readable = [
          ...INPUT.filter(may),
          ...(demand.images > 0 || files > 0 || stored ? SEEN : []),
          ...(demand.audios > 0 || files > 0 || stored ? HEARD : []),
        ].filter((unit) => priced(unit, each));
        const writable = [...OUTPUT, ...(demand.speaks ? (["output_audio_tokens"] as const) : [])].filter(
          (unit) => priced(unit, each),
        );
        const outside =
          (those.reasoning === "beside" ? (limits.output ?? limits.context ?? 0) : 0) +
          (demand.predicts ? demand.bytes : 0);
        const written = (ceiling.outputTokens + outside) * demand.answers * demand.items;
        const shuffled =
          order.length > 1
            ? readable.toSorted(
                (a, b) =>
                  (order[UNITS.indexOf(a) % order.length] ?? 0) -
                  (order[UNITS.indexOf(b) % order.length] ?? 0),
              )
            : readable;
        const read = shared(Math.floor(ceiling.inputTokens * input), shuffled, weights);
        const quantities: Quantities = {
          ...read,
          ...shared(Math.floor(written * output), writable, weights.slice(4)),
          requests: 1,
          ...(demand.serverTools > 0 &&
            priced("searches", each) && { searches: demand.toolUses ?? those.toolUses }),
        };
        const cost = costOf(quantities, each);
        if (!("total" in cost)) throw new Error(`no price of ${cost.unpriceable}`);
        expect(cost.total <= ceiling.nanos).toBe(true);
        // Nor more than what is left of it once its real input is known.
        if (demand.serverTools > 0) return;
        const known = costOf({ ...read, requests: 1 }, each);
        if (!("total" in known)) throw new Error(`no price of ${known.unpriceable}`);
        expect(cost.total <= known.total + outputAt(ceiling, ceiling.outputTokens)).toBe(true);
      },
    ),
    { numRuns: 3000 },
  );
  expect(bounded).toBeGreaterThan(500);
});

/** In the base and in every tier: what has no price anywhere is no cost. */
function priced(unit: Unit, { units, tiers = [] }: Rates): boolean {
  return [units, ...tiers.map((tier) => tier.units)].every(
    (table) => "total" in costOf({ [unit]: 1 }, { units: table }),
  );
}

test("the cap that fits does, and one token more does not", () => {
  fc.assert(
    fc.property(
      demands,
      fc.array(rates, { minLength: 1, maxLength: 3 }),
      limitsOf,
      fc.bigInt({ min: 0n, max: 10n ** 13n }),
      (demand, all, limits, available) => {
        const ceiling = ceilingOf(demand, { rates: all, limits, model: "m" });
        if (ceiling.kind === "unpriced" || ceiling.legs.length === 0) {
          expect(outputThatFits(ceiling, available)).toBe(0);
          return;
        }
        const cap = outputThatFits(ceiling, available);
        if (cap > 0) expect(costAt(ceiling, cap) <= available).toBe(true);
        if (cap < Number.MAX_SAFE_INTEGER) expect(costAt(ceiling, cap + 1) > available).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

const book = new PriceBook(bundledSnapshot());
const at = Date.parse("2026-11-01T00:00:00Z");
const call = (provider: string, model: string, demand: Demand): Ceiling =>
  ceilingFor(book, { provider, model, at }, demand);
const nanosOf = (ceiling: Ceiling) => (ceiling.kind === "bounded" ? ceiling.nanos : ceiling.kind);

describe("of real prices", () => {
  test("what is written decides, and the input no more than its bytes", () => {
    // gpt-5: $1.25 in, $10 out a million; 1,600 bytes and 1,000 for what is hidden.
    const capped = call("openai", "gpt-5", of({ bytes: 1600, outputCap: 1000 }));
    expect(nanosOf(capped)).toBe(2600n * 1250n + 1000n * 10_000n);
    const open = call("openai", "gpt-5", of({ bytes: 1600 }));
    expect(nanosOf(open)).toBe(2600n * 1250n + 128_000n * 10_000n);
    expect(open).toMatchObject({ isCapped: false, outputTokens: 128_000 });
  });

  test("where reasoning lies beside the cap, no cap makes a call cheaper than what it can think", () => {
    // grok-4: $3 in, $15 out a million, 256,000 of context.
    const beside = { kind: "tokens", reasoning: "beside" } as const;
    const open = call("xai", "grok-4", of({ bytes: 0 }, beside));
    const capped = call("xai", "grok-4", of({ bytes: 0, outputCap: 1000 }, beside));
    expect(open).toMatchObject({ kind: "bounded", isCapped: false, outputTokens: 0 });
    expect(Number(nanosOf(capped)) - Number(nanosOf(open))).toBe(1000 * 15_000);
    expect(outputThatFits(open, (nanosOf(open) as bigint) - 1n)).toBe(0);
    expect(outputAt(capped as Bounded, 1000)).toBe((nanosOf(capped) as bigint) - 1000n * 3000n);
  });

  test("answers multiply the output alone", () => {
    const one = call("openai", "gpt-5", of({ bytes: 0, outputCap: 1000 }));
    const four = call("openai", "gpt-5", of({ bytes: 0, outputCap: 1000, answers: 4 }));
    expect(Number(nanosOf(four)) - Number(nanosOf(one))).toBe(3 * 1000 * 10_000);
  });

  test("Anthropic's cache is paid for where the request asks for it", () => {
    const asked = { kind: "tokens", cacheWrites: "asked" } as const;
    const plain = call("anthropic", "claude-sonnet-4-5", of({ bytes: 9000, outputCap: 0 }, asked));
    const short = call(
      "anthropic",
      "claude-sonnet-4-5",
      of({ bytes: 9000, outputCap: 0, caching: "short" }, asked),
    );
    const long = call(
      "anthropic",
      "claude-sonnet-4-5",
      of({ bytes: 9000, outputCap: 0, caching: "long" }, asked),
    );
    expect(nanosOf(plain)).toBe(10_000n * 3000n);
    expect(nanosOf(short)).toBe(10_000n * 3750n);
    expect(nanosOf(long)).toBe(10_000n * 6000n);
  });

  test("long-context prices count from their length on", () => {
    const at200 = (bytes: number) =>
      call(
        "anthropic",
        "claude-sonnet-4-5",
        of({ bytes, outputCap: 0 }, { kind: "tokens", cacheWrites: "asked" }),
      );
    expect(nanosOf(at200(199_000))).toBe(200_000n * 3000n);
    expect(nanosOf(at200(199_001))).toBe(200_001n * 6000n);
  });

  test("stored state and files are the whole window, tools as often as they may be used", () => {
    const window = 400_000n * 1250n;
    expect(nanosOf(call("openai", "gpt-5", of({ bytes: 10, outputCap: 0, stored: true })))).toBe(window);
    expect(nanosOf(call("openai", "gpt-5", of({ bytes: 10, outputCap: 0, files: 1 })))).toBe(window);
    const tools = call("openai", "gpt-5", of({ bytes: 10, outputCap: 0, serverTools: 1, toolUses: 2 }));
    expect(tools).toMatchObject({ kind: "bounded", inputTokens: 1_200_000 });
  });

  test("a tier is paid for where it is asked for, and the standard one where that is dearer", () => {
    const standard = nanosOf(call("openai", "gpt-5.1", of({ bytes: 9000, outputCap: 100 })));
    expect(nanosOf(call("openai", "gpt-5.1", of({ bytes: 9000, outputCap: 100, serviceTier: "auto" })))).toBe(
      standard,
    );
    expect(nanosOf(call("openai", "gpt-5.1", of({ bytes: 9000, outputCap: 100, serviceTier: "flex" })))).toBe(
      standard,
    );
    expect(
      nanosOf(call("openai", "gpt-5.1", of({ bytes: 9000, outputCap: 100, serviceTier: "priority" }))),
    ).toBe((standard as bigint) * 2n);
    expect(call("openai", "gpt-5.1", of({ serviceTier: "ultrafast" })).kind).toBe("unpriced");
  });

  test("a place that costs more counts unless the request names another", () => {
    const those = { kind: "tokens", regions: ["us"] } as const;
    const anywhere = nanosOf(call("anthropic", "claude-opus-4-6", of({ bytes: 9000, outputCap: 0 }, those)));
    const global = nanosOf(
      call("anthropic", "claude-opus-4-6", of({ bytes: 9000, outputCap: 0, region: "global" }, those)),
    );
    expect(anywhere).toBe(((global as bigint) * 11n) / 10n);
  });

  test("what nobody can bound or price is said to be so", () => {
    expect(call("openai", "no-such-model", of({})).kind).toBe("unpriced");
    expect(call("openai", "gpt-5", of({}, { kind: "open" })).kind).toBe("unbounded");
    expect(call("openai", "gpt-5", of({ otherModels: true })).kind).toBe("unbounded");
    expect(call("openai", "gpt-5", of({ bytes: Number.POSITIVE_INFINITY })).kind).toBe("unbounded");
    expect(call("openai", "gpt-5", of({}, { kind: "result" }))).toMatchObject({ kind: "bounded", nanos: 0n });
  });

  test("speech is billed by its characters, a recording by the time that it can last", () => {
    expect(nanosOf(call("openai", "tts-1", of({ bytes: 100 }, { kind: "speech" })))).toBe(100n * 15_000n);
    // 750,000 bytes at 6 kbit/s are 1,000 seconds, and 10 are the least; whisper-large-v3 costs $0.111 an hour at Groq.
    expect(nanosOf(call("groq", "whisper-large-v3", of({ bytes: 750_000 }, { kind: "transcription" })))).toBe(
      (111_000_000n * 1010n + 3599n) / 3600n,
    );
    expect(call("groq", "whisper-large-v3", of({ files: 1 }, { kind: "transcription" })).kind).toBe(
      "unbounded",
    );
  });

  test("a price per call is exactly that, whatever the call", () => {
    const flat = new PriceBook(bundledSnapshot(), {
      defaults: { vectara: { kind: "flat", price: 2_000_000n }, vllm: { kind: "free" } },
    });
    for (const demand of [
      of({}),
      of({}, { kind: "open" }),
      of({ otherModels: true, bytes: Number.POSITIVE_INFINITY }),
    ]) {
      expect(nanosOf(ceilingFor(flat, { provider: "vectara", model: "", at }, demand))).toBe(2_000_000n);
      expect(nanosOf(ceilingFor(flat, { provider: "vllm", model: "", at }, demand))).toBe(0n);
    }
  });
});
