import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { formatDollars, type Nanos, parseDollars } from "../domain/money.ts";
import type { OverrideRates, PricingDefault, UnpricedModel } from "../domain/prices.ts";
import type { Unit } from "../domain/usage.ts";
import { formatRates, MOST_DOLLARS, parseRates, pricedFor } from "../pricing/amounts.ts";
import { PriceBook } from "../pricing/book.ts";
import { costOf } from "../pricing/cost.ts";
import { differenceOf } from "../pricing/difference.ts";
import { type Rates, UNITS } from "../pricing/rates.ts";
import { parseSnapshot, type Snapshot } from "../pricing/snapshot.ts";
import type { AdminParts } from "./parts.ts";
import { notFound, validationHook } from "./problem.ts";
import { json, jsonBody, listOf, rfc3339, Time } from "./schemas.ts";

/** Model names that no provider would take are longer. */
const ModelName = z.string().trim().toLowerCase().min(1).max(300);
const Tier = z.string().trim().toLowerCase().min(1).max(100);
const Dollars = z.string().max(60).describe("Dollars, a decimal number.");
const PRICES = `Dollars by unit: for one of ${unitsFor("one")}; for an hour of milliseconds; for a million of all others.`;
const Prices = z.record(z.string(), Dollars).describe(PRICES);

const PriceView = z
  .object({
    provider: z.string(),
    model: z.string(),
    serviceTier: z.string().nullable(),
    source: z.enum(["override", "snapshot", "flat", "free"]),
    prices: Prices,
    perCall: Dollars.nullable().describe("Of a call, whatever it used; `prices` then do not count."),
    tiers: z
      .array(z.object({ over: z.number(), prices: Prices }))
      .describe("For more input tokens than `over`."),
    createdAt: Time.nullable().describe("When it was decided, of an override."),
  })
  .openapi("Price");
type PriceView = z.infer<typeof PriceView>;

const PriceInput = z
  .object({
    provider: z.string(),
    model: ModelName.describe("A name as clients use it, or the beginning of names, ending in `*`."),
    serviceTier: Tier.nullable().default(null),
    prices: Prices.default({}),
    perCall: Dollars.optional(),
  })
  .refine(({ prices, perCall }) => Object.keys(prices).length > 0 !== (perCall !== undefined), {
    message: "Give either prices or perCall.",
  });
const PriceRef = z.object({ provider: z.string(), model: ModelName, serviceTier: Tier.optional() });

/** `refuse` is not offered: nothing asks for a price before a call yet. */
const Kind = z.enum(["priced", "flat", "free"]);
const DefaultView = z
  .object({
    provider: z.string(),
    kind: z.enum([...Kind.options, "refuse"]),
    price: Dollars.nullable().describe("Of a call, where it is flat."),
    decided: z.boolean().describe("By an administrator; else it is the provider's own."),
  })
  .openapi("PricingDefault");
const DefaultInput = z.object({ kind: Kind, price: Dollars.optional() });
const ProviderRef = z.object({ provider: z.string() });

const UnpricedView = z
  .object({
    provider: z.string(),
    model: z.string().nullable(),
    requests: z.number(),
    lastAt: Time,
    units: z.array(z.string()).describe("What has no price."),
  })
  .openapi("Unpriced");

const SnapshotView = z
  .object({
    hash: z.string().describe("SHA-256 of the list prices."),
    priceBook: z
      .string()
      .describe("SHA-256 of all prices in force, decisions included: it is on the log's rows."),
    pinnedAt: Time.nullable().describe("Null where they came with this version."),
    sources: z.array(z.record(z.string(), z.string().optional())),
  })
  .openapi("PriceSnapshot");
const SnapshotInput = z.object({ text: z.string().describe("A snapshot.json as this product has it.") });
const DifferenceView = z.object({
  hash: z.string(),
  items: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      before: Prices.nullable(),
      after: Prices.nullable(),
    }),
  ),
});

const list = createRoute({
  method: "get",
  path: "/prices",
  request: {
    query: z.object({
      provider: z.string().optional(),
      search: z.string().optional().describe("Part of a model's name."),
      after: z.coerce.number().int().min(0).default(0).describe("`next` of the page before."),
      limit: z.coerce.number().int().min(1).max(5000).default(100),
    }),
  },
  responses: {
    200: json(
      z.object({ items: z.array(PriceView), total: z.number(), next: z.number().nullable() }),
      "Overrides, then listed models, at the prices of this moment",
    ),
  },
});
const find = createRoute({
  method: "get",
  path: "/prices/find",
  request: { query: PriceRef.extend({ region: z.string().optional() }) },
  responses: { 200: json(PriceView, "What a call of this model costs now") },
});
const put = createRoute({
  method: "put",
  path: "/prices",
  request: { body: jsonBody(PriceInput) },
  responses: { 200: json(PriceView, "The price, in force") },
});
const remove = createRoute({
  method: "delete",
  path: "/prices",
  request: { query: PriceRef },
  responses: { 204: { description: "The list price counts again" } },
});
const listDefaults = createRoute({
  method: "get",
  path: "/prices/defaults",
  responses: { 200: json(listOf(DefaultView), "What calls cost that have no price of their own") },
});
const putDefault = createRoute({
  method: "put",
  path: "/prices/defaults/{provider}",
  request: { params: ProviderRef, body: jsonBody(DefaultInput) },
  responses: { 200: json(DefaultView, "The default, in force") },
});
const removeDefault = createRoute({
  method: "delete",
  path: "/prices/defaults/{provider}",
  request: { params: ProviderRef },
  responses: { 204: { description: "The provider's own default counts again" } },
});
const unpriced = createRoute({
  method: "get",
  path: "/prices/unpriced",
  request: { query: z.object({ since: Time.optional() }) },
  responses: {
    200: json(listOf(UnpricedView), "Models in the log whose price is not known, most requests first"),
  },
});
const showSnapshot = createRoute({
  method: "get",
  path: "/prices/snapshot",
  responses: { 200: json(SnapshotView, "The list prices in force") },
});
const compare = createRoute({
  method: "post",
  path: "/prices/snapshot/difference",
  request: { body: jsonBody(SnapshotInput) },
  responses: { 200: json(DifferenceView, "What would change if this one were pinned") },
});
const pin = createRoute({
  method: "put",
  path: "/prices/snapshot",
  request: { body: jsonBody(SnapshotInput) },
  responses: { 200: json(SnapshotView, "The list prices, in force") },
});
const unpin = createRoute({
  method: "delete",
  path: "/prices/snapshot",
  responses: { 204: { description: "The list prices that came with this version count again" } },
});

export function prices(parts: AdminParts): OpenAPIHono {
  const { store, clock } = parts;
  const app = new OpenAPIHono({ defaultHook: validationHook });

  app.openapi(list, async (c) => {
    const { provider, search = "", after, limit } = c.req.valid("query");
    const found = (await allPrices(parts)).filter(
      (price) =>
        (provider === undefined || price.provider === provider) && price.model.includes(search.toLowerCase()),
    );
    const next = after + limit < found.length ? after + limit : null;
    return c.json({ items: found.slice(after, after + limit), total: found.length, next }, 200);
  });
  app.openapi(find, (c) => {
    const { provider, model, serviceTier = null, region = null } = c.req.valid("query");
    const price = parts.prices().find({ provider, model, serviceTier, region, at: clock.now() });
    if (price === undefined) throw notFound(`price of ${provider.slice(0, 80)} for`, model);
    return c.json(view({ provider, model: price.modelId, serviceTier }, price.source, price.rates), 200);
  });
  app.openapi(put, async (c) => {
    const { prices: given, perCall, ...what } = c.req.valid("json");
    requireProvider(what.provider, parts);
    const createdAt = clock.now();
    const rates = overrideRates(given, perCall);
    await store.putPriceOverride({ ...what, rates, createdAt });
    await parts.pricesChanged();
    return c.json(view(what, "override", rates, createdAt), 200);
  });
  app.openapi(remove, async (c) => {
    const { provider, model, serviceTier = null } = c.req.valid("query");
    const removed = await store.removePriceOverride(provider, model, serviceTier);
    if (!removed) throw notFound(`price set for ${provider.slice(0, 80)}`, model);
    await parts.pricesChanged();
    return c.body(null, 204);
  });

  app.openapi(listDefaults, async (c) => {
    const decided = await store.listPricingDefaults();
    const ids = new Set([...parts.providers().map(({ id }) => id), ...Object.keys(decided)]);
    const items = [...ids].map((id) => defaultView(id, parts.prices().defaultOf(id), id in decided));
    return c.json({ items }, 200);
  });
  app.openapi(putDefault, async (c) => {
    const { provider } = c.req.valid("param");
    requireProvider(provider, parts);
    const pricing = pricingDefault(c.req.valid("json"));
    await store.putPricingDefault(provider, pricing);
    await parts.pricesChanged();
    return c.json(defaultView(provider, pricing, true), 200);
  });
  app.openapi(removeDefault, async (c) => {
    await store.putPricingDefault(c.req.valid("param").provider, null);
    await parts.pricesChanged();
    return c.body(null, 204);
  });

  app.openapi(unpriced, async (c) => {
    const { since } = c.req.valid("query");
    const book = parts.prices();
    const rows = await store.listUnpriced(book.hash, since === undefined ? undefined : Date.parse(since));
    const items = rows.flatMap((row) => {
      const units = unitsWithoutPrice(row, book, clock.now());
      const { provider, model, requests, lastAt } = row;
      return units === undefined
        ? []
        : [{ provider, model, requests, lastAt: rfc3339(lastAt), units: [...units] }];
    });
    return c.json({ items }, 200);
  });

  const snapshotView = async () => {
    const { hash, snapshot } = parts.prices();
    const pinned = await store.readPinnedSnapshot();
    const sources = snapshot.sources.map((source) => ({ ...source }));
    return { hash: snapshot.hash, priceBook: hash, pinnedAt: rfc3339(pinned?.pinnedAt ?? null), sources };
  };
  app.openapi(showSnapshot, async (c) => c.json(await snapshotView(), 200));
  app.openapi(compare, (c) => {
    const next = readSnapshot(c.req.valid("json").text);
    const items = differenceOf(parts.prices().snapshot, next, clock.now()).map(
      ({ before, after, ...what }) => ({ ...what, before: unitPrices(before), after: unitPrices(after) }),
    );
    return c.json({ hash: next.hash, items }, 200);
  });
  app.openapi(pin, async (c) => {
    const { text } = c.req.valid("json");
    readSnapshot(text);
    await store.pinSnapshot({ text, pinnedAt: clock.now() });
    await parts.pricesChanged();
    return c.json(await snapshotView(), 200);
  });
  app.openapi(unpin, async (c) => {
    await store.pinSnapshot(null);
    await parts.pricesChanged();
    return c.body(null, 204);
  });
  return app;
}

/** Overrides first; of a listed model, what a call costs now, whatever decides it. */
async function allPrices({ store, clock, prices: book }: AdminParts): Promise<PriceView[]> {
  const overrides = await store.listPriceOverrides();
  const views = overrides.map(({ rates, createdAt, ...what }) => view(what, "override", rates, createdAt));
  const shown = new Set(
    overrides
      .filter(({ serviceTier }) => serviceTier === null)
      .map(({ provider, model }) => `${provider}\n${model}`),
  );
  for (const [provider, { models }] of Object.entries(book().snapshot.providers)) {
    for (const { id } of models) {
      const price = book().find({ provider, model: id, at: clock.now() });
      if (price === undefined || shown.has(`${provider}\n${id.toLowerCase()}`)) continue;
      views.push(view({ provider, model: id, serviceTier: null }, price.source, price.rates));
    }
  }
  return views;
}

function view(
  { provider, model, serviceTier }: Pick<PriceView, "provider" | "model" | "serviceTier">,
  source: PriceView["source"],
  { units, perCall, tiers = [] }: Rates,
  createdAt: number | null = null,
): PriceView {
  return {
    provider,
    model,
    serviceTier,
    source,
    prices: formatRates(units),
    perCall: perCall === undefined ? null : formatDollars(perCall),
    tiers: tiers.map(({ over, units: ofTier }) => ({ over, prices: formatRates(ofTier) })),
    createdAt: rfc3339(createdAt),
  };
}

function unitPrices(rates: Rates | null) {
  return rates === null ? null : formatRates(rates.units);
}

function overrideRates(given: Record<string, string>, perCall: string | undefined): OverrideRates {
  if (perCall !== undefined) return { units: {}, perCall: nanos("perCall", perCall) };
  const units = parseRates(given);
  if ("wrong" in units) {
    const isUnit = UNITS.some((unit) => unit === units.wrong);
    throw unacceptable(isUnit ? notDollars(units.wrong) : `Units are: ${UNITS.join(", ")}.`);
  }
  return { units };
}

function pricingDefault({ kind, price }: z.infer<typeof DefaultInput>): PricingDefault {
  if ((kind === "flat") !== (price !== undefined))
    throw unacceptable("A price belongs to flat, and to nothing else.");
  return kind === "flat" ? { kind, price: nanos("price", price ?? "") } : { kind };
}

function defaultView(provider: string, pricing: PricingDefault, decided: boolean) {
  const price = pricing.kind === "flat" ? formatDollars(pricing.price) : null;
  return { provider, kind: pricing.kind, price, decided };
}

/**
 * Undefined where calls like these have a price by now. A service tier or another model of the answer, which the log
 * does not have, may be the reason: then rows that this very book could not price tell.
 */
function unitsWithoutPrice(
  { provider, model, units, requestsOfBook }: UnpricedModel,
  book: PriceBook,
  at: number,
): readonly Unit[] | undefined {
  const rates = book.find({ provider, model: model ?? "", at })?.rates;
  const cost = costOf(Object.fromEntries(units.map((unit) => [unit, 1])), rates);
  if (!("total" in cost)) return cost.unpriceable;
  return requestsOfBook > 0 ? units : undefined;
}

function nanos(field: string, text: string): Nanos {
  const amount = parseDollars(text);
  if (amount === undefined || amount > MOST_DOLLARS * 1_000_000_000n) throw unacceptable(notDollars(field));
  return amount;
}

function notDollars(field: string): string {
  return `${field} must be dollars such as 1.25: at most ${MOST_DOLLARS}, and not finer than a nano-dollar.`;
}

function readSnapshot(text: string): Snapshot {
  try {
    // Rules for names are read where a book is made of them.
    return new PriceBook(parseSnapshot(text)).snapshot;
  } catch (error) {
    throw unacceptable(
      `That is no price snapshot: ${error instanceof Error ? error.message.slice(0, 200) : "?"}`,
    );
  }
}

function requireProvider(id: string, { providers, prices: book }: AdminParts): void {
  const known = new Set([
    ...providers().map((provider) => provider.id),
    ...Object.keys(book().snapshot.providers),
  ]);
  if (!known.has(id)) throw unacceptable(`There is no provider "${id.slice(0, 80)}"; see lmk providers.`);
}

function unacceptable(message: string): HTTPException {
  return new HTTPException(422, { message });
}

function unitsFor(what: ReturnType<typeof pricedFor>): string {
  return UNITS.filter((unit) => pricedFor(unit) === what).join(", ");
}
