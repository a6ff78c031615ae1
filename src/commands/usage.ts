import { type Command, InvalidArgumentError, Option } from "commander";
import { type UsageSum, UsageSums } from "./answers.ts";
import { type ApiClient, connect } from "./api-client.ts";
import { csv } from "./csv.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { list } from "./table.ts";
import { parseSince } from "./when.ts";

const KEYS = ["user", "group", "key", "provider", "model", "endpoint", "day", "hour"];

interface Options {
  by: string;
  user?: string;
  group?: string;
  key?: string;
  provider?: string;
  model?: string;
  since?: string;
  until?: string;
  csv?: boolean;
  json?: boolean;
}

export function addUsageVerb(program: Command, io: Io): void {
  const when = (text: string) => parseSince(text, Date.now());
  program
    .command("usage")
    .description("requests, tokens and cost, added up")
    .addOption(new Option("--by <keys>", `up to four of: ${KEYS.join(", ")}`).default("user").argParser(keys))
    .option("--user <user>", "name or id")
    .option("--group <group>", "name or id")
    .option("--key <id>", "id of a master key")
    .option("--provider <id>")
    .option("--model <name>")
    .option("--since <when>", "a duration (30d) or a date", when)
    .option("--until <when>", "a duration ago or a date", when)
    .addOption(new Option("--csv", "as CSV").conflicts("json"))
    .option("--json", "as JSON")
    .action(async ({ csv: asCsv, json, ...query }: Options, command: Command) => {
      const sums = await allSums(connect(io, command), { ...query });
      if (json) return io.print(jsonText(sums));
      const by = query.by.split(",");
      return io.print(asCsv ? csvOf(by, sums.items) : tableOf(by, sums.items, sums.total));
    });
}

function keys(text: string): string {
  const names = text.split(",");
  if (names.length > 4 || names.some((name) => !KEYS.includes(name))) {
    throw new InvalidArgumentError(`It must be up to four of: ${KEYS.join(", ")}.`);
  }
  return text;
}

function tableOf(by: readonly string[], items: readonly UsageSum[], total: UsageSum): string {
  const headings = [
    ...by.map((key) => key.toUpperCase()),
    "REQUESTS",
    "INPUT",
    "OUTPUT",
    "COST ($)",
    "UNPRICED",
  ];
  const rows = items.map((item) => [...by.map((key) => item.keys[key] ?? "-"), ...counts(item)]);
  const last = [...by.map((_, at) => (at === 0 ? "total" : "")), ...counts(total)];
  return list(headings, rows.length === 0 ? [] : [...rows, last], "No requests.");
}

function csvOf(by: readonly string[], items: readonly UsageSum[]): string {
  const lines = items.map((item) => [...by.map((key) => item.keys[key] ?? ""), ...counts(item)]);
  const headings = [...by, "requests", "input_tokens", "output_tokens", "cost_usd", "unpriced_requests"];
  return csv([headings, ...lines]);
}

function counts({ requests, inputTokens, outputTokens, cost, unpriced }: UsageSum): string[] {
  return [String(requests), String(inputTokens), String(outputTokens), cost, String(unpriced)];
}

/** All pages; their total is that of all of them already. */
async function allSums(api: ApiClient, query: Readonly<Record<string, string | undefined>>) {
  const path = "/api/v1/usage";
  const sums = await api.get(path, UsageSums, { ...query, limit: 1000 });
  for (let { next } = sums; next !== null; ) {
    const page = await api.get(path, UsageSums, { ...query, limit: 1000, cursor: next });
    sums.items.push(...page.items);
    next = page.next;
  }
  const { items, total } = sums;
  return { items, total };
}
