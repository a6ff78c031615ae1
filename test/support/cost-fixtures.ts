import { readFileSync } from "node:fs";
import { parseRates } from "../../src/pricing/amounts.ts";
import type { UnitRates } from "../../src/pricing/rates.ts";
import { type UsageFixture, usageFixtures } from "./usage-fixtures.ts";

/** What an answer costs, worked out by hand from its provider's price page. */
export interface CostFixture {
  readonly name: string;
  readonly answer: UsageFixture;
  /** Whose answer it is: an id as in `src/providers/`, or `hf-...` for an endpoint of one's own. */
  readonly provider: string;
  /** The model that the request named; null where the answer's name is enough. */
  readonly model: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
  /** By model, as published for the answer's tier and region; none where nothing has to be known. */
  readonly rates: Readonly<Record<string, UnitRates>>;
  /** Whether the answer itself says what it costs. */
  readonly isReported: boolean;
  /** `2 x 3 + 1 / 2 = 6.5`, in millionths of a dollar; null where there is no price. */
  readonly working: string | null;
  /** Nano-dollars; null where there is no price. */
  readonly costNanos: bigint | null;
}

/** As test/fixtures/costs.json has it. */
interface Stored {
  readonly at: string;
  readonly pages: Readonly<Record<string, { url: string; date: string; readBy?: string }>>;
  readonly answers: Readonly<Record<string, StoredCost>>;
}

interface StoredCost {
  readonly provider: string;
  readonly model?: string;
  /** Where the price of another day is meant. */
  readonly at?: string;
  /** Of `pages`. */
  readonly page?: string;
  readonly rates?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly reported?: true;
  readonly working?: string;
  readonly nanos: string | null;
  /** Why there is no price, or why it is nothing. */
  readonly why?: string;
  readonly note?: string;
}

const stored = JSON.parse(readFileSync(new URL("../fixtures/costs.json", import.meta.url), "utf8")) as Stored;

export const costFixtures: readonly CostFixture[] = Object.entries(stored.answers).map(([name, cost]) => {
  const answer = usageFixtures.find((fixture) => fixture.name === name);
  if (answer === undefined) throw new Error(`costs.json has ${name}, which is no answer`);
  if (cost.rates !== undefined && stored.pages[cost.page ?? ""] === undefined) {
    throw new Error(`costs.json does not say where the rates of ${name} are from`);
  }
  if (cost.rates === undefined && cost.reported !== true && cost.why === undefined) {
    throw new Error(`costs.json does not say why ${name} costs what it does`);
  }
  return {
    name,
    answer,
    provider: cost.provider,
    model: cost.model ?? null,
    at: Date.parse(cost.at ?? stored.at),
    rates: Object.fromEntries(
      Object.entries(cost.rates ?? {}).map(([model, prices]) => [model, rates(prices, name)]),
    ),
    isReported: cost.reported === true,
    working: cost.working ?? null,
    costNanos: cost.nanos === null ? null : BigInt(cost.nanos),
  };
});

function rates(prices: Readonly<Record<string, string>>, name: string): UnitRates {
  const read = parseRates(prices);
  if ("wrong" in read) throw new Error(`costs.json has a wrong price of ${read.wrong} for ${name}`);
  return read as UnitRates;
}

/** What the left side of a working comes to: nano-dollars, rounded up once. */
export function workedOut(working: string): bigint {
  const [left = ""] = working.split(" = ");
  let [numerator, denominator] = [0n, 1n];
  for (const term of left.split(" + ")) {
    const [top, bottom] = product(term);
    [numerator, denominator] = [numerator * bottom + top * denominator, denominator * bottom];
  }
  return (numerator * 1000n + denominator - 1n) / denominator;
}

function product(term: string): [bigint, bigint] {
  const [first = "", ...rest] = term.split(/ ([x/]) /);
  let [top, bottom] = decimal(first);
  for (let at = 0; at < rest.length; at += 2) {
    const [numerator, denominator] = decimal(rest[at + 1] ?? "");
    [top, bottom] =
      rest[at] === "x" ? [top * numerator, bottom * denominator] : [top * denominator, bottom * numerator];
  }
  return [top, bottom];
}

function decimal(text: string): [bigint, bigint] {
  const match = /^(\d{1,3}(?:,\d{3})*)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw new Error(`${text} is no number`);
  const [, whole = "", fraction = ""] = match;
  return [BigInt(whole.replaceAll(",", "") + fraction), 10n ** BigInt(fraction.length)];
}
