import { z } from "@hono/zod-openapi";
import { ceilDiv, formatDollars } from "../domain/money.ts";
import type { StoredBudget } from "../domain/policy.ts";
import type { CostLine, RequestAccount, Workings } from "../domain/request-account.ts";
import type { LoggedRequest } from "../domain/request-record.ts";
import { RequestView } from "./request-views.ts";
import { rfc3339, Time } from "./schemas.ts";

const Dollars = z.string().describe("Dollars, a decimal number.");

const LineView = z.object({
  model: z.string().describe("As the prices call it."),
  source: z.enum(["override", "snapshot", "flat", "free"]),
  unit: z.string(),
  quantity: z.number(),
  rate: Dollars.describe(
    "Dollars for `per` units, with what tier, region and the input's length make of it.",
  ),
  per: z.number(),
  amount: Dollars.describe("Rounded up; the sum is rounded once, so that it may be less than its parts."),
});

export const RequestDetail = RequestView.extend({
  attempts: z
    .array(
      z.object({
        attempt: z.number(),
        hold: z.number(),
        at: Time,
        ceiling: Dollars.nullable().describe("The most that it could cost; null where no budget asked."),
        budgets: z.array(z.object({ id: z.string(), name: z.string(), scope: z.string() })),
        end: z
          .object({
            at: Time,
            kind: z.enum(["settled", "voided", "ceiling", "decided"]),
            amount: Dollars.nullable(),
            evidence: z.enum(["reported", "counted", "ceiling", "decided"]).nullable(),
            reason: z.string().nullable(),
          })
          .nullable()
          .describe("Null while it is under way, or unresolved."),
      }),
    )
    .describe("What was held for it, once for each time that it was sent or was about to be."),
  workings: z
    .object({
      priceBook: z.string().describe("SHA-256 of the prices."),
      serviceTier: z.string().nullable(),
      region: z.string().nullable(),
      reportedCost: Dollars.nullable().describe("What the provider itself says; then there are no lines."),
      lines: z.array(LineView),
      total: Dollars.nullable().describe("Null where those prices are not kept."),
      corrected: Dollars.nullable().describe("What was added later, or taken back; null where nothing was."),
    })
    .nullable()
    .describe("How its cost was worked out; null where it was not."),
  curl: z.string().nullable().describe("The same call again: without its body and key, which are not kept."),
}).openapi("RequestDetail");

export function accountView(
  row: LoggedRequest,
  { attempts, workings }: RequestAccount,
  budgets: readonly StoredBudget[],
  publicUrl: string,
) {
  return {
    attempts: attempts.map(({ hold, end }) => ({
      attempt: hold.attempt,
      hold: hold.id,
      at: rfc3339(hold.at),
      ceiling: dollars(hold.ceiling),
      budgets: hold.accounts.map((account) => {
        const id = account.slice(0, account.lastIndexOf("@"));
        const budget = budgets.find((one) => one.id === id);
        return { id, name: budget?.name ?? id, scope: budget?.scope.kind ?? "" };
      }),
      end: end && { ...end, at: rfc3339(end.at), amount: dollars(end.amount) },
    })),
    workings: workings && workingsView(workings, row),
    curl: curlOf(row, publicUrl),
  };
}

function workingsView({ lines, total, reportedCost, ...rest }: Workings, { metered }: LoggedRequest) {
  const cost = metered?.costNanos ?? null;
  const by = cost === null || total === null ? 0n : cost - total;
  return {
    ...rest,
    reportedCost: dollars(reportedCost),
    lines: lines.map(lineView),
    total: dollars(total),
    corrected: by === 0n ? null : formatDollars(by),
  };
}

function lineView({ model, source, unit, quantity, rate, per }: CostLine) {
  const amount = formatDollars(ceilDiv(BigInt(quantity) * rate, per));
  return { model, source, unit, quantity, rate: formatDollars(rate), per: Number(per), amount };
}

function dollars(nanos: bigint | null): string | null {
  return nanos === null ? null : formatDollars(nanos);
}

const HAS_BODY = /^(?:POST|PUT|PATCH)$/;

/** For a POSIX shell. Null where no provider was named. */
function curlOf({ provider, method, endpoint }: LoggedRequest, publicUrl: string): string | null {
  if (provider === null) return null;
  const url = `${publicUrl}/${provider}/${endpoint.replace(/^\//, "")}`;
  return [
    "curl",
    ...(method === "GET" ? [] : ["-X", quoted(method)]),
    quoted(url),
    "-H",
    '"Authorization: Bearer $LMK_KEY"',
    ...(HAS_BODY.test(method) ? ["-H", "'content-type: application/json'", "-d", "@body.json"] : []),
  ].join(" ");
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
