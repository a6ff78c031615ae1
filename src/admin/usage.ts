import { createRoute, z } from "@hono/zod-openapi";
import { formatDollars } from "../domain/money.ts";
import type { UsageKey, UsageSum } from "../domain/request-record.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { milliseconds } from "./requests.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, Time } from "./schemas.ts";

const Key = z.enum(["user", "group", "key", "provider", "model", "endpoint", "day", "hour"]);

const Sum = z
  .object({
    keys: z.record(z.string(), z.string().nullable()),
    requests: z.number(),
    inputTokens: z.number(),
    outputTokens: z.number(),
    costNanos: z.string().describe("Nano-dollars, as a string: it may be more than a double holds."),
    cost: z.string().describe("The same in dollars."),
    unpriced: z.number().describe("Requests that used something whose price is not known."),
  })
  .openapi("Usage");

/** Keys in one parameter, with commas. */
export function keysOf<Key extends z.ZodType<UsageKey, string>>(key: Key, otherwise: string) {
  return z
    .string()
    .max(100)
    .default(otherwise)
    .transform((text) => text.split(",").filter((one) => one !== ""))
    .pipe(z.array(key).max(4))
    .openapi({ type: "string", example: otherwise, description: "Up to four, with commas between them." });
}

const Filter = z.object({
  by: keysOf(Key, "user"),
  ...pageQuery,
  user: z.string().optional().describe("Name or id."),
  group: z.string().optional().describe("Name or id."),
  key: z.string().optional().describe("Id."),
  provider: z.string().optional(),
  model: z.string().optional(),
  since: Time.optional(),
  until: Time.optional(),
});

export const UsagePage = pageOf(Sum).extend({ total: Sum.describe("Of all pages.") });

const list = createRoute({
  ...needs("usage.read"),
  method: "get",
  path: "/usage",
  request: { query: Filter },
  responses: { 200: json(UsagePage, "Requests, tokens and cost, dearest first, and their total") },
});

export function usage({ store }: AdminParts): AdminApp {
  const app = resource();
  app.openapi(list, async (c) => {
    const { since, until, limit, cursor, ...filter } = c.req.valid("query");
    const range = { since: milliseconds(since), until: milliseconds(until) };
    const rows = await store.sumUsage({ ...filter, ...range });
    return c.json(usagePage(filter.by, rows, { limit, cursor }), 200);
  });
  return app;
}

export function usagePage(
  by: readonly UsageKey[],
  rows: readonly UsageSum[],
  where: { limit: number; cursor: string | undefined },
) {
  const { items, next } = paged(rows, placeOf, where);
  return { items: items.map((row) => view(by, row)), total: view([], totalOf(rows)), next };
}

/** The dearest first; amounts as texts of one length, since they may be more than a number holds. */
function placeOf({ costNanos, requests, keys }: UsageSum): [string, number, string] {
  const rest = (2n ** 63n - costNanos).toString().padStart(20, "0");
  return [rest, -requests, JSON.stringify(keys)];
}

/** Of the very rows that are shown, so that the two can never differ. */
function totalOf(rows: readonly UsageSum[]): UsageSum {
  const total = { keys: [], requests: 0, inputTokens: 0, outputTokens: 0, costNanos: 0n, unpriced: 0 };
  for (const row of rows) {
    total.requests += row.requests;
    total.inputTokens += row.inputTokens;
    total.outputTokens += row.outputTokens;
    total.costNanos += row.costNanos;
    total.unpriced += row.unpriced;
  }
  return total;
}

function view(by: readonly UsageKey[], { keys, costNanos, ...counts }: UsageSum) {
  return {
    keys: Object.fromEntries(by.map((key, at) => [key, keys[at] ?? null])),
    ...counts,
    costNanos: costNanos.toString(),
    cost: formatDollars(costNanos),
  };
}
