import { createRoute, z } from "@hono/zod-openapi";
import type { UnpricedModel } from "../../domain/prices.ts";
import type { Unit } from "../../domain/usage.ts";
import type { PriceBook } from "../../pricing/book.ts";
import { costOf } from "../../pricing/cost.ts";
import { needs } from "../needs.ts";
import { paged, pageOf, pageQuery } from "../page.ts";
import type { AdminParts } from "../parts.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json, rfc3339, Time } from "../schemas.ts";

const UnpricedView = z
  .object({
    provider: z.string(),
    model: z.string().nullable(),
    requests: z.number(),
    lastAt: Time,
    units: z.array(z.string()).describe("What has no price."),
  })
  .openapi("Unpriced");

const list = createRoute({
  ...needs("prices.read"),
  method: "get",
  path: "/prices/unpriced",
  request: { query: z.object({ ...pageQuery, since: Time.optional() }) },
  responses: {
    200: json(pageOf(UnpricedView), "Models in the log whose price is not known, most requests first"),
  },
});

export function unpriced(parts: AdminParts): AdminApp {
  const { store, clock } = parts;
  const app = resource();
  app.openapi(list, async (c) => {
    const { since, ...where } = c.req.valid("query");
    const book = parts.prices();
    const rows = await store.listUnpriced(book.hash, since === undefined ? undefined : Date.parse(since));
    const items = rows.flatMap((row) => {
      const units = unitsWithoutPrice(row, book, clock.now());
      const { provider, model, requests, lastAt } = row;
      return units === undefined
        ? []
        : [{ provider, model, requests, lastAt: rfc3339(lastAt), units: [...units] }];
    });
    return c.json(
      paged(items, ({ requests, provider, model }) => [-requests, provider, model ?? ""], where),
      200,
    );
  });
  return app;
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
