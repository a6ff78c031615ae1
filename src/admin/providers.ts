import { createRoute, z } from "@hono/zod-openapi";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json } from "./schemas.ts";

const ProviderView = z
  .object({
    id: z.string(),
    name: z.string(),
    upstream: z.string(),
    credentials: z.number(),
    ready: z.boolean().describe("It has the credential that it needs, or needs none."),
    objectKinds: z
      .array(z.string())
      .describe("What it keeps in the account of its key, as `/objects` calls it: `file`, `batch`..."),
    unlisted: z.string().nullable().describe("What no list has a price for, and why."),
  })
  .openapi("Provider");

const list = createRoute({
  ...needs("providers.read"),
  method: "get",
  path: "/providers",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(pageOf(ProviderView), "Providers that requests can be sent to") },
});

export function providers(parts: AdminParts): AdminApp {
  const app = resource();
  app.openapi(list, (c) =>
    c.json(
      paged(parts.providers(), ({ id }) => [id], c.req.valid("query")),
      200,
    ),
  );
  return app;
}
