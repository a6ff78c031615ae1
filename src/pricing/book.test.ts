import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Decisions, type Override, PriceBook } from "./book.ts";
import { bundledSnapshot } from "./bundled.ts";

const snapshot = bundledSnapshot();
const book = new PriceBook(snapshot);
const at = Date.parse("2026-11-23T12:00:00Z");

function inputRate(of: PriceBook, provider: string, model: string, more: object = {}): bigint | undefined {
  return of.find({ provider, model, at, ...more })?.rates.units.input_tokens;
}

function bookWith(decisions: Decisions): PriceBook {
  return new PriceBook(snapshot, decisions);
}

function override(model: string, dollars: bigint, more: Partial<Override> = {}): Override {
  return { provider: "openai", model, rates: { units: { input_tokens: dollars * 1_000_000_000n } }, ...more };
}

describe("a model is found under the names that clients and answers have for it", () => {
  for (const [provider, model, id] of [
    ["openai", "gpt-5-2025-08-07", "gpt-5"],
    ["openai", "GPT-5", "gpt-5"],
    ["openai", "gpt-5.4-mini-2099-01-31", "gpt-5.4-mini"],
    ["openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"],
    ["openai", "ft:gpt-4o-2024-08-06:acme::abc123", "ft:gpt-4o"],
    ["openai", "tts-1-hd-1106", "tts-1-hd"],
    ["anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4-0"],
    ["anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"],
    ["anthropic", "claude-opus-5-5-20261020", "claude-opus-5-5"],
    ["gemini", "models/gemini-2.5-pro", "gemini-2.5-pro"],
    ["vertex", "publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash"],
    [
      "vertex",
      "projects/p/locations/l/publishers/anthropic/models/claude-opus-4-6@default",
      "claude-opus-4-6",
    ],
    ["vertex", "google/gemini-2.5-pro", "gemini-2.5-pro"],
    ["vertex", "claude-haiku-4-5@20251001", "claude-haiku-4-5"],
    ["azure", "gpt-4.1-2025-04-14", "gpt-4.1"],
    ["azure", "claude-sonnet-4-5", "claude-sonnet-4-5"],
    ["openrouter", "anthropic/claude-sonnet-4.5:floor", "anthropic/claude-sonnet-4.5"],
    ["huggingface", "openai/gpt-oss-120b:cheapest", "openai/gpt-oss-120b"],
    ["huggingface", "openai/gpt-oss-120b:groq", "openai/gpt-oss-120b:groq"],
    ["fireworks", "accounts/fireworks/models/deepseek-v3p2", "deepseek-v3p2"],
  ] as const) {
    test(`${provider} ${model}`, () => {
      expect(book.find({ provider, model, at })?.modelId).toBe(id);
    });
  }
});

test("what is not a model's name has no price", () => {
  for (const [provider, model] of [
    ["openai", "gpt-99"],
    ["openai", "gpt-5-2025-13-45"],
    ["openai", ""],
    ["anthropic", "claude-opus-55"],
    ["gemini", "claude-sonnet-4-5"],
    ["huggingface", "openai/gpt-oss-120b:nobody"],
    ["openai", "__proto__"],
    ["constructor", "gpt-5"],
  ] as const) {
    expect(book.find({ provider, model, at })).toBeUndefined();
  }
});

test("a service tier or region that nobody documents has no price, and never the standard one", () => {
  for (const circumstances of [
    { serviceTier: "scale" },
    { serviceTier: "ultrafast" },
    { serviceTier: "auto" },
    { serviceTier: "priority", model: "gpt-6-sol" },
    { serviceTier: "priority", provider: "anthropic", model: "claude-opus-5" },
    { serviceTier: "fast", provider: "anthropic", model: "claude-haiku-4-5" },
    { region: "mars", provider: "anthropic", model: "claude-opus-5" },
    { serviceTier: "priority", provider: "gemini", model: "gemini-2.5-pro" },
    { serviceTier: "PROVISIONED_THROUGHPUT", provider: "vertex", model: "gemini-2.5-pro" },
    { serviceTier: "performance", provider: "groq", model: "openai/gpt-oss-20b" },
    { serviceTier: "batch", provider: "cohere", model: "command-a" },
  ]) {
    expect(book.find({ provider: "openai", model: "gpt-5", at, ...circumstances })).toBeUndefined();
  }
});

test("the standard tier goes by several names", () => {
  for (const serviceTier of [null, "default", "standard", "on_demand", "ON_DEMAND"]) {
    expect(inputRate(book, "openai", "gpt-5", { serviceTier })).toBe(1_250_000_000n);
  }
});

describe("an administrator's price", () => {
  test("goes before the list's, for every name of the model", () => {
    const mine = bookWith({ overrides: [override("gpt-5", 7n)] });
    for (const model of ["gpt-5", "gpt-5-2025-08-07", "gpt-5-2099-01-01"]) {
      expect(mine.find({ provider: "openai", model, at })?.source).toBe("override");
      expect(inputRate(mine, "openai", model)).toBe(7_000_000_000n);
    }
    expect(mine.find({ provider: "openai", model: "gpt-5-mini", at })?.source).toBe("snapshot");
    expect(mine.find({ provider: "azure", model: "gpt-5", at })?.source).toBe("snapshot");
  });

  test("is the nearest of several, whatever their order", () => {
    const overrides = [
      override("gpt-*", 1n),
      override("gpt-5*", 2n),
      override("gpt-5", 3n),
      override("gpt-5-2025-08-07", 4n),
    ];
    for (const some of [overrides, overrides.toReversed()]) {
      const mine = bookWith({ overrides: some });
      expect(inputRate(mine, "openai", "gpt-4o")).toBe(1_000_000_000n);
      expect(inputRate(mine, "openai", "gpt-5-mini")).toBe(2_000_000_000n);
      expect(inputRate(mine, "openai", "gpt-5")).toBe(3_000_000_000n);
      expect(inputRate(mine, "openai", "gpt-5-2025-08-07")).toBe(4_000_000_000n);
    }
  });

  test("makes an unknown model known", () => {
    const mine = bookWith({ overrides: [{ ...override("rerank-mine", 1n), provider: "cohere" }] });
    expect(mine.find({ provider: "cohere", model: "rerank-mine", at })?.modelId).toBe("rerank-mine");
  });

  test("is the standard tier's, unless it names another", () => {
    const mine = bookWith({
      overrides: [override("gpt-5", 8n), override("gpt-5", 5n, { serviceTier: "scale" })],
    });
    expect(inputRate(mine, "openai", "gpt-5", { serviceTier: "batch" })).toBe(4_000_000_000n);
    expect(inputRate(mine, "openai", "gpt-5", { serviceTier: "scale" })).toBe(5_000_000_000n);
    expect(inputRate(mine, "openai", "gpt-5")).toBe(8_000_000_000n);
  });

  test("of two for the same, the later counts", () => {
    const mine = bookWith({ overrides: [override("gpt-5", 1n), override("gpt-5", 2n)] });
    expect(inputRate(mine, "openai", "gpt-5")).toBe(2_000_000_000n);
  });
});

test("a provider can be free, or cost the same for every call, or be refused without a price", () => {
  const mine = bookWith({
    defaults: {
      vectara: { kind: "flat", price: 2_000_000n },
      ollama: { kind: "free" },
      groq: { kind: "refuse" },
    },
    overrides: [{ provider: "ollama", model: "llama*", rates: { units: { input_tokens: 9n } } }],
  });
  const flat = mine.find({ provider: "vectara", model: "mockingbird", at, serviceTier: "any" });
  expect(flat).toMatchObject({ source: "flat", rates: { perCall: 2_000_000n } });
  expect(mine.find({ provider: "ollama", model: "qwen3", at })).toMatchObject({
    source: "free",
    rates: { perCall: 0n },
  });
  expect(mine.find({ provider: "ollama", model: "llama3", at })?.source).toBe("override");
  expect(mine.find({ provider: "groq", model: "openai/gpt-oss-20b", at })?.source).toBe("snapshot");
  expect(mine.find({ provider: "groq", model: "unheard-of", at })).toBeUndefined();
  expect(mine.defaultOf("groq").kind).toBe("refuse");
  expect(mine.defaultOf("openai").kind).toBe("priced");
});

test("a name of one's own has its model's price and limits", () => {
  const mine = bookWith({
    aliases: { azure: { Chat: "gpt-4.1-mini" } },
    overrides: [{ provider: "azure", model: "mine", rates: { units: {} } }],
  });
  expect(inputRate(mine, "azure", "chat")).toBe(400_000_000n);
  expect(mine.limits("azure", "chat")).toEqual(book.limits("azure", "gpt-4.1-mini"));
  expect(inputRate(mine, "openai", "chat")).toBeUndefined();
});

test("limits come from the provider's own list, then from the model's", () => {
  expect(book.limits("openai", "gpt-5-2025-08-07")).toEqual({ context: 400_000, output: 128_000 });
  expect(book.limits("vertex", "claude-haiku-4-5@20251001")).toEqual({ context: 200_000, output: 64_000 });
  expect(book.limits("huggingface", "openai/gpt-oss-120b:groq")).toEqual({
    context: 131_072,
    output: 32_768,
  });
  expect(book.limits("openai", "nobody")).toEqual({ context: null, output: null });
});

test("calls without a price are listed, each once", () => {
  const calls = ["gpt-99", "gpt-5", "gpt-99", "gpt-98"].map((model) => ({ provider: "openai", model, at }));
  expect(book.unpriced(calls).map(({ model }) => model)).toEqual(["gpt-99", "gpt-98"]);
});

describe("the hash", () => {
  test("is the same for the same prices, in whatever order fields were written", () => {
    const rates = { units: { input_tokens: 1n, output_tokens: 2n } };
    const one = bookWith({ overrides: [{ provider: "openai", model: "gpt-5", rates }] });
    const other = bookWith({
      overrides: [
        { rates: { units: { output_tokens: 2n, input_tokens: 1n } }, model: "gpt-5", provider: "openai" },
      ],
    });
    expect(one.hash).toBe(other.hash);
    expect(one.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test("changes with any decision", () => {
    const hashes = [
      {},
      { overrides: [override("gpt-5", 1n)] },
      { overrides: [override("gpt-5", 2n)] },
      { overrides: [override("gpt-4", 1n)] },
      { overrides: [override("gpt-5", 1n, { serviceTier: "flex" })] },
      { overrides: [override("gpt-5", 1n), override("gpt-5", 2n)] },
      { overrides: [override("gpt-5", 2n), override("gpt-5", 1n)] },
      { defaults: { openai: { kind: "free" } } as const },
      { defaults: { openai: { kind: "flat", price: 1n } } as const },
      { defaults: { openai: { kind: "flat", price: 2n } } as const },
      { aliases: { azure: { a: "gpt-5" } } },
      { aliases: { azure: { a: "gpt-4" } } },
    ].map((decisions) => bookWith(decisions).hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test("changes with any override", () => {
    const rate = fc.bigInt(0n, 10n ** 15n);
    fc.assert(
      fc.property(fc.string(), fc.string(), rate, rate, (provider, model, one, other) => {
        const [first, second] = [one, other].map((input_tokens) =>
          bookWith({ overrides: [{ provider, model, rates: { units: { input_tokens } } }] }),
        );
        expect(first?.hash === second?.hash).toBe(one === other);
        expect(first?.hash).not.toBe(book.hash);
      }),
    );
  });

  test("changes with the list", () => {
    expect(new PriceBook({ ...snapshot, hash: "other" }).hash).not.toBe(book.hash);
  });
});

test("names that clients make up take no memory that stays", () => {
  const made = () => {
    for (let n = 0; n < 20_000; n++) {
      expect(book.find({ provider: "openai", model: `${"made-up-".repeat(1000)}${n}`, at })).toBeUndefined();
    }
    Bun.gc(true);
    return process.memoryUsage().heapUsed;
  };
  const before = made();
  expect(made() - before).toBeLessThan(16 * 1024 * 1024);
});
