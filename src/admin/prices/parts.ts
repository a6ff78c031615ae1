import { z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { type Nanos, parseDollars } from "../../domain/money.ts";
import { MOST_DOLLARS, pricedFor } from "../../pricing/amounts.ts";
import { UNITS } from "../../pricing/rates.ts";
import type { AdminParts } from "../parts.ts";

export const Dollars = z.string().max(60).describe("Dollars, a decimal number.");
const PRICES = `Dollars by unit: for one of ${unitsFor("one")}; for an hour of milliseconds; for a million of all others.`;
export const Prices = z.record(z.string(), Dollars).describe(PRICES);

/** @throws {HTTPException} 422 for what is no amount of money. */
export function nanos(field: string, text: string): Nanos {
  const amount = parseDollars(text);
  if (amount === undefined || amount > MOST_DOLLARS * 1_000_000_000n) throw unacceptable(notDollars(field));
  return amount;
}

export function notDollars(field: string): string {
  return `${field} must be dollars such as 1.25: at most ${MOST_DOLLARS}, and not finer than a nano-dollar.`;
}

/** @throws {HTTPException} 422 for a provider that neither is configured nor has list prices. */
export function requireProvider(id: string, { providers, prices: book }: AdminParts): void {
  const known = new Set([
    ...providers().map((provider) => provider.id),
    ...Object.keys(book().snapshot.providers),
  ]);
  if (!known.has(id)) throw unacceptable(`There is no provider "${id.slice(0, 80)}"; see lmk providers.`);
}

export function unacceptable(message: string): HTTPException {
  return new HTTPException(422, { message });
}

function unitsFor(what: ReturnType<typeof pricedFor>): string {
  return UNITS.filter((unit) => pricedFor(unit) === what).join(", ");
}
