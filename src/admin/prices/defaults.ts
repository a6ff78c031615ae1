import { createRoute, z } from "@hono/zod-openapi";
import { formatDollars } from "../../domain/money.ts";
import type { PricingDefault } from "../../domain/prices.ts";
import { needs } from "../needs.ts";
import { paged, pageOf, pageQuery } from "../page.ts";
import type { AdminParts } from "../parts.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json, jsonBody } from "../schemas.ts";
import { Dollars, nanos, requireProvider, unacceptable } from "./parts.ts";

/** `refuse` is not offered: nothing asks for a price before a call yet. */
const Kind = z.enum(["priced", "flat", "free"]);
const DefaultView = z
  .object({
    provider: z.string(),
    kind: z.enum([...Kind.options, "refuse"]),
    price: Dollars.nullable().describe("Of a call, where it is flat."),
    decided: z.boolean().describe("By an administrator; else it is the provider's own."),
    listed: z.boolean().describe("Whether there are list prices of it."),
    unlisted: z.string().nullable().describe("What no list has a price for, and why."),
  })
  .openapi("PricingDefault");
type DefaultView = z.infer<typeof DefaultView>;
const DefaultInput = z.object({ kind: Kind, price: Dollars.optional() });
const ProviderRef = z.object({ provider: z.string() });

const listDefaults = createRoute({
  ...needs("prices.read"),
  method: "get",
  path: "/prices/defaults",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(pageOf(DefaultView), "What calls cost that have no price of their own") },
});
const putDefault = createRoute({
  ...needs("prices.write"),
  method: "put",
  path: "/prices/defaults/{provider}",
  request: { params: ProviderRef, body: jsonBody(DefaultInput) },
  responses: { 200: json(DefaultView, "The default, in force") },
});
const removeDefault = createRoute({
  ...needs("prices.write"),
  method: "delete",
  path: "/prices/defaults/{provider}",
  request: { params: ProviderRef },
  responses: { 204: { description: "The provider's own default counts again" } },
});

export function pricingDefaults(parts: AdminParts): AdminApp {
  const { store } = parts;
  const app = resource();

  app.openapi(listDefaults, async (c) => {
    const decided = await store.listPricingDefaults();
    const ids = new Set([...parts.providers().map(({ id }) => id), ...Object.keys(decided)]);
    const items = [...ids].map((id) => view(id, parts.prices().defaultOf(id), id in decided, parts));
    return c.json(
      paged(items, ({ provider }) => [provider], c.req.valid("query")),
      200,
    );
  });
  app.openapi(putDefault, async (c) => {
    const { provider } = c.req.valid("param");
    requireProvider(provider, parts);
    const pricing = pricingDefault(c.req.valid("json"));
    await store.audited(c.var.source, "putPricingDefault", provider, pricing);
    await parts.pricesChanged();
    return c.json(view(provider, pricing, true, parts), 200);
  });
  app.openapi(removeDefault, async (c) => {
    await store.audited(c.var.source, "putPricingDefault", c.req.valid("param").provider, null);
    await parts.pricesChanged();
    return c.body(null, 204);
  });
  return app;
}

function pricingDefault({ kind, price }: z.infer<typeof DefaultInput>): PricingDefault {
  if ((kind === "flat") !== (price !== undefined))
    throw unacceptable("A price belongs to flat, and to nothing else.");
  return kind === "flat" ? { kind, price: nanos("price", price ?? "") } : { kind };
}

function view(id: string, pricing: PricingDefault, decided: boolean, parts: AdminParts): DefaultView {
  const list = parts.prices().snapshot.providers[id];
  return {
    provider: id,
    kind: pricing.kind,
    price: pricing.kind === "flat" ? formatDollars(pricing.price) : null,
    decided,
    listed: list !== undefined && list.models.length + list.also.length > 0,
    unlisted: parts.providers().find((provider) => provider.id === id)?.unlisted ?? null,
  };
}
