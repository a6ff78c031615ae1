import { type Command, Option } from "commander";
import { AuditHead, AuditPage, type AuditRow } from "./answers.ts";
import { type ApiClient, connect } from "./api-client.ts";
import { csv } from "./csv.ts";
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
  since?: string;
  until?: string;
  actor?: string;
  action?: string;
  target?: string;
  limit: number;
  follow?: boolean;
  csv?: boolean;
  json?: boolean;
  head?: boolean;
}

type Filter = Pick<Options, "since" | "until" | "actor" | "action" | "target">;

export function addAuditVerb(program: Command, io: Io): void {
  const when = (text: string) => parseSince(text, Date.now());
  program
    .command("audit")
    .description("changes, the latest last: who changed what, from where, before and after")
    .option("--since <when>", "a duration (30d) or a date", when)
    .option("--until <when>", "a duration ago or a date", when)
    .option("--actor <who>", "name or id, for example operator")
    .option("--action <action>", "for example key.revoke, or key for all that was done to keys")
    .option("--target <what>", "name or id of what was changed")
    .option("--limit <count>", "at most so many", wholeNumber(1, 1_000_000), 50)
    .option("-f, --follow", "go on with what comes")
    .addOption(new Option("--csv", "as CSV").conflicts("json"))
    .option("--json", "as JSON, one object per line")
    .option("--head", "print the log's end, signed: kept elsewhere, it shows later that nothing was cut off")
    .action(async (options: Options, command: Command) => {
      const api = connect(io, command);
      if (options.head) return io.print(`${(await api.get("/api/v1/audit/head", AuditHead)).head}\n`);
      return showAudit(io, api, options);
    });
}

async function showAudit(io: Io, api: ApiClient, options: Options): Promise<void> {
  const { limit, follow, csv: asCsv, json, head: _, ...filter } = options;
  const widths: number[] = [];
  const print = (rows: readonly AuditRow[]) => {
    if (json) return io.print(rows.map(jsonLine).join(""));
    return io.print(asCsv ? csv(rows.map(csvCells)) : table(rows.map(cells), widths));
  };

  const latest = await lastRows(api, filter, limit);
  if (asCsv) await io.print(csv([CSV_HEADINGS]));
  else if (!json && (latest.length > 0 || follow)) {
    // The headings come first, but must be as wide as the rows.
    table(latest.map(cells), widths);
    await io.print(table([HEADINGS], widths));
  }
  await print(latest);
  if (!follow) {
    if (latest.length === 0) io.note("No changes.");
    return;
  }
  let after = latest.at(-1)?.seq ?? 0;
  for (;;) {
    const { items, next } = await page(api, filter, { limit: PAGE, after });
    await print(items);
    after = items.at(-1)?.seq ?? after;
    if (next === null) await Bun.sleep(POLL_MS);
  }
}

/** The newest so many, oldest first. */
async function lastRows(api: ApiClient, filter: Filter, limit: number): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  let cursor: string | undefined;
  while (rows.length < limit) {
    const { items, next } = await page(api, filter, { limit: Math.min(PAGE, limit - rows.length), cursor });
    rows.push(...items);
    if (next === null) break;
    cursor = next;
  }
  return rows.reverse();
}

function page(
  api: ApiClient,
  filter: Filter,
  where: { limit: number; cursor?: string | undefined; after?: number },
) {
  return api.get("/api/v1/audit", AuditPage, { ...filter, ...where });
}

const HEADINGS = ["TIME", "WHO", "FROM", "ACTION", "TARGET", "CHANGE"];

function cells(row: AuditRow): string[] {
  return [
    time(row.at),
    row.actor.kind === "system" ? `system (${row.actor.name})` : row.actor.name,
    row.address ?? "-",
    row.action,
    row.target.name,
    changeOf(row) || "-",
  ];
}

/** `name: ann -> anna; expiresAt: none -> 2027-01-31T00:00:00.000Z`, of what there was before and is still there. */
function changeOf({ before, after }: AuditRow): string {
  if (before === null || after === null) return "";
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .map((name) => [name, shown(before[name]), shown(after[name])] as const)
    .filter(([, was, is]) => was !== is)
    .map(([name, was, is]) => `${name}: ${was} -> ${is}`)
    .join("; ");
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

const CSV_HEADINGS = [
  "seq",
  "at",
  "actor_kind",
  "actor",
  "address",
  "action",
  "target_kind",
  "target_id",
  "target",
  "before",
  "after",
  "hash",
];

function csvCells({ seq, at, actor, address, action, target, before, after, hash }: AuditRow): string[] {
  const [was, is] = [before, after].map((fields) => (fields === null ? "" : JSON.stringify(fields)));
  return [
    String(seq),
    at,
    actor.kind,
    actor.name,
    address ?? "",
    action,
    target.kind,
    target.id,
    target.name,
    was ?? "",
    is ?? "",
    hash,
  ];
}
