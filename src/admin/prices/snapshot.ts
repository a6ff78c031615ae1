import { createRoute, z } from "@hono/zod-openapi";
import { formatRates } from "../../pricing/amounts.ts";
import { PriceBook } from "../../pricing/book.ts";
import { differenceOf } from "../../pricing/difference.ts";
import { snapshotTextOf } from "../../pricing/lists/upstream.ts";
import type { Rates } from "../../pricing/rates.ts";
import { parseSnapshot, type Snapshot } from "../../pricing/snapshot.ts";
import { needs } from "../needs.ts";
import type { AdminParts } from "../parts.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json, jsonBody, rfc3339, Time } from "../schemas.ts";
import { Prices, unacceptable } from "./parts.ts";

const SnapshotView = z
  .object({
    hash: z.string().describe("SHA-256 of the list prices."),
    priceBook: z
      .string()
      .describe("SHA-256 of all prices in force, decisions included: it is on the log's rows."),
    pinnedAt: Time.nullable().describe("Null where they came with this version."),
    sources: z.array(z.record(z.string(), z.string().optional())),
  })
  .openapi("PriceSnapshot");
const SnapshotInput = z.object({
  text: z
    .string()
    .describe(
      "What genai-prices publishes, prices/new_data/v2/data.json, or a snapshot.json as this product has it.",
    ),
});
const DifferenceView = z.object({
  hash: z.string(),
  items: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      before: Prices.nullable(),
      after: Prices.nullable(),
    }),
  ),
});

const show = createRoute({
  ...needs("prices.read"),
  method: "get",
  path: "/prices/snapshot",
  responses: { 200: json(SnapshotView, "The list prices in force") },
});
const compare = createRoute({
  ...needs("prices.read"),
  method: "post",
  path: "/prices/snapshot/difference",
  request: { body: jsonBody(SnapshotInput) },
  responses: { 200: json(DifferenceView, "What would change if this one were pinned") },
});
const pin = createRoute({
  ...needs("prices.write"),
  method: "put",
  path: "/prices/snapshot",
  request: { body: jsonBody(SnapshotInput) },
  responses: { 200: json(SnapshotView, "The list prices, in force") },
});
const unpin = createRoute({
  ...needs("prices.write"),
  method: "delete",
  path: "/prices/snapshot",
  responses: { 204: { description: "The list prices that came with this version count again" } },
});

export function priceSnapshot(parts: AdminParts): AdminApp {
  const { store, clock } = parts;
  const app = resource();
  const inForce = async () => {
    const { hash, snapshot } = parts.prices();
    const pinned = await store.readPinnedSnapshot();
    const sources = snapshot.sources.map((source) => ({ ...source }));
    return { hash: snapshot.hash, priceBook: hash, pinnedAt: rfc3339(pinned?.pinnedAt ?? null), sources };
  };

  app.openapi(show, async (c) => c.json(await inForce(), 200));
  app.openapi(compare, (c) => {
    const { snapshot } = read(c.req.valid("json").text);
    const items = differenceOf(parts.prices().snapshot, snapshot, clock.now()).map(
      ({ before, after, ...what }) => ({ ...what, before: unitPrices(before), after: unitPrices(after) }),
    );
    return c.json({ hash: snapshot.hash, items }, 200);
  });
  app.openapi(pin, async (c) => {
    const { text } = read(c.req.valid("json").text);
    await store.audited(c.var.source, "pinSnapshot", { text, pinnedAt: clock.now() });
    await parts.pricesChanged();
    return c.json(await inForce(), 200);
  });
  app.openapi(unpin, async (c) => {
    await store.audited(c.var.source, "pinSnapshot", null);
    await parts.pricesChanged();
    return c.body(null, 204);
  });
  return app;
}

/** @throws {HTTPException} 422 for what no price book can be made of. */
function read(given: string): { text: string; snapshot: Snapshot } {
  try {
    const text = snapshotTextOf(given);
    // Rules for names are read where a book is made of them.
    return { text, snapshot: new PriceBook(parseSnapshot(text)).snapshot };
  } catch (error) {
    throw unacceptable(
      `That is no list of prices: ${error instanceof Error ? error.message.slice(0, 200) : "?"}`,
    );
  }
}

function unitPrices(rates: Rates | null) {
  return rates === null ? null : formatRates(rates.units);
}
