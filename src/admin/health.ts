import { createRoute, z } from "@hono/zod-openapi";
import { needs } from "./needs.ts";
import type { AdminParts, CredentialView } from "./parts.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, Time } from "./schemas.ts";

export const ProviderHealth = z
  .object({
    provider: z.string(),
    name: z.string(),
    state: z
      .enum(["ready", "degraded", "down", "unset"])
      .describe(
        "`degraded`: some credentials rest or are rejected; `down`: all of them; `unset`: it has none.",
      ),
    inFlight: z.number(),
    credentials: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        state: z.enum(["ready", "limited", "failing", "rejected", "unusable"]),
        coolingUntil: Time.nullable(),
        lastError: z.object({ at: Time, status: z.number().nullable(), message: z.string() }).nullable(),
        inFlight: z.number(),
        share: z.number().describe("The part of the calls that it gets now, 0 to 1."),
      }),
    ),
  })
  .openapi("ProviderHealth");

const show = createRoute({
  ...needs("providers.read"),
  method: "get",
  path: "/health",
  responses: {
    200: json(z.object({ items: z.array(ProviderHealth) }), "How providers do, those in trouble first"),
  },
});

export function health(parts: AdminParts): AdminApp {
  const app = resource();
  app.openapi(show, async (c) => c.json({ items: await providerHealth(parts) }, 200));
  return app;
}

const ORDER = ["down", "degraded", "ready", "unset"] as const;

export async function providerHealth({
  providers,
  credentials,
}: Pick<AdminParts, "providers" | "credentials">) {
  const byProvider = Map.groupBy(await credentials.list(), ({ provider }) => provider);
  return providers()
    .map(({ id, name, ready }) => {
      const own = byProvider.get(id) ?? [];
      return {
        provider: id,
        name,
        state: stateOf(own, ready),
        inFlight: own.reduce((sum, one) => sum + one.inFlight, 0),
        credentials: own.map(
          ({ id: one, name: called, state, coolingUntil, lastError, inFlight, share }) => ({
            id: one,
            name: called,
            state,
            coolingUntil,
            lastError,
            inFlight,
            share,
          }),
        ),
      };
    })
    .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.provider < b.provider ? -1 : 1));
}

function stateOf(own: readonly CredentialView[], ready: boolean): (typeof ORDER)[number] {
  if (own.length === 0) return ready ? "ready" : "unset";
  const well = own.filter(({ state }) => state === "ready").length;
  if (well === own.length) return "ready";
  return well === 0 ? "down" : "degraded";
}
