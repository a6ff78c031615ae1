import { createRoute, z } from "@hono/zod-openapi";
import { formatDollars } from "../../domain/money.ts";
import { needs } from "../needs.ts";
import type { AdminParts } from "../parts.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json, jsonBody, Time } from "../schemas.ts";

const Input = z.strictObject({
  since: Time.optional().describe("Only calls that began at or after it."),
  provider: z.string().optional(),
  dryRun: z.boolean().default(false),
});

const RepricedView = z
  .object({
    items: z.array(
      z.object({
        provider: z.string(),
        model: z.string().nullable(),
        calls: z.number(),
        before: z.string().describe("Dollars."),
        after: z.string(),
      }),
    ),
    looked: z.number().describe("Calls that were looked at."),
  })
  .openapi("Repriced");

const route = createRoute({
  ...needs("prices.write"),
  method: "post",
  path: "/prices/reprice",
  request: { body: jsonBody(Input) },
  responses: {
    200: json(
      RepricedView,
      "What was posted at another cost than the prices in force say, and is corrected now",
    ),
  },
});

export function reprice({ store, reprice: run }: AdminParts): AdminApp {
  const app = resource();
  app.openapi(route, async (c) => {
    const { since, provider, dryRun } = c.req.valid("json");
    const { items, looked } = await run({
      since: since === undefined ? 0 : Date.parse(since),
      provider,
      dryRun,
    });
    const shown = items.map(({ before, after, ...item }) => ({
      ...item,
      before: formatDollars(before),
      after: formatDollars(after),
    }));
    if (!dryRun && items.length > 0) {
      await store.noteAudit(c.var.source, {
        action: "price.reprice",
        target: { kind: "price", id: provider ?? "all", name: provider ?? "all" },
        before: null,
        after: { since: since ?? null, corrected: shown },
      });
    }
    return c.json({ items: shown, looked }, 200);
  });
  return app;
}
