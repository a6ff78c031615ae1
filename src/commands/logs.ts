import type { Command } from "commander";
import { formatDollars } from "../domain/money.ts";
import { LoggedRequest, listOf } from "./answers.ts";
import { type ApiClient, connect } from "./api-client.ts";
import type { Io } from "./io.ts";
import { jsonLine } from "./json.ts";
import { table, time } from "./table.ts";
import { parseSince } from "./when.ts";
import { wholeNumber } from "./whole-number.ts";

/** Between two looks at the log while it is followed. */
const POLL_MS = 1000;
/** The most rows that the admin API gives at once. */
const PAGE = 1000;

interface Options {
  user?: string;
  group?: string;
  key?: string;
  provider?: string;
  model?: string;
  status?: number;
  refusal?: string;
  shadowRefusal?: string;
  since?: string;
  limit: number;
  follow?: boolean;
  json?: boolean;
}

export function addLogsVerb(program: Command, io: Io): void {
  program
    .command("logs")
    .description("requests, the latest last: who called what, and how it ended")
    .option("--user <user>", "name or id")
    .option("--group <group>", "name or id")
    .option("--key <id>", "id of a master key")
    .option("--provider <id>")
    .option("--model <name>")
    .option("--status <code>", "what the client got, for example 429", wholeNumber(0, 999))
    .option("--refusal <code>", "refused by the gateway, for example invalid_key")
    .option("--shadow-refusal <code>", "what shadow mode would have refused, for example model_not_allowed")
    .option("--since <when>", "a duration (1h) or a date", (text) => parseSince(text, Date.now()))
    .option("--limit <count>", `at most so many, up to ${PAGE}`, wholeNumber(1, PAGE), 50)
    .option("-f, --follow", "go on with what comes")
    .option("--json", "as JSON, one object per line")
    .action((options: Options, command: Command) => showLogs(io, connect(io, command), options));
}

async function showLogs(io: Io, api: ApiClient, options: Options): Promise<void> {
  const { limit, follow, json, ...filter } = options;
  const path = "/api/v1/requests";
  const fetchRows = async (after: number) =>
    (await api.get(path, listOf(LoggedRequest), { ...filter, limit: PAGE, after })).items;
  const widths: number[] = [];
  const print = (rows: readonly LoggedRequest[]) =>
    io.print(json ? rows.map(jsonLine).join("") : table(rows.map(cells), widths));

  const latest = (await api.first(path, LoggedRequest, limit, { ...filter })).reverse();
  if (!json && (latest.length > 0 || follow)) await io.print(table([HEADINGS], widthsOf(latest, widths)));
  await print(latest);
  if (!follow) {
    if (latest.length === 0) io.note("No requests.");
    return;
  }
  let after = latest.at(-1)?.seq ?? 0;
  for (;;) {
    const rows = await fetchRows(after);
    await print(rows);
    after = rows.at(-1)?.seq ?? after;
    // A full page means that more is waiting.
    if (rows.length < PAGE) await Bun.sleep(POLL_MS);
  }
}

const HEADINGS = [
  "TIME",
  "USER",
  "KEY",
  "PROVIDER",
  "MODEL",
  "STATUS",
  "MS",
  "BYTES",
  "COST ($)",
  "ENDING",
  "REQUEST",
];

function cells(row: LoggedRequest): string[] {
  return [
    time(row.at),
    row.userName ?? "-",
    (row.parentKeyId ? `${row.parentKeyId}/` : "") + (row.keyName ?? "-"),
    row.provider ?? "-",
    row.model ?? "-",
    String(row.status),
    row.durationMs.toFixed(0),
    String(row.bytesOut),
    row.costNanos ? formatDollars(BigInt(row.costNanos)) : "-",
    ending(row),
    `${row.method} ${row.endpoint}`,
  ];
}

/** What shadow mode would have refused is said beside how it ended. */
function ending({ refusal, ending: how, shadowRefusal }: LoggedRequest): string {
  return (refusal ?? how) + (shadowRefusal ? ` (shadow: ${shadowRefusal})` : "");
}

/** The headings come first, but must be as wide as the rows. */
function widthsOf(rows: readonly LoggedRequest[], widths: number[]): number[] {
  table(rows.map(cells), widths);
  return widths;
}
