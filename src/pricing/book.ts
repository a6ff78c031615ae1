import { createHash } from "node:crypto";
import type { PricingDefault } from "../domain/prices.ts";
import { Names } from "./match.ts";
import { type Circumstances, MODIFIERS, modify } from "./modifiers.ts";
import { namesOf } from "./names.ts";
import type { Rates } from "./rates.ts";
import type { Limits, ModelPrices, Snapshot } from "./snapshot.ts";

/** What the administrator decided; all of it is in the book's hash. */
export interface Decisions {
  readonly overrides?: readonly Override[];
  /** By provider; `priced` where it is not said. */
  readonly defaults?: Readonly<Record<string, PricingDefault>>;
  /** By provider: the model behind a name of one's own, such as a deployment at Azure. */
  readonly aliases?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A price that goes before the snapshot's. */
export interface Override {
  readonly provider: string;
  /** A name as clients use it, a model's id in the snapshot, or the beginning of names, ending in `*`. */
  readonly model: string;
  /** The tier that it is for; without it, it is the standard price and tiers are computed from it. */
  readonly serviceTier?: string;
  readonly rates: Rates;
}

export interface Query extends Partial<Circumstances> {
  readonly provider: string;
  readonly model: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

export interface Price {
  readonly rates: Rates;
  readonly source: "override" | "snapshot" | "flat" | "free";
  /** The model's id in the snapshot, or its name where the snapshot does not have it. */
  readonly modelId: string;
}

/** How many names are remembered, and how long ones: clients can make up any number of them, of any length. */
const REMEMBERED = 10_000;
const LONGEST_REMEMBERED = 200;

/** All prices of a moment. It never changes: a new decision is a new book, with another hash. */
export class PriceBook {
  /** SHA-256 over everything that decides a price, hexadecimal. It goes on every row that has a cost. */
  readonly hash: string;
  /** The text that `hash` is of: the snapshot's hash, the modifiers and the decisions, as JSON. See `kept-book.ts`. */
  readonly basis: string;
  readonly snapshot: Snapshot;
  readonly #lists: ReadonlyMap<string, List>;
  readonly #overrides: ReadonlyMap<string, readonly Override[]>;
  readonly #defaults: ReadonlyMap<string, PricingDefault>;
  readonly #aliases: ReadonlyMap<string, string>;
  /** By provider and model, as requests name them. */
  readonly #found = new Map<string, Map<string, Listed>>();
  #remembered = 0;

  constructor(snapshot: Snapshot, { overrides = [], defaults = {}, aliases = {} }: Decisions = {}) {
    this.snapshot = snapshot;
    this.basis = basisOf(snapshot, { overrides, defaults, aliases });
    this.hash = createHash("sha256").update(this.basis).digest("hex");
    this.#lists = new Map(
      Object.entries(snapshot.providers).map(([id, { models, also, limits }]) => [
        id,
        { names: new Names(models, rulesOf), also, limits: new Map(Object.entries(limits)) },
      ]),
    );
    this.#overrides = Map.groupBy(overrides, ({ provider }) => provider);
    this.#defaults = new Map(Object.entries(defaults));
    this.#aliases = new Map(
      Object.entries(aliases).flatMap(([provider, names]) =>
        Object.entries(names).map(([name, model]) => [key(provider, name.toLowerCase()), model]),
      ),
    );
  }

  /** The price of a call; undefined where none is known. */
  find(query: Query): Price | undefined {
    const { provider, model, at, serviceTier, region } = query;
    const listed = this.#lookUp(provider, model);
    // A standard price that has no dates is the same as long as there is this book.
    const isConstant = serviceTier == null && region == null && (listed.entry?.prices.length ?? 1) === 1;
    if (!isConstant) return this.#priceOf(listed, provider, model, at, serviceTier ?? null, region ?? null);
    listed.standard ??= { price: this.#priceOf(listed, provider, model, at, null, null) };
    return listed.standard.price;
  }

  #priceOf(
    { names, entry }: Listed,
    provider: string,
    model: string,
    at: number,
    serviceTier: string | null,
    region: string | null,
  ): Price | undefined {
    const modelId = entry?.id ?? names[0] ?? model;
    const circumstances = { serviceTier, region };

    const override = this.#override(provider, names, modelId, serviceTier);
    if (override !== undefined) {
      // A price for this very tier has the tier in it already.
      const rest = override.serviceTier === undefined ? circumstances : { serviceTier: null, region };
      return priced(modify(override.rates, provider, modelId, rest), "override", modelId);
    }
    const byDefault = this.defaultOf(provider);
    if (byDefault.kind === "flat") {
      return { rates: { units: {}, perCall: byDefault.price }, source: "flat", modelId };
    }
    if (byDefault.kind === "free") return { rates: { units: {}, perCall: 0n }, source: "free", modelId };
    if (entry === undefined) return undefined;
    return priced(modify(ratesAt(entry, at), provider, modelId, circumstances), "snapshot", modelId);
  }

  /** What is to be done with calls of this provider that have no price of their own. */
  defaultOf(provider: string): PricingDefault {
    return this.#defaults.get(provider) ?? { kind: "priced" };
  }

  /** What the model takes and answers at most; nulls where nobody says. */
  limits(provider: string, model: string): Limits {
    const listed = this.#lookUp(provider, model);
    listed.limits ??= this.#limitsOf(provider, listed);
    return listed.limits;
  }

  #limitsOf(provider: string, { names, entry }: Listed): Limits {
    const known = entry === undefined ? names : [...names, entry.id.toLowerCase()];
    // `model:variant` has its model's limits where it has none of its own.
    const keys = [...known, ...known.map((name) => name.replace(/:[^:/]+$/, ""))];
    for (const { limits } of this.#listsOf(provider)) {
      const found = keys.map((name) => limits.get(name)).find((some) => some !== undefined);
      if (found !== undefined) return found;
    }
    return { context: entry?.context ?? null, output: null };
  }

  /** Those of these calls that have no price, each once. */
  unpriced(calls: Iterable<Query>): readonly Query[] {
    const found = new Map<string, Query>();
    for (const call of calls) {
      const name = key(call.provider, call.model, call.serviceTier ?? "", call.region ?? "");
      if (!found.has(name) && this.find(call) === undefined) found.set(name, call);
    }
    return [...found.values()];
  }

  #override(
    provider: string,
    names: readonly string[],
    modelId: string,
    serviceTier: string | null,
  ): Override | undefined {
    const known = [...names, modelId.toLowerCase()];
    let best: { override: Override; rank: number } | undefined;
    for (const override of this.#overrides.get(provider) ?? []) {
      const forTier = override.serviceTier?.toLowerCase();
      if (forTier !== undefined && forTier !== serviceTier?.toLowerCase()) continue;
      const rank = closeness(override.model.toLowerCase(), known) * 2 + (forTier === undefined ? 0 : 1);
      // Of two that are equally close, the later decision.
      if (rank > 1 && rank >= (best?.rank ?? 0)) best = { override, rank };
    }
    return best?.override;
  }

  #lookUp(provider: string, model: string): Listed {
    const known = this.#found.get(provider)?.get(model);
    if (known !== undefined) return known;
    const named = this.#aliases.get(key(provider, model.trim().toLowerCase()));
    const names = [
      ...(named === undefined ? [] : [model.toLowerCase()]),
      ...namesOf(provider, named ?? model),
    ];
    const listed: Listed = { names, entry: this.#listed(provider, names) };
    if (model.length <= LONGEST_REMEMBERED) this.#remember(provider, model, listed);
    return listed;
  }

  #remember(provider: string, model: string, listed: Listed): void {
    if (this.#remembered >= REMEMBERED) {
      this.#found.clear();
      this.#remembered = 0;
    }
    const ofProvider = this.#found.get(provider) ?? new Map<string, Listed>();
    this.#found.set(provider, ofProvider.set(model, listed));
    this.#remembered++;
  }

  #listed(provider: string, names: readonly string[]): ModelPrices | undefined {
    for (const list of this.#listsOf(provider)) {
      for (const name of names) {
        const entry = list.names.find(name);
        if (entry !== undefined) return entry;
      }
    }
    return undefined;
  }

  /** Its own first, for all forms of a name: it may sell another's model at another price. */
  #listsOf(provider: string): readonly List[] {
    const own = this.#lists.get(provider);
    return [own, ...(own?.also ?? []).map((id) => this.#lists.get(id))].filter((list) => list !== undefined);
  }
}

interface List {
  readonly names: Names<ModelPrices>;
  readonly also: readonly string[];
  readonly limits: ReadonlyMap<string, Limits>;
}

interface Listed {
  readonly names: readonly string[];
  readonly entry: ModelPrices | undefined;
  /** What was worked out of it already. */
  standard?: { readonly price: Price | undefined };
  limits?: Limits;
}

/** More than any name is long. */
const WHOLE_NAME = 1_000_000;

/** How well an override's model fits: 0 not at all; a beginning by its length; a whole name best, the nearest first. */
function closeness(model: string, names: readonly string[]): number {
  if (model.endsWith("*")) {
    const start = model.slice(0, -1);
    return names.some((name) => name.startsWith(start)) ? model.length : 0;
  }
  const index = names.indexOf(model);
  return index < 0 ? 0 : WHOLE_NAME - index;
}

/** A listed model's rates at a time. */
export function ratesAt({ prices }: ModelPrices, at: number): Rates {
  const timeOfDay = at % 86_400_000;
  const current = prices.findLast(
    ({ from, daily }) => at >= from && (daily === undefined || within(timeOfDay, daily)),
  );
  return (current ?? prices[0])?.rates ?? { units: {} };
}

function within(timeOfDay: number, [start, end]: readonly [number, number]): boolean {
  return start <= end ? timeOfDay >= start && timeOfDay < end : timeOfDay >= start || timeOfDay < end;
}

function priced(rates: Rates | undefined, source: Price["source"], modelId: string): Price | undefined {
  return rates && { rates, source, modelId };
}

function rulesOf({ match }: ModelPrices): readonly string[] {
  return match;
}

/** No name has a line break in it that a provider would know. */
function key(...parts: string[]): string {
  return parts.join("\n");
}

/** The same decisions make the same text, in whatever order their fields were written. */
function basisOf({ hash }: Snapshot, decisions: Required<Decisions>): string {
  return JSON.stringify({ snapshot: hash, modifiers: MODIFIERS, decisions }, (_, value: unknown) => {
    if (typeof value === "bigint") return String(value);
    if (value instanceof RegExp) return value.source;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
