import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { formatPeriod } from "../domain/budget-change.ts";
import type { DescribedCaller, Explanation } from "../domain/explanation.ts";
import { formatDollars } from "../domain/money.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { getByRef } from "./groups.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody } from "./schemas.ts";
import { standingView } from "./standing.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

const Described = z
  .strictObject({
    key: z.string().optional().describe("A key's id."),
    user: z.string().optional().describe("Name or id: any of this user's keys."),
    group: z.string().optional().describe("Name or id: any key of the group."),
    provider: z.string(),
    method: z.enum(METHODS).default("POST"),
    path: z.string().max(4000).describe("Behind the provider, for example /v1/chat/completions."),
    model: z.string().max(300).nullable().default(null).describe("What the body would name."),
    address: z.string().max(60).nullable().default(null).describe("Where the call comes from."),
    body: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
    contentType: z.string().max(200).default("application/json"),
  })
  .refine(({ key, user, group }) => [key, user, group].filter((one) => one !== undefined).length === 1, {
    message: "Give one of key, user and group.",
  });

const ExplanationView = z
  .object({
    allowed: z.boolean(),
    refusal: z
      .object({
        code: z.string(),
        message: z.string(),
        by: z.string().describe("A scope, or `the gateway`."),
      })
      .nullable(),
    endpoint: z.string().nullable().describe("The path as it would be sent."),
    model: z.string().nullable().describe("The model that the call was found to name."),
    answers: z
      .array(
        z.object({
          question: z.string().describe("The code that a refusal would have."),
          scope: z.string(),
          verdict: z.enum(["allows", "refuses", "would refuse"]),
          message: z.string().nullable(),
        }),
      )
      .describe("What each scope says that has a rule on it."),
    budgets: z
      .array(
        z.object({
          id: z.string(),
          scope: z.string(),
          name: z.string(),
          amount: z.string(),
          per: z.string(),
          posted: z.string().nullable(),
          reserved: z.string().nullable(),
          left: z.string().nullable(),
          periodStart: z.string().nullable(),
          periodEnd: z.string().nullable(),
        }),
      )
      .describe("Those that would count the call."),
    admission: z
      .object({
        verdict: z
          .enum(["admitted", "capped", "waits"])
          .describe("`waits`: other calls under way have reserved what it needs."),
        ceiling: z
          .string()
          .nullable()
          .describe("Dollars that it can cost at most; null where no budget asks."),
        outputCap: z.number().nullable().describe("Tokens."),
      })
      .nullable()
      .describe("What the budgets would do with it now; null without a body, or where it is refused."),
    limits: z.array(z.object({ scope: z.string(), limits: z.record(z.string(), z.number()) })),
    leakedKeys: z
      .enum(["report", "freeze"])
      .describe("What would become of the caller's key, if it were seen in a prompt or a URL."),
  })
  .openapi("Explanation");

const explain = createRoute({
  ...needs("policies.read"),
  method: "post",
  path: "/policies/explain",
  request: { body: jsonBody(Described) },
  responses: { 200: json(ExplanationView, "What would happen to this call, and who decides it") },
});

export function explanations({ store, ledger, explain: find }: AdminParts): AdminApp {
  const app = resource();

  const callerOf = async ({ key, user, group }: z.infer<typeof Described>): Promise<DescribedCaller> => {
    const [groups, users, keys] = await Promise.all([
      store.listGroups(),
      store.listUsers(),
      store.listKeys(),
    ]);
    if (group !== undefined) return { group: getByRef("group", groups, group).id };
    const held = key === undefined ? undefined : keys.find(({ id }) => id === key);
    if (key !== undefined && held === undefined) throw notFound("key", key);
    const found = getByRef("user", users, held?.userId ?? user ?? "");
    return { group: found.groupId, user: found.id, key };
  };

  app.openapi(explain, async (c) => {
    const input = c.req.valid("json");
    const caller = await callerOf(input);
    const { body = null, provider, method, path, model, address, contentType } = input;
    if (!/^[a-z0-9-]+$/.test(provider)) {
      throw new HTTPException(422, { message: `There is no provider "${provider.slice(0, 80)}".` });
    }
    const text = body === null || typeof body === "string" ? body : JSON.stringify(body);
    const described = { provider, method, path, model, address, contentType, body: text };
    return c.json(view(await find(described, caller), ledger), 200);
  });
  return app;
}

function view(explanation: Explanation, ledger: Pick<Ledger, "standing">) {
  const { refusal, endpoint, model, answers, budgets, admission, limited, leakedKeys } = explanation;
  return {
    allowed: refusal === null,
    refusal: refusal && { code: refusal.code, message: refusal.message, by: refusal.by },
    endpoint,
    model,
    answers: answers.map(({ scope, ...answer }) => ({ ...answer, scope: scope.name })),
    budgets: budgets.map(({ scope, budget: { id, name, amount, period } }) => ({
      id,
      scope: scope.name,
      name,
      amount: formatDollars(amount),
      per: formatPeriod(period),
      ...standingView(ledger.standing(id)),
    })),
    admission: admission && {
      ...admission,
      ceiling: admission.ceiling === null ? null : formatDollars(admission.ceiling),
    },
    limits: limited.map(({ name, policy }) => ({
      scope: name,
      limits: { ...policy.limits } as Record<string, number>,
    })),
    leakedKeys,
  };
}
