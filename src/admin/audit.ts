import { createRoute, z } from "@hono/zod-openapi";
import type { AuditRow } from "../domain/audit.ts";
import { needs } from "./needs.ts";
import { cursorText, pageOf, pageQuery, parseNumbers } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, rfc3339, Time } from "./schemas.ts";

const Fields = z.record(z.string(), z.unknown()).nullable();

const AuditView = z
  .object({
    seq: z.number(),
    at: Time,
    actor: z.object({
      kind: z.enum(["operator", "user", "token", "system", "nobody"]),
      id: z.string().nullable(),
      name: z.string(),
    }),
    address: z.string().nullable().describe("Of the client."),
    action: z.string().describe("For example `key.revoke`."),
    target: z.object({ kind: z.string(), id: z.string(), name: z.string() }),
    before: Fields.describe(
      "What there was; null where there was nothing. Secrets are in neither of the two.",
    ),
    after: Fields.describe("What there is now; null where there is nothing."),
    hash: z.string(),
  })
  .openapi("AuditRow");

const Filter = z.object({
  since: Time.optional(),
  until: Time.optional(),
  actor: z.string().max(200).optional().describe("Name or id."),
  action: z.string().max(100).optional().describe("`key.revoke`, or `key` for all that is done to keys."),
  target: z.string().max(500).optional().describe("Name or id."),
  after: z.coerce.number().int().min(0).optional().describe("Only rows behind this one, oldest first."),
  ...pageQuery,
});

const list = createRoute({
  ...needs("audit.read"),
  method: "get",
  path: "/audit",
  request: { query: Filter },
  responses: {
    200: json(pageOf(AuditView), "Newest first; with `after`, what came since, oldest first"),
  },
});
const head = createRoute({
  ...needs("audit.read"),
  method: "get",
  path: "/audit/head",
  responses: {
    200: json(
      z.object({ head: z.string() }),
      "The log's end, signed: keep it elsewhere, and rows that are cut off later show",
    ),
  },
});

export function audit({ store }: AdminParts): AdminApp {
  const app = resource();
  app.openapi(list, async (c) => {
    const { since, until, cursor, ...filter } = c.req.valid("query");
    const [place] = cursor === undefined ? [] : parseNumbers(cursor, 1);
    const behind = filter.after === undefined ? { before: place } : { after: place ?? filter.after };
    const range = { since: milliseconds(since), until: milliseconds(until) };
    const rows = await store.listAudit({ ...filter, ...range, ...behind });
    const last = rows.at(-1);
    const next = last === undefined || rows.length < filter.limit ? null : cursorText([last.seq]);
    return c.json({ items: rows.map(view), next }, 200);
  });
  app.openapi(head, async (c) => c.json({ head: await store.readAuditHead() }, 200));
  return app;
}

function view({ seq, at, actor, address, action, target, before, after, hash }: AuditRow) {
  const time = Number.isFinite(at) ? rfc3339(at) : rfc3339(0);
  return {
    seq,
    at: time,
    actor,
    address,
    action,
    target,
    before: fields(before),
    after: fields(after),
    hash,
  };
}

/** A row that somebody has damaged is shown as it is. */
function fields(text: string | null): Record<string, unknown> | null {
  try {
    return text === null ? null : (JSON.parse(text) as Record<string, unknown>);
  } catch {
    return { damaged: text };
  }
}

function milliseconds(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
