import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { HoldRecord } from "../domain/ledger.ts";
import { formatDollars, type Nanos } from "../domain/money.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { nanos } from "./prices/parts.ts";
import { notFound } from "./problem.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, rfc3339, Time } from "./schemas.ts";

const UnresolvedView = z
  .object({
    id: z.number(),
    requestId: z.string(),
    at: Time,
    user: z.string(),
    keyId: z.string(),
    provider: z.string(),
    method: z.string(),
    endpoint: z.string(),
    model: z.string().nullable(),
    ceiling: z
      .string()
      .nullable()
      .describe("The most that it can have cost, dollars; null where no budget asked."),
    budgets: z.array(z.string()).describe("Names of those that reserve it."),
  })
  .openapi("UnresolvedHold");

const Decision = z
  .strictObject({
    amount: z.string().max(60).optional().describe("What it cost, dollars."),
    as: z.enum(["ceiling", "nothing"]).optional(),
    reason: z.string().trim().min(1).max(500),
  })
  .refine(({ amount, as }) => (amount === undefined) !== (as === undefined), {
    message: "Give either amount or as.",
  });

const list = createRoute({
  ...needs("ledger.read"),
  method: "get",
  path: "/ledger/unresolved",
  request: { query: z.object(pageQuery) },
  responses: {
    200: json(
      pageOf(UnresolvedView),
      "Calls whose process died, so that nobody knows what they cost, oldest first",
    ),
  },
});
const decide = createRoute({
  ...needs("ledger.decide"),
  method: "post",
  path: "/ledger/unresolved/{id}",
  request: { params: z.object({ id: z.coerce.number().int().min(1) }), body: jsonBody(Decision) },
  responses: { 200: json(z.object({ id: z.number(), amount: z.string() }), "What is posted, in dollars") },
});

export function unresolved({ store, ledger }: AdminParts): AdminApp {
  const app = resource();

  app.openapi(list, async (c) => {
    const [users, budgets] = await Promise.all([store.listUsers(), store.listBudgets({ removed: true })]);
    const userNames = new Map(users.map(({ id, name }) => [id, name]));
    const budgetNames = new Map(budgets.map(({ id, name }) => [id, name]));
    const items = ledger.unresolved().map((hold) => ({
      ...facts(hold),
      user: userNames.get(hold.userId) ?? hold.userId,
      budgets: hold.accounts.map((account) => budgetNames.get(budgetOf(account)) ?? budgetOf(account)),
    }));
    return c.json(
      paged(items, ({ at, id }) => [at, id], c.req.valid("query")),
      200,
    );
  });
  app.openapi(decide, async (c) => {
    const { id } = c.req.valid("param");
    const { reason, ...decision } = c.req.valid("json");
    const hold = ledger.unresolved().find((one) => one.id === id);
    if (hold === undefined) throw notFound("unresolved hold", String(id));
    const amount = amountOf(decision, hold);
    // Another decision may have been faster.
    if (!(await ledger.decide(id, amount, reason))) throw notFound("unresolved hold", String(id));
    const dollars = formatDollars(amount);
    await store.noteAudit(c.var.source, {
      action: "hold.decide",
      target: { kind: "hold", id: String(id), name: hold.requestId },
      before: { ceiling: hold.ceiling === null ? null : formatDollars(hold.ceiling) },
      after: { amount: dollars, reason },
    });
    return c.json({ id, amount: dollars }, 200);
  });
  return app;
}

/** @throws HTTPException 422 for more than the hold reserves: a budget could be exceeded. */
function amountOf({ amount, as }: Omit<z.infer<typeof Decision>, "reason">, { ceiling }: HoldRecord): Nanos {
  if (as === "nothing") return 0n;
  if (as === "ceiling") {
    if (ceiling !== null) return ceiling;
    throw new HTTPException(422, { message: "Nothing was reserved for this call; give an amount." });
  }
  const decided = nanos("amount", amount ?? "");
  if (ceiling === null || decided <= ceiling) return decided;
  throw new HTTPException(422, {
    message: `It cannot have cost more than what is reserved for it: $${formatDollars(ceiling)}.`,
  });
}

function facts({ id, requestId, at, keyId, provider, method, endpoint, model, ceiling }: HoldRecord) {
  const most = ceiling === null ? null : formatDollars(ceiling);
  return { id, requestId, at: rfc3339(at), keyId, provider, method, endpoint, model, ceiling: most };
}

/** Of an account: `<budget>@<start of its period>`. */
function budgetOf(account: string): string {
  return account.slice(0, account.lastIndexOf("@"));
}
