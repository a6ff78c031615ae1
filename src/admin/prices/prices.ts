import { createRoute, z } from "@hono/zod-openapi";
import { formatDollars } from "../../domain/money.ts";
import type { OverrideRates } from "../../domain/prices.ts";
import { formatRates, parseRates } from "../../pricing/amounts.ts";
import { type Rates, UNITS } from "../../pricing/rates.ts";
import { needs } from "../needs.ts";
import { paged, pageOf, pageQuery } from "../page.ts";
import type { AdminParts } from "../parts.ts";
import { notFound } from "../problem.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json, jsonBody, rfc3339, Time } from "../schemas.ts";
import { Dollars, nanos, notDollars, Prices, requireProvider, unacceptable } from "./parts.ts";

/** Model names that no provider would take are longer. */
const ModelName = z.string().trim().toLowerCase().min(1).max(300);
const Tier = z.string().trim().toLowerCase().min(1).max(100);

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

const list = createRoute({
  ...needs("prices.read"),
  method: "get",
  path: "/prices",
  request: {
    query: z.object({
      provider: z.string().optional(),
      search: z.string().optional().describe("Part of a model's name."),
      ...pageQuery,
    }),
  },
  responses: {
    200: json(
      pageOf(PriceView).extend({ total: z.number() }),
      "Overrides, then listed models, at the prices of this moment",
    ),
  },
});
const find = createRoute({
  ...needs("prices.read"),
  method: "get",
  path: "/prices/find",
  request: { query: PriceRef.extend({ region: z.string().optional() }) },
  responses: { 200: json(PriceView, "What a call of this model costs now") },
});
const put = createRoute({
  ...needs("prices.write"),
  method: "put",
  path: "/prices",
  request: { body: jsonBody(PriceInput) },
  responses: { 200: json(PriceView, "The price, in force") },
});
const remove = createRoute({
  ...needs("prices.write"),
  method: "delete",
  path: "/prices",
  request: { query: PriceRef },
  responses: { 204: { description: "The list price counts again" } },
});
export function prices(parts: AdminParts): AdminApp {
  const { store, clock } = parts;
  const app = resource();

  app.openapi(list, async (c) => {
    const { provider, search = "", ...where } = c.req.valid("query");
    const found = (await allPrices(parts)).filter(
      (price) =>
        (provider === undefined || price.provider === provider) && price.model.includes(search.toLowerCase()),
    );
    return c.json({ ...paged(found, placeOf, where), total: found.length }, 200);
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
    await store.audited(c.var.source, "putPriceOverride", { ...what, rates, createdAt });
    await parts.pricesChanged();
    return c.json(view(what, "override", rates, createdAt), 200);
  });
  app.openapi(remove, async (c) => {
    const { provider, model, serviceTier = null } = c.req.valid("query");
    const removed = await store.audited(c.var.source, "removePriceOverride", provider, model, serviceTier);
    if (!removed) throw notFound(`price set for ${provider.slice(0, 80)}`, model);
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

/** Overrides first. */
function placeOf({ source, provider, model, serviceTier }: PriceView): [number, string, string, string] {
  return [source === "override" ? 0 : 1, provider, model, serviceTier ?? ""];
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

function overrideRates(given: Record<string, string>, perCall: string | undefined): OverrideRates {
  if (perCall !== undefined) return { units: {}, perCall: nanos("perCall", perCall) };
  const units = parseRates(given);
  if ("wrong" in units) {
    const isUnit = UNITS.some((unit) => unit === units.wrong);
    throw unacceptable(isUnit ? notDollars(units.wrong) : `Units are: ${UNITS.join(", ")}.`);
  }
  return { units };
}
