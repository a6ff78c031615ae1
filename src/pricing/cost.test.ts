import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Nanos, parseDollars } from "../domain/money.ts";
import type { Quantities, Unit } from "../domain/usage.ts";
import { PriceBook } from "./book.ts";
import { bundledSnapshot } from "./bundled.ts";
import { type Cost, costOf, type Unpriceable } from "./cost.ts";
import { MILLISECONDS_PER_RATE, type Rates, UNITS } from "./rates.ts";

const book = new PriceBook(bundledSnapshot(), { aliases: { azure: { "chat-eu": "gpt-4.1-mini" } } });

interface Case {
  readonly of: [provider: string, model: string];
  readonly at?: string;
  readonly tier?: string;
  readonly region?: string;
  readonly used: Quantities;
  readonly dollars: string;
}

// Each worked out by hand: dollars for a million tokens, from the provider's price page or else the snapshot.
const cases: readonly Case[] = [
  // --- OpenAI, https://developers.openai.com/api/docs/pricing
  // 1,000 x 1.25 + 500 x 10 = 1,250 + 5,000
  { of: ["openai", "gpt-5"], used: { input_tokens: 1000, output_tokens: 500 }, dollars: "0.00625" },
  // 6,000 x 1.25 + 4,000 x 0.125 + (300 + 1,200) x 10 = 7,500 + 500 + 15,000
  {
    of: ["openai", "gpt-5-2025-08-07"],
    used: { input_tokens: 6000, cache_read_tokens: 4000, output_tokens: 300, reasoning_tokens: 1200 },
    dollars: "0.023",
  },
  // 1 x 0.005 = 5 nano-dollars
  { of: ["openai", "gpt-5-nano"], used: { cache_read_tokens: 1 }, dollars: "0.000000005" },
  // 1,000 x 1.25 + 500 x 10, and 2 searches at $10 for 1,000: 6,250 + 20,000
  {
    of: ["openai", "gpt-5"],
    used: { input_tokens: 1000, output_tokens: 500, searches: 2 },
    dollars: "0.02625",
  },
  // "<272K": 271,999 x 2.5 + 1,000 x 15 = 679,997.5 + 15,000
  { of: ["openai", "gpt-5.4"], used: { input_tokens: 271_999, output_tokens: 1000 }, dollars: "0.6949975" },
  // One more, and all of it is long: 272,000 x 5 + 1,000 x 22.5 = 1,360,000 + 22,500
  { of: ["openai", "gpt-5.4"], used: { input_tokens: 272_000, output_tokens: 1000 }, dollars: "1.3825" },
  // Cached input makes a request long too: 200,000 x 5 + 100,000 x 0.5 + 2,000 x 22.5 = 1,000,000 + 50,000 + 45,000
  {
    of: ["openai", "gpt-5.4"],
    used: { input_tokens: 200_000, cache_read_tokens: 100_000, output_tokens: 2000 },
    dollars: "1.095",
  },
  // Before its price fell: 10,000 x 5 + 1,000 x 30 = 50,000 + 30,000
  {
    of: ["openai", "gpt-5.6-sol"],
    at: "2026-08-20T23:59:59Z",
    used: { input_tokens: 10_000, output_tokens: 1000 },
    dollars: "0.08",
  },
  // After: 10,000 x 4 + 2,000 written x 5 + 1,000 x 20 = 40,000 + 10,000 + 20,000
  {
    of: ["openai", "gpt-5.6-sol"],
    at: "2026-08-21T00:00:00Z",
    used: { input_tokens: 10_000, cache_write_tokens: 2000, output_tokens: 1000 },
    dollars: "0.07",
  },
  // 1,000 x 10 + 1,000 x 40
  {
    of: ["openai", "o3"],
    at: "2025-06-09T12:00:00Z",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.05",
  },
  // 1,000 x 2 + 1,000 x 8
  { of: ["openai", "o3"], used: { input_tokens: 1000, output_tokens: 1000 }, dollars: "0.01" },
  // Batch, no price for cached input: 2,000 x 1 + 500 x 4
  {
    of: ["openai", "gpt-4.1"],
    tier: "batch",
    used: { input_tokens: 1000, cache_read_tokens: 1000, output_tokens: 500 },
    dollars: "0.004",
  },
  // Batch: 10,000 x 0.625 + 1,000 x 0.0625 + 2,000 x 5 = 6,250 + 62.5 + 10,000
  {
    of: ["openai", "gpt-5"],
    tier: "batch",
    used: { input_tokens: 10_000, cache_read_tokens: 1000, output_tokens: 2000 },
    dollars: "0.0163125",
  },
  // Flex: 1,000 x 0.625 + 1,000 x 5
  {
    of: ["openai", "gpt-5"],
    tier: "flex",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.005625",
  },
  // Priority, https://openai.com/api-priority-processing/: 1,000 x 2.50 + 100 x 20.00
  {
    of: ["openai", "gpt-5"],
    tier: "priority",
    used: { input_tokens: 1000, output_tokens: 100 },
    dollars: "0.0045",
  },
  // 1,000 x 0.25 + 1,000 x 0.125 + 1,000 x 1.00
  {
    of: ["openai", "gpt-4o-mini"],
    tier: "priority",
    used: { input_tokens: 1000, cache_read_tokens: 1000, output_tokens: 1000 },
    dollars: "0.001375",
  },
  // 1,000 x 2.00 + 1,000 x 0.500 + 1,000 x 8.00
  {
    of: ["openai", "o4-mini"],
    tier: "priority",
    used: { input_tokens: 1000, cache_read_tokens: 1000, output_tokens: 1000 },
    dollars: "0.0105",
  },
  // 1,000 x 12.50 + 1,000 x 1.250 + 1,000 x 75.00; a search keeps its price: 10,000
  {
    of: ["openai", "gpt-5.5"],
    tier: "priority",
    used: { input_tokens: 1000, cache_read_tokens: 1000, output_tokens: 1000, searches: 1 },
    dollars: "0.09875",
  },
  // Processed in Europe, ten per cent more: 1,000 x 2.75 + 1,000 x 16.5
  {
    of: ["openai", "gpt-5.4"],
    region: "eu",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.01925",
  },
  // An older model costs the same there: 1,000 x 1.25 + 1,000 x 10
  {
    of: ["openai", "gpt-5"],
    region: "eu",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.01125",
  },
  // 1,500 audio x 6 + 20 x 2.5 + 200 x 10 = 9,000 + 50 + 2,000
  {
    of: ["openai", "gpt-4o-transcribe"],
    used: { input_audio_tokens: 1500, input_tokens: 20, output_tokens: 200 },
    dollars: "0.01105",
  },
  // 500 x 4 + 2,000 audio x 32 + 1,000 cached audio x 0.4 + 100 x 16 + 600 audio x 64
  // = 2,000 + 64,000 + 400 + 1,600 + 38,400
  {
    of: ["openai", "gpt-realtime"],
    used: {
      input_tokens: 500,
      input_audio_tokens: 2000,
      cache_read_audio_tokens: 1000,
      output_tokens: 100,
      output_audio_tokens: 600,
    },
    dollars: "0.1064",
  },
  // 61.5 s at $0.36 an hour: 61.5 / 3,600 x 0.36
  { of: ["openai", "whisper-1"], used: { milliseconds: 61_500 }, dollars: "0.00615" },
  // 1,234 characters x 15
  { of: ["openai", "tts-1"], used: { characters: 1234 }, dollars: "0.01851" },
  // 1,234 characters x 30
  { of: ["openai", "tts-1-hd-1106"], used: { characters: 1234 }, dollars: "0.03702" },
  // 50 x 5 + 1,000 image x 8 + 4,160 image x 32 = 250 + 8,000 + 133,120
  {
    of: ["openai", "gpt-image-1.5"],
    used: { input_tokens: 50, input_image_tokens: 1000, output_image_tokens: 4160 },
    dollars: "0.14137",
  },
  // 8,191 x 0.13 = 1,064.83
  { of: ["openai", "text-embedding-3-large"], used: { input_tokens: 8191 }, dollars: "0.00106483" },

  // --- Anthropic, https://platform.claude.com/docs/en/about-claude/pricing
  // 1,200 x 3 + 350 x 15 = 3,600 + 5,250
  {
    of: ["anthropic", "claude-sonnet-4-5-20250929"],
    used: { input_tokens: 1200, output_tokens: 350 },
    dollars: "0.00885",
  },
  // 100 x 15 + 10,000 written x 18.75 + 5,000 read x 1.5 + 500 x 75 = 1,500 + 187,500 + 7,500 + 37,500
  {
    of: ["anthropic", "claude-opus-4-1-20250805"],
    used: { input_tokens: 100, cache_write_tokens: 10_000, cache_read_tokens: 5000, output_tokens: 500 },
    dollars: "0.234",
  },
  // For an hour, twice the input: 10 x 3 + 8,000 x 6 + 200 x 15 = 30 + 48,000 + 3,000
  {
    of: ["anthropic", "claude-sonnet-4-5"],
    used: { input_tokens: 10, cache_write_1h_tokens: 8000, output_tokens: 200 },
    dollars: "0.05103",
  },
  // 200,000 is not over 200,000: x 3, and 1,000 x 15
  {
    of: ["anthropic", "claude-sonnet-4-5"],
    used: { input_tokens: 200_000, output_tokens: 1000 },
    dollars: "0.615",
  },
  // 150,000 x 6 + 60,000 read x 0.6 + 1,000 x 22.5 = 900,000 + 36,000 + 22,500
  {
    of: ["anthropic", "claude-sonnet-4-5"],
    used: { input_tokens: 150_000, cache_read_tokens: 60_000, output_tokens: 1000 },
    dollars: "0.9585",
  },
  // Batch: 10,000 x 2.5 + 2,000 x 12.5
  {
    of: ["anthropic", "claude-opus-4-5-20251101"],
    tier: "batch",
    used: { input_tokens: 10_000, output_tokens: 2000 },
    dollars: "0.05",
  },
  // Fast: 1,000 x 30 + 1,000 x 150
  {
    of: ["anthropic", "claude-opus-4-6"],
    tier: "fast",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.18",
  },
  // Fast, $10 and $50, in the United States, ten per cent more: 1,000 x 11 + 1,000 x 55
  {
    of: ["anthropic", "claude-opus-5"],
    tier: "fast",
    region: "us",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.066",
  },
  // 1,000 x 4.4 + 10,000 read x 0.22 + 500 x 22 = 4,400 + 2,200 + 11,000
  {
    of: ["anthropic", "claude-opus-5-5"],
    region: "us",
    used: { input_tokens: 1000, cache_read_tokens: 10_000, output_tokens: 500 },
    dollars: "0.0176",
  },
  // 5,000 x 1 + 400 x 5, and 3 searches at $10 for 1,000 = 5,000 + 2,000 + 30,000
  {
    of: ["anthropic", "claude-haiku-4-5-20251001"],
    tier: "standard",
    used: { input_tokens: 5000, output_tokens: 400, searches: 3 },
    dollars: "0.037",
  },
  // While long context was dearer: 250,000 x 10 + 1,000 x 37.5
  {
    of: ["anthropic", "claude-opus-4-6"],
    at: "2026-03-12T23:59:59Z",
    used: { input_tokens: 250_000, output_tokens: 1000 },
    dollars: "2.5375",
  },
  // Since then: 250,000 x 5 + 1,000 x 25
  {
    of: ["anthropic", "claude-opus-4-6"],
    used: { input_tokens: 250_000, output_tokens: 1000 },
    dollars: "1.275",
  },

  // --- Gemini, https://ai.google.dev/gemini-api/docs/pricing
  // 1,000 x 0.3 + (200 + 800 thoughts) x 2.5 = 300 + 2,500
  {
    of: ["gemini", "models/gemini-2.5-flash"],
    used: { input_tokens: 1000, output_tokens: 200, reasoning_tokens: 800 },
    dollars: "0.0028",
  },
  // 50 x 0.3 + 3,200 audio x 1 + 100 x 2.5 = 15 + 3,200 + 250
  {
    of: ["gemini", "gemini-2.5-flash"],
    used: { input_tokens: 50, input_audio_tokens: 3200, output_tokens: 100 },
    dollars: "0.003465",
  },
  // 150,000 x 2.5 + 100,000 cached x 0.25 + 2,000 x 15 = 375,000 + 25,000 + 30,000
  {
    of: ["gemini", "gemini-2.5-pro"],
    used: { input_tokens: 150_000, cache_read_tokens: 100_000, output_tokens: 2000 },
    dollars: "0.43",
  },
  // Batch, cached tokens as ever: 10,000 x 0.625 + 4,000 x 0.125 + 1,000 x 5 = 6,250 + 500 + 5,000
  {
    of: ["gemini", "gemini-2.5-pro"],
    tier: "batch",
    used: { input_tokens: 10_000, cache_read_tokens: 4000, output_tokens: 1000 },
    dollars: "0.01175",
  },
  // 300 x 0.3 + 1,290 image x 30 = 90 + 38,700
  {
    of: ["gemini", "gemini-2.5-flash-image"],
    used: { input_tokens: 300, output_image_tokens: 1290 },
    dollars: "0.03879",
  },
  // 1,000 x 0.75 + 1,000 x 3.75
  {
    of: ["gemini", "gemini-3.6-flash"],
    at: "2026-12-31T23:59:59Z",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.0045",
  },
  // 1,000 x 1.5 + 1,000 x 7.5
  {
    of: ["gemini", "gemini-3.6-flash"],
    at: "2027-01-01T00:00:00Z",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.009",
  },

  // --- Vertex AI
  // Flex: 1,000 x 0.15 + 1,000 x 1.25
  {
    of: ["vertex", "projects/p/locations/global/publishers/google/models/gemini-2.5-flash"],
    tier: "ON_DEMAND_FLEX",
    region: "global",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.0014",
  },
  // A regional endpoint, ten per cent more: 1,000 x 3.3 + 1,000 x 16.5
  {
    of: ["vertex", "claude-sonnet-4-5@20250929"],
    region: "europe-west1",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.0198",
  },

  // --- Azure
  // 1,000 x 1.1 + 1,000 cached x 0.28 + 500 x 4.4 = 1,100 + 280 + 2,200
  {
    of: ["azure", "o4-mini"],
    used: { input_tokens: 1000, cache_read_tokens: 1000, output_tokens: 500 },
    dollars: "0.00358",
  },
  // A deployment of gpt-4.1-mini: 1,000 x 0.4 + 500 x 1.6
  { of: ["azure", "chat-eu"], used: { input_tokens: 1000, output_tokens: 500 }, dollars: "0.0012" },

  // --- Cohere; the numbers of its own example of billed units
  // 6,772 x 2.5 + 248 x 10 = 16,930 + 2,480
  {
    of: ["cohere", "command-a-03-2025"],
    used: { input_tokens: 6772, output_tokens: 248 },
    dollars: "0.01941",
  },
  // 1 x 37.5 + 1 x 150 nano-dollars = 187.5, rounded up once
  { of: ["cohere", "command-r7b"], used: { input_tokens: 1, output_tokens: 1 }, dollars: "0.000000188" },
  // 1,000 x 0.12
  { of: ["cohere", "embed-v4.0"], used: { input_tokens: 1000 }, dollars: "0.00012" },

  // --- Perplexity
  // 100 x 1 + 400 x 1, and a request at $12 for 1,000
  {
    of: ["perplexity", "sonar"],
    used: { input_tokens: 100, output_tokens: 400, requests: 1 },
    dollars: "0.0125",
  },
  // 20 x 2 + 1,000 x 8 + 50,000 reasoning x 3, and 18 searches at $5 for 1,000 = 40 + 8,000 + 150,000 + 90,000
  {
    of: ["perplexity", "sonar-deep-research"],
    used: { input_tokens: 20, output_tokens: 1000, reasoning_tokens: 50_000, searches: 18 },
    dollars: "0.24804",
  },

  // --- Groq
  // 1,000 x 0.075 + 500 x 0.3; a request as such is free
  {
    of: ["groq", "openai/gpt-oss-20b"],
    used: { input_tokens: 1000, output_tokens: 500, requests: 1 },
    dollars: "0.000225",
  },
  // Flex costs the same
  {
    of: ["groq", "openai/gpt-oss-20b"],
    tier: "flex",
    used: { input_tokens: 1000, output_tokens: 500 },
    dollars: "0.000225",
  },
  // 4 s are billed as 10: 10 / 3,600 x 0.111 = 0.000308333...
  { of: ["groq", "whisper-large-v3"], used: { milliseconds: 4000 }, dollars: "0.000308334" },
  // Three hours, with no rounding of the rate: 3 x 0.111
  { of: ["groq", "whisper-large-v3"], used: { milliseconds: 10_800_000 }, dollars: "0.333" },

  // --- DeepSeek, by the time of day
  // 1,000 x 0.44 + 1,000 cached x 0.014 + 1,000 x 1.32 = 440 + 14 + 1,320
  {
    of: ["deepseek", "deepseek-v4-flash"],
    at: "2026-11-23T01:00:00Z",
    used: { input_tokens: 1000, cache_read_tokens: 1000, output_tokens: 1000 },
    dollars: "0.001774",
  },
  // The hour it ends: 1,000 x 0.22 + 1,000 cached x 0.007 + 1,000 x 0.66 = 220 + 7 + 660
  {
    of: ["deepseek", "deepseek-v4-flash"],
    at: "2026-11-23T10:00:00Z",
    used: { input_tokens: 1000, cache_read_tokens: 1000, output_tokens: 1000 },
    dollars: "0.000887",
  },
  // Before there were such hours: 1,000 x 0.14 + 1,000 x 0.28
  {
    of: ["deepseek", "deepseek-v4-flash"],
    at: "2026-07-01T02:00:00Z",
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.00042",
  },

  // --- Others
  // 1,000 x 0.5 + 1,000 x 1.5
  {
    of: ["mistral", "mistral-large-2512"],
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.002",
  },
  // 12 pages at $4 for 1,000
  { of: ["mistral", "mistral-ocr-4-0"], used: { pages: 12 }, dollars: "0.048" },
  // ">= 200k": 200,000 x 4 + 1,000 x 12
  { of: ["xai", "grok-4.5"], used: { input_tokens: 200_000, output_tokens: 1000 }, dollars: "0.812" },
  // (5,000 + 1,000) x 0.88
  {
    of: ["together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"],
    used: { input_tokens: 5000, output_tokens: 1000 },
    dollars: "0.00528",
  },
  // 1,000 x 0.56 + 500 cached x 0.28 + 200 x 1.68 = 560 + 140 + 336
  {
    of: ["fireworks", "accounts/fireworks/models/deepseek-v3p2"],
    used: { input_tokens: 1000, cache_read_tokens: 500, output_tokens: 200 },
    dollars: "0.001036",
  },
  // 1,000 x 0.15 + 100 x 0.75
  {
    of: ["huggingface", "openai/gpt-oss-120b:groq"],
    used: { input_tokens: 1000, output_tokens: 100 },
    dollars: "0.000225",
  },
  // Nobody says who answers, so the dearest: 1,000 x 0.3 + 100 x 0.75
  {
    of: ["huggingface", "openai/gpt-oss-120b"],
    used: { input_tokens: 1000, output_tokens: 100 },
    dollars: "0.000375",
  },
  // 1,000 x 1.25 + 100 x 10
  {
    of: ["openrouter", "openai/gpt-5:nitro"],
    used: { input_tokens: 1000, output_tokens: 100 },
    dollars: "0.00225",
  },
  {
    of: ["openrouter", "agentica-org/deepcoder-14b-preview:free"],
    used: { input_tokens: 1000, output_tokens: 100 },
    dollars: "0",
  },
  // 1,000 x 0.35 + 1,000 x 0.75
  {
    of: ["cerebras", "gpt-oss-120b"],
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.0011",
  },
  // Batch, a third off: 1,000,000 x 0.06 x 0.67
  { of: ["voyage", "voyage-3.5"], tier: "batch", used: { input_tokens: 1_000_000 }, dollars: "0.0402" },
  // A regional profile: 1,000 x 3.3 + 1,000 x 16.5
  {
    of: ["bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    used: { input_tokens: 1000, output_tokens: 1000 },
    dollars: "0.0198",
  },
];

describe("a call costs to the nano-dollar what a person works out", () => {
  for (const {
    of: [provider, model],
    at,
    tier,
    region,
    used,
    dollars,
  } of cases) {
    const circumstances = [tier, region, at].filter(Boolean).join(", ");
    test(`${provider} ${model} ${circumstances} ${JSON.stringify(used)}`, () => {
      const price = book.find({
        provider,
        model,
        at: Date.parse(at ?? "2026-11-23T12:00:00Z"),
        serviceTier: tier ?? null,
        region: region ?? null,
      });
      expect(totalOf(costOf(used, price?.rates))).toBe(parseDollars(dollars) as Nanos);
    });
  }
});

test("what has no price is named, whatever else has one", () => {
  const rates: Rates = { units: { input_tokens: 1n, output_tokens: 1n } };
  const used = { input_tokens: 5, output_audio_tokens: 1, input_image_tokens: 2, output_image_tokens: 0 };
  expect(costOf(used, rates)).toEqual({ unpriceable: ["input_image_tokens", "output_audio_tokens"] });
  expect(costOf(used, undefined)).toEqual({
    unpriceable: ["input_tokens", "input_image_tokens", "output_audio_tokens"],
  });
});

test("what has no rate of its own is billed as what it is a kind of", () => {
  const units = { input_tokens: 2n, input_audio_tokens: 3n, output_tokens: 5n, cache_write_tokens: 7n };
  for (const [unit, rate] of [
    ["cache_read_tokens", 2n],
    ["cache_read_audio_tokens", 3n],
    ["reasoning_tokens", 5n],
    ["cache_write_1h_tokens", 7n],
  ] as const) {
    expect(costOf({ [unit]: 1_000_000 }, { units })).toMatchObject({ total: rate });
  }
  expect(costOf({ cache_write_1h_tokens: 1_000_000 }, { units: { input_tokens: 2n } })).toMatchObject({
    total: 2n,
  });
});

test("what the provider says that a call cost goes before any rate", () => {
  expect(totalOf(costOf({ input_tokens: 5 }, { units: {} }, 6_450_000n))).toBe(6_450_000n);
  expect(totalOf(costOf({}, undefined, 0n))).toBe(0n);
});

test("nothing costs nothing, whether its price is known or not", () => {
  expect(totalOf(costOf({}, undefined))).toBe(0n);
  expect(totalOf(costOf({ input_tokens: 0 }, undefined))).toBe(0n);
});

test("a price for each call does not ask what was used", () => {
  expect(totalOf(costOf({}, { units: {}, perCall: 2_000_000n }))).toBe(2_000_000n);
  expect(totalOf(costOf({ pages: 9 }, { units: {}, perCall: 2_000_000n }))).toBe(2_000_000n);
});

test("lines say what the total was made of", () => {
  const rates: Rates = { units: { output_tokens: 10n, milliseconds: 7n }, least: { milliseconds: 10_000 } };
  expect(costOf({ reasoning_tokens: 3, milliseconds: 1 }, rates)).toEqual({
    total: 1n,
    lines: [
      { unit: "reasoning_tokens", quantity: 3, rate: 10n },
      { unit: "milliseconds", quantity: 10_000, rate: 7n },
    ],
  });
});

test("a part of a unit, or less than none, is refused", () => {
  for (const quantity of [0.5, -1, Number.NaN, 2 ** 53]) {
    expect(() => costOf({ input_tokens: quantity }, { units: { input_tokens: 1n } })).toThrow(RangeError);
  }
});

const quantity = fc.oneof(fc.nat(1_000_000), fc.maxSafeNat());
const quantities = fc.dictionary(fc.constantFrom<Unit>(...UNITS), quantity).map((used) => used as Quantities);
/** Every unit has a rate, and a long request is never the cheaper. */
const anyRates = fc
  .array(fc.tuple(fc.bigInt(0n, 10n ** 13n), fc.bigInt(0n, 10n ** 13n)), {
    minLength: UNITS.length,
    maxLength: UNITS.length,
  })
  .chain((pairs) =>
    fc.nat(1_000_000).map((over): Rates => {
      const units = Object.fromEntries(UNITS.map((unit, index) => [unit, pairs[index]?.[0] ?? 0n]));
      const longer = Object.fromEntries(
        UNITS.map((unit, index) => [unit, (pairs[index]?.[0] ?? 0n) + (pairs[index]?.[1] ?? 0n)]),
      );
      return { units, tiers: [{ over, units: longer }] };
    }),
  );
const flatRates = anyRates.map(({ units }): Rates => ({ units }));

test("a cost is never negative, and never falls when more is used", () => {
  fc.assert(
    fc.property(
      anyRates,
      quantities,
      fc.constantFrom<Unit>(...UNITS),
      fc.nat(1_000_000),
      (rates, used, unit, more) => {
        const before = totalOf(costOf(used, rates));
        const grown = Math.min((used[unit] ?? 0) + more, Number.MAX_SAFE_INTEGER);
        const after = totalOf(costOf({ ...used, [unit]: grown }, rates));
        expect(before >= 0n && after >= before).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});

test("two halves of a call cost what the whole does, or a nano-dollar more", () => {
  fc.assert(
    fc.property(flatRates, quantities, fc.double({ min: 0, max: 1, noNaN: true }), (rates, used, share) => {
      const [left, right]: [Quantities, Quantities] = [{}, {}];
      for (const unit of UNITS) {
        left[unit] = Math.floor((used[unit] ?? 0) * share);
        right[unit] = (used[unit] ?? 0) - left[unit];
      }
      const more =
        totalOf(costOf(left, rates)) + totalOf(costOf(right, rates)) - totalOf(costOf(used, rates));
      expect(more === 0n || more === 1n).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("no digit is lost, however large the numbers: a total is the exact sum, rounded up", () => {
  fc.assert(
    fc.property(flatRates, quantities, (rates, used) => {
      const sum = UNITS.reduce((sum, unit) => {
        const per = unit === "milliseconds" ? 1n : 3600n;
        return sum + BigInt(used[unit] ?? 0) * (rates.units[unit] ?? 0n) * per;
      }, 0n);
      const total = totalOf(costOf(used, rates));
      expect(total * MILLISECONDS_PER_RATE >= sum).toBe(true);
      expect((total - 1n) * MILLISECONDS_PER_RATE < sum).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

function totalOf(cost: Cost | Unpriceable): Nanos {
  if ("unpriceable" in cost) throw new Error(`No price for ${cost.unpriceable.join(", ")}`);
  return cost.total;
}
