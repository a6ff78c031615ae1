import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { z } from "zod";
import { connect, segment } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { reference } from "./lifetime.ts";
import { SCOPE } from "./policy.ts";
import { list, printable, time } from "./table.ts";
import { addUnresolvedVerbs } from "./unresolved.ts";

const path = "/api/v1/budgets";

const Budget = z.looseObject({
  id: z.string(),
  scope: z.string(),
  name: z.string(),
  amount: z.string(),
  per: z.string(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  thresholds: z.array(z.number()),
  shadow: z.boolean(),
  removedAt: z.string().nullable(),
  posted: z.string().nullable(),
  reserved: z.string().nullable(),
  left: z.string().nullable(),
  periodEnd: z.string().nullable(),
});

interface SetOptions {
  per: string;
  provider?: string;
  model?: string;
  thresholds?: number[];
  shadow?: boolean;
}

export function addBudgetVerbs(program: Command, io: Io): void {
  const budget = program.command("budget").description("what calls may cost in a day, week, month, ...");
  addList(budget, io);
  addUnresolvedVerbs(budget, io);

  budget
    .command("set")
    .description(
      "set a budget; one of this name that is there already gets this amount and keeps what was spent",
    )
    .argument("<scope>", SCOPE, reference)
    .argument("<name>", "for people, unique in the scope")
    .argument("<dollars>", "for example 20 or 0.50")
    .option("--per <period>", "day, week, month, quarter, total, or hours such as 5h", "month")
    .option("--provider <id>", "only calls to this provider count")
    .option("--model <pattern>", "only calls of these models count, * for any characters, in quotes")
    .option("--thresholds <percents>", "when to call the webhook, for example 50,80,100", percents)
    .option("--shadow", "only count")
    .action(async (scope: string, name: string, amount: string, given: SetOptions, command: Command) => {
      const set = await connect(io, command).put(path, { scope, name, amount, ...given }, Budget);
      io.note(printable(`${set.scope}: ${set.name}, $${set.amount} per ${set.per}${narrowed(set)}.`));
    });

  budget
    .command("remove")
    .description("let a budget restrict nothing any more")
    .argument("<scope>", SCOPE, reference)
    .argument("<name>")
    .action(async (scope: string, name: string, _: unknown, command: Command) => {
      const api = connect(io, command);
      const items = await api.list(path, Budget, { scope });
      const found = items.find((item) => item.name === name);
      if (found === undefined) throw new Failure(`${scope} has no budget "${name}". See: lmk budget list`);
      await api.delete(`${path}/${segment(found.id)}`);
      io.note(printable(`${found.scope}: ${found.name} restricts nothing any more.`));
    });
}

function addList(budget: Command, io: Io): void {
  budget
    .command("list")
    .description("all budgets")
    .argument("[scope]", SCOPE, reference)
    .option("--removed", "those too that were removed")
    .option("--json", "as JSON")
    .action(
      async (
        scope: string | undefined,
        { removed, json }: { removed?: boolean; json?: boolean },
        command: Command,
      ) => {
        const query = { scope, removed: removed ? "true" : undefined };
        const items = await connect(io, command).list(path, Budget, query);
        const rows = items.map((item) => [
          item.scope,
          item.name,
          item.amount,
          item.per,
          item.posted ?? "-",
          item.reserved ?? "-",
          item.left ?? "-",
          time(item.periodEnd),
          narrowed(item).trim() || "all",
          item.thresholds.join(",") || "-",
          item.removedAt === null
            ? item.shadow
              ? "only counts"
              : "in force"
            : `removed ${time(item.removedAt)}`,
        ]);
        const headings = [
          "SCOPE",
          "NAME",
          "DOLLARS",
          "PER",
          "SPENT",
          "RESERVED",
          "LEFT",
          "UNTIL",
          "CALLS",
          "THRESHOLDS (%)",
          "STATE",
        ];
        await io.print(json ? jsonText(items) : list(headings, rows, "No budgets."));
      },
    );
}

function narrowed({ provider, model }: { provider: string | null; model: string | null }): string {
  return [provider === null ? "" : ` to ${provider}`, model === null ? "" : ` of ${model}`].join("");
}

function percents(text: string): number[] {
  const all = text.split(",").map((one) => (/^\d{1,4}$/.test(one.trim()) ? Number(one) : Number.NaN));
  if (all.every((one) => one >= 1 && one <= 1000)) return all;
  throw new InvalidArgumentError("It must be whole numbers of percent with commas: 50,80,100.");
}
