import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { Clock } from "../domain/clock.ts";
import { formatDollars } from "../domain/money.ts";
import type { Latency, Traffic, TrafficSum } from "../domain/rollup.ts";
import { ProviderHealth, providerHealth } from "./health.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, rfc3339, Time } from "./schemas.ts";
import { Scopes } from "./scopes.ts";
import { standingView } from "./standing.ts";

const HOUR_MS = 3_600_000;
const SIZES = { hour: HOUR_MS, day: 24 * HOUR_MS };
/** Points of a chart that anybody can tell apart. */
const MOST_POINTS = 800;
const DEFAULT_SPAN_MS = 7 * 24 * HOUR_MS;
/** Budgets are shown from this part on that is used or reserved. */
const NEARLY_USED = 0.8;
const MOST_BUDGETS = 20;

const Percentiles = z
  .object({ p50: z.number().nullable(), p95: z.number().nullable() })
  .describe(
    "Milliseconds, interpolated within buckets that double every two; null where nothing was measured.",
  );

const sums = {
  requests: z.number(),
  errors: z.number().describe("Answers of a provider that were errors or broke off."),
  refusals: z.number().describe("Of the gateway."),
  inputTokens: z.number(),
  outputTokens: z.number(),
  costNanos: z.string(),
  cost: z.string().describe("The same in dollars."),
  unpriced: z.number().describe("Requests that used something whose price is not known."),
};
const latency = {
  firstByte: Percentiles.describe("From a request's arrival until its answer began."),
  duration: Percentiles.describe("From a request's arrival until its end."),
};
const named = { id: z.string().nullable(), name: z.string().nullable() };

const Overview = z
  .object({
    since: Time,
    until: Time,
    bucket: z.enum(["hour", "day"]),
    total: z.object({ ...sums, ...latency }),
    series: z
      .array(z.object({ at: Time, ...sums, ...latency }))
      .describe("One for every hour or day, also where nothing was; the first and the last may be cut."),
    providers: z.array(z.object({ provider: z.string(), ...sums, ...latency })),
    models: z.array(z.object({ provider: z.string(), model: z.string(), ...sums })),
    groups: z.array(z.object({ ...named, ...sums })),
    users: z.array(z.object({ ...named, ...sums })),
    budgets: z
      .array(
        z.object({
          id: z.string(),
          scope: z.string(),
          name: z.string(),
          amount: z.string(),
          posted: z.string().nullable(),
          reserved: z.string().nullable(),
          left: z.string().nullable(),
          periodStart: Time.nullable(),
          periodEnd: Time.nullable(),
          shadow: z.boolean(),
          used: z.number().describe("The part that is spent or reserved, 0 to 1 and above."),
        }),
      )
      .describe("Those that are nearly used, the fullest first."),
    health: z.array(ProviderHealth),
  })
  .openapi("Overview");

const Query = z.object({
  since: Time.optional().describe("Rounded down to the hour; seven days before `until` without."),
  until: Time.optional().describe("Rounded up to the hour; now without."),
  bucket: z.enum(["hour", "day"]).optional().describe("Days in UTC. Hours for up to three days, else days."),
  top: z.coerce.number().int().min(1).max(100).default(10).describe("So many models, groups, users..."),
});

const show = createRoute({
  ...needs("usage.read"),
  method: "get",
  path: "/overview",
  request: { query: Query },
  responses: { 200: json(Overview, "What was spent and asked for, by whom, and what needs a look") },
});

export function overview(parts: AdminParts): AdminApp {
  const app = resource();
  app.openapi(show, async (c) => {
    const { top, ...query } = c.req.valid("query");
    const range = rangeOf(query, parts.clock);
    const [traffic, budgets, health] = await Promise.all([
      parts.store.readTraffic({ ...range, top }),
      nearlyUsed(parts),
      providerHealth(parts),
    ]);
    return c.json({ ...trafficView(traffic, range), budgets, health }, 200);
  });
  return app;
}

interface Range {
  readonly since: number;
  readonly until: number;
  readonly bucket: "hour" | "day";
}

/** @throws HTTPException 422 for more points than a chart can show. */
function rangeOf(
  query: { since?: string | undefined; until?: string | undefined; bucket?: "hour" | "day" | undefined },
  clock: Clock,
): Range {
  const until = query.until === undefined ? clock.now() : Date.parse(query.until);
  const since = query.since === undefined ? until - DEFAULT_SPAN_MS : Date.parse(query.since);
  if (since >= until) throw new HTTPException(422, { message: "since must be before until." });
  const span = until - since;
  const bucket = query.bucket ?? (span <= 3 * SIZES.day ? "hour" : "day");
  if (span / SIZES[bucket] > MOST_POINTS)
    throw new HTTPException(422, { message: `At most ${MOST_POINTS} ${bucket}s can be asked for.` });
  return {
    since: Math.floor(since / HOUR_MS) * HOUR_MS,
    until: Math.ceil(until / HOUR_MS) * HOUR_MS,
    bucket,
  };
}

function trafficView(traffic: Traffic, { since, until, bucket }: Range) {
  const size = SIZES[bucket];
  const points = new Map(traffic.series.map((point) => [point.at, point]));
  const series = [];
  for (let time = since - (since % size); time < until; time += size) {
    series.push({
      at: rfc3339(time),
      ...timedView(points.get(time) ?? NOTHING),
    });
  }
  return {
    since: rfc3339(since),
    until: rfc3339(until),
    bucket,
    total: timedView(traffic.total),
    series,
    providers: traffic.providers.map(({ provider, ...sum }) => ({ provider, ...timedView(sum) })),
    models: traffic.models.map(({ provider, model, ...sum }) => ({ provider, model, ...sumView(sum) })),
    groups: traffic.groups.map(({ id, name, ...sum }) => ({ id, name, ...sumView(sum) })),
    users: traffic.users.map(({ id, name, ...sum }) => ({ id, name, ...sumView(sum) })),
  };
}

const UNMEASURED = { p50: null, p95: null };
const NOTHING = {
  requests: 0,
  errors: 0,
  refusals: 0,
  inputTokens: 0,
  outputTokens: 0,
  costNanos: 0n,
  unpriced: 0,
  latency: { firstByte: UNMEASURED, duration: UNMEASURED },
};

function sumView(sum: TrafficSum) {
  const { requests, errors, refusals, inputTokens, outputTokens, costNanos, unpriced } = sum;
  const cost = { costNanos: costNanos.toString(), cost: formatDollars(costNanos) };
  return { requests, errors, refusals, inputTokens, outputTokens, ...cost, unpriced };
}

function timedView({ latency: { firstByte, duration }, ...sum }: TrafficSum & { latency: Latency }) {
  return { ...sumView(sum), firstByte: { ...firstByte }, duration: { ...duration } };
}

async function nearlyUsed({ store, ledger }: AdminParts) {
  const [scopes, budgets] = await Promise.all([Scopes.read(store), store.listBudgets()]);
  return budgets
    .flatMap((budget) => {
      const standing = ledger.standing(budget.id);
      const { id, name, amount, shadow } = budget;
      if (standing === undefined) return [];
      const taken = standing.posted + standing.pending;
      const used = amount > 0n ? Number((taken * 10_000n) / amount) / 10_000 : 1;
      if (used < NEARLY_USED) return [];
      const scope = scopes.named(budget.scope).ref;
      return [{ id, scope, name, amount: formatDollars(amount), shadow, used, ...standingView(standing) }];
    })
    .sort((a, b) => b.used - a.used)
    .slice(0, MOST_BUDGETS);
}
