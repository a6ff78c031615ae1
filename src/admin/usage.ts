import { createRoute, z } from "@hono/zod-openapi";
import { formatDollars } from "../domain/money.ts";
import type { UsageKey, UsageSum } from "../domain/request-record.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
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

const Filter = z.object({
  by: z
    .string()
    .default("user")
    .transform((text) => text.split(",").filter((key) => key !== ""))
    .pipe(z.array(Key).max(4)),
  user: z.string().optional(),
  group: z.string().optional(),
  key: z.string().optional(),
  provider: z.string().optional(),
  model: z.string().optional(),
  since: Time.optional(),
  until: Time.optional(),
});

const list = createRoute({
  ...needs("usage.read"),
  method: "get",
  path: "/usage",
  request: { query: Filter },
  responses: {
    200: json(
      z.object({ items: z.array(Sum), total: Sum }),
      "Requests, tokens and cost, dearest first, and their total",
    ),
  },
});

export function usage({ store }: AdminParts): AdminApp {
  const app = resource();
  app.openapi(list, async (c) => {
    const { by, since, until, ...rest } = c.req.valid("query");
    const filter = { ...rest, since: milliseconds(since), until: milliseconds(until) };
    const rows = await store.sumUsage({ ...filter, by });
    return c.json({ items: rows.map((row) => view(by, row)), total: view([], totalOf(rows)) }, 200);
  });
  return app;
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

function milliseconds(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
