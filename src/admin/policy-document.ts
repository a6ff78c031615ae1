import { z } from "@hono/zod-openapi";
import type { Budget } from "../domain/budget.ts";
import { type BudgetDraft, formatPeriod, parsePeriod } from "../domain/budget-change.ts";
import { formatDollars, type Nanos, parseDollars } from "../domain/money.ts";
import { parseNetwork } from "../domain/network.ts";
import { BadPattern, compileEndpointPattern, compileModelPattern } from "../domain/pattern.ts";
import type { Policy } from "../domain/policy.ts";
import { Name, Time } from "./schemas.ts";

/** Longer lists are mistakes, and would be read for every call. */
const MAX_ENTRIES = 500;
const MAX_BUDGETS = 50;

function patterns(compile: (text: string) => unknown, what: string) {
  return z
    .array(
      z.string().superRefine((text, context) => {
        try {
          compile(text);
        } catch (error) {
          if (!(error instanceof BadPattern)) throw error;
          context.addIssue({
            code: "custom",
            message: `"${text.slice(0, 80)}" cannot be used: ${error.message}.`,
          });
        }
      }),
    )
    .max(MAX_ENTRIES)
    .describe(`${what} An empty list restricts nothing.`);
}

const ProviderId = z.string().regex(/^[a-z0-9-]{1,60}$/, "must be a provider's id, see: lmk providers");
const Count = z.number().int().min(0).max(1_000_000_000);

const limitsShape = {
  requestsPerMinute: Count.optional(),
  tokensPerMinute: Count.optional(),
  concurrentRequests: Count.optional(),
};

const policyShape = {
  providers: z
    .array(ProviderId)
    .max(MAX_ENTRIES)
    .describe("Ids. An empty list restricts nothing.")
    .optional(),
  endpoints: patterns(
    (text) => compileEndpointPattern(text, (_, path) => path),
    "Methods and paths: `GET,POST /openai/v1/files/**`.",
  ).optional(),
  models: patterns(compileModelPattern, "Names: `gpt-5*`, `openai/gpt-5*`.").optional(),
  networks: z
    .array(
      z.string().refine((text) => parseNetwork(text) !== undefined, {
        error: ({ input }) =>
          `"${String(input).slice(0, 80)}" is no address and no CIDR block such as 10.0.0.0/8 (no bits behind the prefix).`,
      }),
    )
    .max(MAX_ENTRIES)
    .describe("Addresses and CIDR blocks that calls may come from. An empty list restricts nothing.")
    .optional(),
  expiresAt: Time.optional(),
  limits: z.strictObject(limitsShape).optional(),
  sharing: z.enum(["own", "group", "all"]).optional(),
  capOutput: z.boolean().optional(),
  lowerCaps: z.boolean().optional(),
  deferred: z.boolean().optional(),
  ownKeys: Count.describe("So many active keys may a user make without an administrator.").optional(),
  leakedKeys: z
    .enum(["report", "freeze"])
    .describe("What becomes of its keys that are seen in a prompt or a URL; the strictest applies.")
    .optional(),
  shadow: z.boolean().describe("Refuse nothing; note what would be refused.").optional(),
};

/** Dollars; a number is taken as it is written in decimals. */
const Dollars = z
  .union([z.string(), z.number()])
  .superRefine((given, context) => {
    if (amountOf(given) !== undefined) return;
    context.addIssue({
      code: "custom",
      message: "must be dollars such as 20 or 0.50, and not finer than a nano-dollar",
    });
  })
  .describe("Dollars, a decimal number.");

export const budgetShape = {
  name: Name.default("budget"),
  amount: Dollars,
  per: z
    .string()
    .refine(
      (text) => parsePeriod(text) !== undefined,
      "must be day, week, month, quarter, total, or hours such as 5h",
    )
    .default("month"),
  provider: ProviderId.nullable().default(null),
  model: z
    .string()
    .nullable()
    .default(null)
    .superRefine((text, context) => {
      try {
        if (text !== null) compileModelPattern(text);
      } catch (error) {
        if (!(error instanceof BadPattern)) throw error;
        context.addIssue({ code: "custom", message: `cannot be used: ${error.message}.` });
      }
    }),
  thresholds: z
    .array(z.number().int().min(1).max(1000))
    .max(20)
    .default([])
    .transform((all) => [...new Set(all)].sort((a, b) => a - b))
    .describe("Percent of the amount at which the webhook is called, once a period."),
  shadow: z.boolean().default(false),
};
const BudgetDocument = z.strictObject(budgetShape);
export type BudgetDocument = z.infer<typeof BudgetDocument>;

/** Everything that a scope may have. */
export const ScopeDocument = z
  .strictObject({
    ...policyShape,
    budgets: z
      .array(BudgetDocument)
      .max(MAX_BUDGETS)
      .refine(
        (all) => new Set(all.map(({ name }) => name)).size === all.length,
        "two budgets have the same name",
      )
      .optional(),
  })
  .openapi("Policy");
export type ScopeDocument = z.infer<typeof ScopeDocument>;

/** Null takes a field away; of limits, each by itself. */
export const PolicyPatch = z.strictObject(
  Object.fromEntries(
    Object.entries({
      ...policyShape,
      limits: z.strictObject(
        Object.fromEntries(Object.entries(limitsShape).map(([name, schema]) => [name, schema.nullable()])),
      ),
    }).map(([name, schema]) => [name, (schema as z.ZodType).nullable().optional()]),
  ),
);

/** All scopes, as one file. */
export const PolicyFile = z.strictObject({
  organisation: ScopeDocument.optional(),
  groups: z.record(z.string(), ScopeDocument).optional(),
  users: z.record(z.string(), ScopeDocument).optional(),
  keys: z.record(z.string(), ScopeDocument).optional(),
});
export type PolicyFile = z.infer<typeof PolicyFile>;

/** As it is stored: what restricts nothing is left out, so that equal policies are equal texts. */
export function policyOf(document: ScopeDocument): Policy {
  const { budgets: _, expiresAt, ...rest } = document;
  const policy: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const value: unknown = field === "expiresAt" ? expiresAt && Date.parse(expiresAt) : rest[field];
    if (!isNothing(value) && value !== USUAL[field]) policy[field] = cleaned(value);
  }
  return policy;
}

const FIELDS = [
  "providers",
  "endpoints",
  "models",
  "networks",
  "expiresAt",
  "limits",
  "sharing",
  "capOutput",
  "lowerCaps",
  "deferred",
  "ownKeys",
  "leakedKeys",
  "shadow",
] as const;

/** What says no more than to say nothing. */
const USUAL: Readonly<Partial<Record<(typeof FIELDS)[number], unknown>>> = {
  leakedKeys: "report",
  shadow: false,
};

function cleaned(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { requestsPerMinute, tokensPerMinute, concurrentRequests } = value as Record<string, unknown>;
  const ordered = { requestsPerMinute, tokensPerMinute, concurrentRequests };
  return Object.fromEntries(Object.entries(ordered).filter(([, one]) => one !== undefined));
}

function isNothing(value: unknown): boolean {
  if (value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** The policy's part of a document. */
export function policyDocument({ expiresAt, ...rest }: Policy): ScopeDocument {
  const document: Record<string, unknown> = { ...rest };
  if (expiresAt !== undefined) document["expiresAt"] = new Date(expiresAt).toISOString();
  return Object.fromEntries(
    FIELDS.flatMap((field) => (document[field] === undefined ? [] : [[field, document[field]]])),
  );
}

export function budgetDraft(document: BudgetDocument): BudgetDraft {
  const { per, amount, ...rest } = document;
  return { ...rest, amount: amountOf(amount) ?? 0n, period: parsePeriod(per) ?? { kind: "total" } };
}

/** What a file says of a budget: what is usual is left out. */
export function budgetDocument({ name, amount, period, provider, model, thresholds, shadow }: Budget) {
  return {
    name,
    amount: formatDollars(amount),
    per: formatPeriod(period),
    ...(provider !== null && { provider }),
    ...(model !== null && { model }),
    ...(thresholds.length > 0 && { thresholds: [...thresholds] }),
    ...(shadow && { shadow }),
  };
}

function amountOf(given: string | number): Nanos | undefined {
  return parseDollars(String(given));
}
