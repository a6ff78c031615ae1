import { createRoute, z } from "@hono/zod-openapi";
import { needs } from "./needs.ts";
import { cursorText, pageOf, pageQuery, parseNumbers } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { accountView, RequestDetail } from "./request-detail.ts";
import { RequestView, requestView } from "./request-views.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, Time } from "./schemas.ts";

/** What a log of requests is narrowed by. */
export const requestFilter = {
  key: z.string().optional().describe("Id."),
  provider: z.string().optional(),
  model: z.string().optional(),
  refusal: z.string().optional(),
  status: z
    .string()
    .regex(/^(?:\d{1,3}|[2-5]xx|error)$/, "must be a status such as 429, a class such as 5xx, or error")
    .optional()
    .describe("`429`, `5xx`, or `error` for 400 and above."),
  q: z.string().min(1).max(200).optional().describe("Part of the id, endpoint, model or client's address."),
  since: Time.optional(),
  until: Time.optional(),
  order: z.enum(["newest", "oldest"]).default("newest"),
};

const Filter = z.object({
  ...pageQuery,
  user: z.string().optional().describe("Name or id."),
  group: z.string().optional().describe("Name or id."),
  ...requestFilter,
  shadowRefusal: z.string().optional().describe("A refusal's code: what shadow mode would have refused."),
  after: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe("Only rows written behind this `seq`, oldest first: for following the log."),
});

const list = createRoute({
  ...needs("requests.read"),
  method: "get",
  path: "/requests",
  request: { query: Filter },
  responses: {
    200: json(
      pageOf(RequestView),
      "Newest first; with `after`, what came since, oldest first. What has to be searched for may come in pages that are not full",
    ),
  },
});
const show = createRoute({
  ...needs("requests.read"),
  method: "get",
  path: "/requests/{ref}",
  request: { params: z.object({ ref: z.string().min(1).max(200).describe("Its id, or its `seq`.") }) },
  responses: {
    200: json(RequestDetail, "The request, what was held for it and how its cost was worked out"),
  },
});

export function requests(parts: AdminParts): AdminApp {
  const { store } = parts;
  const app = resource();
  app.openapi(list, async (c) => {
    const { after, cursor, since, until, status, order, limit, ...filter } = c.req.valid("query");
    const range = { since: milliseconds(since), until: milliseconds(until) };
    if (after !== undefined) {
      const [from, to] = statusRange(status) ?? [0, 999];
      const rows = await store.listRequests({ ...filter, ...range, after, limit });
      const items = rows.filter((row) => row.status >= from && row.status <= to).map(requestView);
      return c.json({ items, next: null }, 200);
    }
    const page = await store.pageRequests({
      ...filter,
      ...range,
      status: statusRange(status),
      order,
      limit,
      behind: placeOf(cursor),
    });
    return c.json({ items: page.items.map(requestView), next: nextOf(page.next) }, 200);
  });
  app.openapi(show, async (c) => {
    const { ref } = c.req.valid("param");
    const row = await store.readRequest(ref);
    if (row === null) throw notFound("request", ref);
    const budgets = await store.listBudgets({ removed: true });
    return c.json(
      { ...requestView(row), ...accountView(row, await parts.accountOf(row), budgets, parts.publicUrl) },
      200,
    );
  });
  return app;
}

export function statusRange(status: string | undefined): [from: number, to: number] | undefined {
  if (status === undefined) return undefined;
  if (status === "error") return [400, 999];
  if (status.endsWith("xx")) return [Number(status[0]) * 100, Number(status[0]) * 100 + 99];
  return [Number(status), Number(status)];
}

export function placeOf(cursor: string | undefined): { at: number; seq: number } | undefined {
  if (cursor === undefined) return undefined;
  const [at = 0, seq = 0] = parseNumbers(cursor, 2);
  return { at, seq };
}

export function nextOf(place: { at: number; seq: number } | null): string | null {
  return place && cursorText([place.at, place.seq]);
}

export function milliseconds(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
