import { createRoute, z } from "@hono/zod-openapi";
import { actingUser } from "../acting-user.ts";
import { needs } from "../needs.ts";
import { pageOf, pageQuery } from "../page.ts";
import type { AdminParts } from "../parts.ts";
import { RequestView, requestView } from "../request-views.ts";
import { milliseconds, nextOf, placeOf, requestFilter, statusRange } from "../requests.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json } from "../schemas.ts";

const list = createRoute({
  ...needs("self.usage"),
  method: "get",
  path: "/me/requests",
  request: { query: z.object({ ...pageQuery, ...requestFilter }) },
  responses: { 200: json(pageOf(RequestView), "One's own calls, newest first") },
});

export function ownRequests({ store }: AdminParts): AdminApp {
  const app = resource();
  app.openapi(list, async (c) => {
    const { id: userId } = actingUser(c);
    const { cursor, since, until, status, ...filter } = c.req.valid("query");
    const page = await store.pageRequests({
      ...filter,
      userId,
      since: milliseconds(since),
      until: milliseconds(until),
      status: statusRange(status),
      behind: placeOf(cursor),
    });
    return c.json({ items: page.items.map(requestView), next: nextOf(page.next) }, 200);
  });
  return app;
}
