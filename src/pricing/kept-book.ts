import { createHash } from "node:crypto";
import type { KeptPriceBook, PricingDefault } from "../domain/prices.ts";
import type { Unit } from "../domain/usage.ts";
import { type Decisions, type Override, PriceBook } from "./book.ts";
import type { Rates, UnitRates } from "./rates.ts";
import { parseSnapshot } from "./snapshot.ts";

/** What can be made of a book that was kept. */
export type Rebuilt =
  | { readonly kind: "book"; readonly book: PriceBook }
  /** What is kept is not what was kept. */
  | { readonly kind: "changed" }
  /** It is what was kept, but this version computes otherwise: with other modifiers, or it does not read it any more. */
  | { readonly kind: "other version" };

/** A book to keep: with its snapshot's text, it can be made again. */
export function keptBook({ hash, basis, snapshot }: PriceBook): KeptPriceBook {
  return { hash, basis, snapshotHash: snapshot.hash };
}

/**
 * Makes a book again.
 * @param snapshotText That of `kept.snapshotHash`; undefined where it is gone.
 */
export function rebuildBook(kept: KeptPriceBook, snapshotText: string | undefined): Rebuilt {
  if (sha256(kept.basis) !== kept.hash) return { kind: "changed" };
  if (snapshotText === undefined || sha256(snapshotText) !== kept.snapshotHash) return { kind: "changed" };
  try {
    const { snapshot, decisions } = JSON.parse(kept.basis) as { snapshot: string; decisions: Text };
    if (snapshot !== kept.snapshotHash) return { kind: "changed" };
    const book = new PriceBook(parseSnapshot(snapshotText), decisionsOf(decisions));
    return book.hash === kept.hash ? { kind: "book", book } : { kind: "other version" };
  } catch {
    return { kind: "other version" };
  }
}

/** Decisions as the basis has them: amounts are decimal texts. */
interface Text {
  readonly overrides: readonly (Omit<Override, "rates"> & { readonly rates: RatesText })[];
  readonly defaults: Readonly<Record<string, { readonly kind: string; readonly price?: string }>>;
  readonly aliases: NonNullable<Decisions["aliases"]>;
}

interface RatesText {
  readonly units: Readonly<Record<string, string>>;
  readonly tiers?: readonly { readonly over: number; readonly units: Readonly<Record<string, string>> }[];
  readonly least?: Readonly<Partial<Record<Unit, number>>>;
  readonly perCall?: string;
}

function decisionsOf({ overrides, defaults, aliases }: Text): Decisions {
  return {
    overrides: overrides.map((override) => ({ ...override, rates: ratesOf(override.rates) })),
    defaults: Object.fromEntries(
      Object.entries(defaults).map(([provider, { kind, price }]) => [
        provider,
        (price === undefined ? { kind } : { kind, price: BigInt(price) }) as PricingDefault,
      ]),
    ),
    aliases,
  };
}

function ratesOf({ units, tiers, least, perCall }: RatesText): Rates {
  return {
    units: unitsOf(units),
    ...(tiers !== undefined && {
      tiers: tiers.map(({ over, units: ofTier }) => ({ over, units: unitsOf(ofTier) })),
    }),
    ...(least !== undefined && { least }),
    ...(perCall !== undefined && { perCall: BigInt(perCall) }),
  };
}

function unitsOf(units: Readonly<Record<string, string>>): UnitRates {
  return Object.fromEntries(Object.entries(units).map(([unit, rate]) => [unit, BigInt(rate)]));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
