import { createHash } from "node:crypto";
import type { Unit } from "../domain/usage.ts";
import type { Rule } from "./match.ts";
import { isUnit, type Rates, type Tier, type UnitRates } from "./rates.ts";
import { fields, list, mapValues } from "./read-json.ts";

/** List prices of a day, as `lists/make-snapshot.ts` makes them. */
export interface Snapshot {
  readonly sources: readonly Source[];
  readonly providers: Readonly<Record<string, ProviderPrices>>;
  /** SHA-256 of its text, hexadecimal. */
  readonly hash: string;
}

export interface Source {
  readonly name: string;
  readonly version: string;
  /** Where it is known. */
  readonly date?: string;
  readonly licence: string;
}

export interface ProviderPrices {
  readonly models: readonly ModelPrices[];
  /** Providers whose models it sells too, at their prices. */
  readonly also: readonly string[];
  /** Exact names, in lower case. */
  readonly limits: Readonly<Record<string, Limits>>;
}

export interface ModelPrices {
  readonly id: string;
  readonly match: readonly Rule[];
  /** In tokens, where a source knows it. */
  readonly context: number | null;
  /** The last whose time it is counts; the first counts where none does. */
  readonly prices: readonly TimedRates[];
}

export interface TimedRates {
  readonly rates: Rates;
  /** Milliseconds since the Unix epoch. */
  readonly from: number;
  /** Milliseconds since midnight, UTC; from the first up to, without, the second, which may be on the next day. */
  readonly daily?: readonly [number, number];
}

export interface Limits {
  /** In tokens: what goes in and what comes out, together. */
  readonly context: number | null;
  /** In tokens: the most that the model answers. */
  readonly output: number | null;
}

/** @throws {Error} What is wrong with it, and where. */
export function parseSnapshot(text: string): Snapshot {
  const { sources, providers } = fields(JSON.parse(text), "snapshot");
  return {
    sources: list(sources, "sources").map((source) => fields(source, "source") as unknown as Source),
    providers: mapValues(fields(providers, "providers"), provider),
    hash: createHash("sha256").update(text).digest("hex"),
  };
}

function provider(value: unknown, where: string): ProviderPrices {
  const { models, also, limits } = fields(value, where);
  return {
    models: list(models, where).map((entry) => model(entry, where)),
    also: list(also ?? [], where) as string[],
    limits: mapValues(fields(limits ?? {}, where), (pair) => {
      const [context, output] = list(pair, where);
      return { context: amount(context), output: amount(output) };
    }),
  };
}

function model(value: unknown, where: string): ModelPrices {
  const { id, match, context, prices } = fields(value, where);
  if (typeof id !== "string") throw new Error(`${where}: a model has no id`);
  return {
    id,
    match: match === undefined ? [`=${id}`] : (list(match, id) as Rule[]),
    context: amount(context),
    prices: list(prices, id).map((entry) => timed(entry, `${where} ${id}`)),
  };
}

function timed(value: unknown, where: string): TimedRates {
  const { from, daily, rates: units, tiers, least } = fields(value, where);
  return {
    from: from === undefined ? 0 : instant(`${from}T00:00:00Z`, where),
    ...(daily !== undefined && { daily: timesOfDay(list(daily, where), where) }),
    rates: {
      units: rates(units, where),
      ...(tiers !== undefined && { tiers: list(tiers, where).map((entry) => tier(entry, where)) }),
      ...(least !== undefined && { least: fields(least, where) as Partial<Record<Unit, number>> }),
    },
  };
}

function tier(value: unknown, where: string): Tier {
  const { over, rates: units } = fields(value, where);
  return { over: whole(over, where), units: rates(units, where) };
}

function rates(value: unknown, where: string): UnitRates {
  return Object.fromEntries(
    Object.entries(fields(value, where)).map(([unit, rate]) => {
      if (!isUnit(unit)) throw new Error(`${where}: no unit ${unit}`);
      return [unit, BigInt(whole(rate, where))];
    }),
  );
}

function timesOfDay([start, end]: unknown[], where: string): readonly [number, number] {
  return [instant(`1970-01-01T${start}:00Z`, where), instant(`1970-01-01T${end}:00Z`, where)];
}

function instant(text: string, where: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new Error(`${where}: ${text} is no time`);
  return time;
}

/** Rates are whole numbers that JSON's numbers hold exactly; anything else would lose money silently. */
function whole(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new Error(`${where}: ${value} is no whole number`);
  return value as number;
}

function amount(value: unknown): number | null {
  return typeof value === "number" && value > 0 ? value : null;
}
