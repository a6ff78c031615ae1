import { createRoute, z } from "@hono/zod-openapi";
import { actingUser } from "../acting-user.ts";
import { needs } from "../needs.ts";
import { pageQuery } from "../page.ts";
import type { AdminParts } from "../parts.ts";
import { milliseconds } from "../requests.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json, Time } from "../schemas.ts";
import { keysOf, UsagePage, usagePage } from "../usage.ts";

const OWN = ["key", "provider", "model", "endpoint", "day", "hour"] as const;

const list = createRoute({
  ...needs("self.usage"),
  method: "get",
  path: "/me/usage",
  request: {
    query: z.object({
      ...pageQuery,
      by: keysOf(z.enum(OWN), "day"),
      key: z.string().optional(),
      provider: z.string().optional(),
      model: z.string().optional(),
      since: Time.optional(),
      until: Time.optional(),
    }),
  },
  responses: { 200: json(UsagePage, "What one's own calls used and cost, dearest first, and their total") },
});

export function ownUsage({ store }: AdminParts): AdminApp {
  const app = resource();
  app.openapi(list, async (c) => {
    const { id: userId } = actingUser(c);
    const { since, until, limit, cursor, ...filter } = c.req.valid("query");
    const range = { since: milliseconds(since), until: milliseconds(until) };
    const rows = await store.sumUsage({ ...filter, ...range, userId });
    return c.json(usagePage(filter.by, rows, { limit, cursor }), 200);
  });
  return app;
}
