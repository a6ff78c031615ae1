import { fields, list, word } from "../read-json.ts";
import type { Constraint, GenaiModel, GenaiPrices, GenaiProvider } from "./genai-prices.ts";
import type { Match } from "./genai-rules.ts";

/** Ten times what there are, and longer than any: rules for names are tried on whatever clients send. */
const MOST_MODELS = 20_000;
const LONGEST_PATTERN = 300;
const DEEPEST_MATCH = 4;

/**
 * Reads the data of genai-prices as whoever serves it sent it.
 * @throws {Error} What does not have the documented shape, and where.
 */
export function readGenaiPrices(value: unknown): GenaiProvider[] {
  const providers = list(value, "genai-prices").map(provider);
  const models = providers.reduce((sum, one) => sum + one.models.length, 0);
  if (models > MOST_MODELS) throw new Error(`genai-prices: ${models} models are too many`);
  return providers;
}

function provider(value: unknown): GenaiProvider {
  const { id, models } = fields(value, "a provider");
  const name = word(id, "a provider's id");
  return { id: name, models: list(models, name).map((entry) => model(entry, name)) };
}

function model(value: unknown, where: string): GenaiModel {
  const { id, match, context_window, prices } = fields(value, where);
  const name = word(id, `${where}: a model's id`);
  const at = `${where} ${name}`;
  return {
    id: name,
    match: rule(match, at, 0),
    ...(context_window !== undefined && { context_window: amount(context_window, at) }),
    prices: Array.isArray(prices) ? prices.map((entry) => timed(entry, at)) : amounts(prices, at),
  };
}

function rule(value: unknown, where: string, depth: number): Match {
  const [entry, ...others] = Object.entries(fields(value, where));
  if (entry === undefined || others.length > 0 || depth > DEEPEST_MATCH)
    throw new Error(`${where}: no match`);
  const [kind, argument] = entry;
  const rules = () => list(argument, where).map((one) => rule(one, where, depth + 1));
  if (kind === "or") return { or: rules() };
  if (kind === "and") return { and: rules() };
  if (!["equals", "starts_with", "ends_with", "contains", "regex"].includes(kind)) {
    throw new Error(`${where}: no match ${kind.slice(0, 40)}`);
  }
  const text = word(argument, where);
  if (text.length > LONGEST_PATTERN) throw new Error(`${where}: a match of ${text.length} characters`);
  // What the language cannot read is refused here, and not when a client names a model.
  if (kind === "regex") new RegExp(text);
  return { [kind]: text } as Match;
}

function timed(value: unknown, where: string): { constraint?: Constraint; prices: GenaiPrices } {
  const { constraint, prices } = fields(value, where);
  return {
    ...(constraint !== undefined && { constraint: constraintOf(constraint, where) }),
    prices: amounts(prices, where),
  };
}

/** The npm package names its kinds of constraint, the published file does not. */
function constraintOf(value: unknown, where: string): Constraint {
  const { start_date, start_time, end_time } = fields(value, where);
  if (typeof start_date === "string" && /^\d{4}-\d\d-\d\d$/.test(start_date)) {
    return { type: "start_date", start_date };
  }
  if (typeof start_time === "string" && typeof end_time === "string") {
    return { type: "time_of_date", start_time, end_time };
  }
  throw new Error(`${where}: no time`);
}

function amounts(value: unknown, where: string): GenaiPrices {
  return Object.fromEntries(
    Object.entries(fields(value, where)).map(([key, price]) => [key, tiered(price, `${where} ${key}`)]),
  );
}

function tiered(value: unknown, where: string): GenaiPrices[string] {
  if (typeof value === "number") return amount(value, where);
  const { base, tiers } = fields(value, where);
  const read = list(tiers, where).map((tier) => {
    const { start, price } = fields(tier, where);
    return { start: amount(start, where), price: amount(price, where) };
  });
  return { base: amount(base, where), tiers: read };
}

function amount(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
    throw new Error(`${where}: no amount`);
  return value;
}
