import { createRoute, z } from "@hono/zod-openapi";
import type { LoggedRequest } from "../domain/request-record.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, listOf, rfc3339, Time } from "./schemas.ts";

const RequestView = z
  .object({
    seq: z.number(),
    id: z.string(),
    at: Time,
    keyId: z.string().nullable(),
    keyName: z.string().nullable(),
    parentKeyId: z.string().nullable().describe("Of a child key: the key that it was made with."),
    userId: z.string().nullable(),
    userName: z.string().nullable(),
    groupId: z.string().nullable(),
    groupName: z.string().nullable(),
    provider: z.string().nullable(),
    method: z.string(),
    endpoint: z.string(),
    model: z.string().nullable(),
    status: z.number(),
    refusal: z.string().nullable(),
    shadowRefusal: z
      .string()
      .nullable()
      .describe("What policies in shadow mode would have refused it for, and whose they are."),
    ending: z.enum(["complete", "refused", "client_closed", "upstream_broken", "timeout", "cut", "lost"]),
    firstByteMs: z.number().nullable(),
    durationMs: z.number(),
    bytesIn: z.number(),
    bytesOut: z.number(),
    upstreamRequestId: z.string().nullable(),
    address: z.string().nullable(),
    usage: z.record(z.string(), z.number()).nullable().describe("What was used, by unit."),
    evidence: z.enum(["reported", "counted", "ceiling", "decided"]).nullable(),
    costNanos: z.string().nullable().describe("Nano-dollars; null where no price is known."),
    priceBook: z.string().nullable().describe("SHA-256 of the prices that it was computed with."),
  })
  .openapi("Request");

const Filter = z.object({
  user: z.string().optional(),
  group: z.string().optional(),
  key: z.string().optional(),
  provider: z.string().optional(),
  model: z.string().optional(),
  refusal: z.string().optional(),
  shadowRefusal: z.string().optional().describe("A refusal's code: what shadow mode would have refused."),
  status: z.coerce.number().int().optional(),
  since: Time.optional(),
  after: z.coerce.number().int().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
});

const list = createRoute({
  ...needs("requests.read"),
  method: "get",
  path: "/requests",
  request: { query: Filter },
  responses: { 200: json(listOf(RequestView), "Newest first; with `after`, what came since, oldest first") },
});

export function requests({ store }: AdminParts): AdminApp {
  const app = resource();
  app.openapi(list, async (c) => {
    const { since, ...filter } = c.req.valid("query");
    const rows = await store.listRequests({
      ...filter,
      since: since === undefined ? undefined : Date.parse(since),
    });
    return c.json({ items: rows.map(view) }, 200);
  });
  return app;
}

function view(row: LoggedRequest) {
  const { firstByteMs, durationMs, metered, ...rest } = row;
  return {
    ...rest,
    usage: metered === null ? null : (metered.quantities as Record<string, number>),
    evidence: metered?.evidence ?? null,
    costNanos: metered?.costNanos?.toString() ?? null,
    priceBook: metered?.priceBook ?? null,
    at: rfc3339(row.at),
    firstByteMs: firstByteMs === null ? null : microseconds(firstByteMs),
    durationMs: microseconds(durationMs),
  };
}

/** Milliseconds with three decimals: more is noise of the clock. */
function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
