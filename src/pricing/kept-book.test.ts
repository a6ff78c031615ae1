import { expect, test } from "bun:test";
import { type Decisions, PriceBook } from "./book.ts";
import { bundledSnapshot, bundledText } from "./bundled.ts";
import { keptBook, rebuildBook } from "./kept-book.ts";

const decisions: Decisions = {
  overrides: [
    { provider: "openai", model: "gpt-x", rates: { units: { input_tokens: 2n ** 70n, output_tokens: 3n } } },
    { provider: "openai", model: "gpt-x", serviceTier: "flex", rates: { units: {}, perCall: 7n } },
    {
      provider: "lab",
      model: "m*",
      rates: {
        units: { pages: 1n },
        least: { milliseconds: 10_000 },
        tiers: [{ over: 200_000, units: { pages: 2n } }],
      },
    },
  ],
  defaults: { vectara: { kind: "flat", price: 2_000_000n }, ollama: { kind: "free" } },
  aliases: { azure: { mine: "gpt-4o" } },
};
const book = new PriceBook(bundledSnapshot(), decisions);

test("a book is made again of what is kept of it, and finds the same prices", () => {
  const rebuilt = rebuildBook(keptBook(book), bundledText);
  if (rebuilt.kind !== "book") throw new Error(rebuilt.kind);
  expect(rebuilt.book.hash).toBe(book.hash);
  const at = Date.parse("2026-11-24T10:00:00Z");
  for (const [provider, model] of [
    ["openai", "gpt-x"],
    ["openai", "gpt-4o-mini"],
    ["lab", "m1"],
    ["vectara", "anything"],
    ["azure", "mine"],
  ] as const) {
    for (const serviceTier of [null, "flex"]) {
      const asked = { provider, model, at, serviceTier };
      expect(rebuilt.book.find(asked)).toEqual(book.find(asked));
    }
  }
});

test("a kept book that was changed is told from one of another version", () => {
  const kept = keptBook(book);
  const cheaper = kept.basis.replace('"2000000"', '"1000000"');
  expect(cheaper).not.toBe(kept.basis);
  expect(rebuildBook({ ...kept, basis: cheaper }, bundledText).kind).toBe("changed");
  expect(rebuildBook(kept, bundledText.replace("gpt-4o", "gpt-4x")).kind).toBe("changed");
  expect(rebuildBook(kept, undefined).kind).toBe("changed");

  const other = kept.basis.replace('"modifiers":', '"modifiersOfBefore":');
  const hash = new Bun.CryptoHasher("sha256").update(other).digest("hex");
  expect(rebuildBook({ ...kept, basis: other, hash }, bundledText).kind).toBe("other version");
});
