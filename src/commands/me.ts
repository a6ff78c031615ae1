import type { Command } from "commander";
import { inPlace } from "../domain/leak.ts";
import { Me } from "./answers.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { expiry } from "./lifetime.ts";
import { connectAsUser } from "./master-key.ts";
import { table, time } from "./table.ts";

export function addMeVerb(program: Command, io: Io): void {
  program
    .command("me")
    .description("whose master key this is, what it opens, what is left of its budgets, and today's calls")
    .option("--key <key>", "the master key (default: LMK_KEY, else from ./llamakey_local.env)")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const me = await connectAsUser(io, command).get("/lmk/me", Me);
      return io.print(json ? jsonText(me) : textOf(me));
    });
}

function textOf(me: Me): string {
  const rows = [
    ["user", me.user],
    ["group", me.group],
    ["key", `${me.key.id} (${me.key.name})`],
    ["expires", expiry(me.key.expiresAt)],
    ...me.leaks.map((leak) => ["leaked", leakText(leak)]),
    ...me.providers.map(({ name, url }) => [name, url]),
    ...me.models.map(({ scope, patterns }) => ["models", `${patterns.join(", ")} (${scope})`]),
    ...me.limits.map((limit) => ["limit", limitText(limit)]),
    ...me.budgets.map((budget) => ["budget", budgetText(budget)]),
    ...(me.contact ? [["ask", me.contact]] : []),
    ["today", `${me.today.requests} ${me.today.requests === 1 ? "call" : "calls"}, $${me.today.cost}`],
  ];
  const calls = me.calls.map(({ at, provider, endpoint, model, status, refusal, cost }) => [
    time(at),
    `${provider ?? ""}${endpoint}`,
    model ?? "-",
    refusal ?? String(status),
    cost ?? "-",
  ]);
  const last =
    calls.length === 0 ? "" : `\n${table([["AT", "CALL", "MODEL", "STATUS", "COST ($)"], ...calls])}`;
  return table(rows) + last;
}

function leakText({ key, name, at, place, frozen }: Me["leaks"][number]): string {
  const state = frozen ? "it is frozen" : "rotate it";
  return `${key} (${name}) was seen ${inPlace(place)} ${time(at)}: ${state}`;
}

function limitText(limit: Me["limits"][number]): string {
  const parts = [
    [limit.requestsPerMinute, "requests a minute"],
    [limit.tokensPerMinute, "tokens a minute"],
    [limit.concurrentRequests, "requests at a time"],
  ].flatMap(([count, what]) => (count === undefined ? [] : [`${count} ${what}`]));
  return `${parts.join(", ")} (${limit.scope})`;
}

function budgetText({
  scope,
  name,
  amount,
  per,
  left,
  renewsAt,
  provider,
  model,
}: Me["budgets"][number]): string {
  const only = [provider, model].filter((one) => one !== null).join(" ");
  const renewal = renewsAt === null ? "" : `, renews ${time(renewsAt)}`;
  return `$${left} of $${amount} per ${per} left${renewal} (${scope}: ${name}${only === "" ? "" : `, for ${only}`})`;
}
