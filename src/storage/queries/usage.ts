import type { UsageFilter, UsageKey, UsageSum } from "../../domain/request-record.ts";
import { number, text } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";
import { PEOPLE, type Rollup, TRAFFIC, USAGE } from "./rollup-tables.ts";
import { sumOf } from "./sum-rows.ts";
import { WITH_CHILDREN } from "./with-children.ts";

const COLUMNS: Readonly<Partial<Record<UsageKey, string>>> = {
  user: "user_id",
  group: "group_id",
  key: "key_id",
  provider: "provider",
  model: "model",
  day: "at",
  hour: "at",
};

/** Most sums that are told. */
const MOST = 10_000;

/** The log's rows added up by anything but their endpoints: see `sumOf`. */
export async function sumUsage(sql: Sql, filter: UsageFilter): Promise<UsageSum[]> {
  const conditions: [string, ...SqlValue[]][] = [];
  const match = (condition: string, ...values: (SqlValue | undefined)[]) => {
    if (values[0] !== undefined) conditions.push([condition, ...(values as SqlValue[])]);
  };
  match("{user_id} = ?", filter.userId);
  match("({user_id} = ? OR {user_id} IN (SELECT id FROM users WHERE name = ?))", filter.user, filter.user);
  match(
    "({group_id} = ? OR {group_id} IN (SELECT id FROM groups WHERE name = ?))",
    filter.group,
    filter.group,
  );
  match(`{key_id} IN (${WITH_CHILDREN})`, filter.key);
  match("{provider} = ?", filter.provider);
  match("{model} = ?", filter.model);
  const keys = [...new Set(filter.by.flatMap((key) => COLUMNS[key] ?? []))];
  const columns = [
    ...keys,
    ...conditions.flatMap(([text]) => [...text.matchAll(/\{(\w+)\}/g)].map(([, key]) => key)),
  ];
  const isOf = ({ keys: own, grains }: Rollup) =>
    columns.every((column) => column === "at" || own.includes(column ?? "")) &&
    (!filter.by.includes("hour") || grains.includes("hours"));
  const rows = await sumOf(sql, {
    rollup: [TRAFFIC, PEOPLE, USAGE].find(isOf) ?? USAGE,
    keys,
    range: { since: filter.since, until: filter.until },
    grain: filter.by.includes("hour") ? "hours" : "days",
    conditions,
    limit: MOST,
  });
  const names = {
    user: filter.by.includes("user") ? await namesOf(sql, "users") : undefined,
    group: filter.by.includes("group") ? await namesOf(sql, "groups") : undefined,
    key: filter.by.includes("key") ? await parentsOf(sql) : undefined,
  };
  return rows
    .filter((row) => Number(row["requests"] ?? 0) > 0 || keys.length === 0)
    .map((row) => ({
      keys: filter.by.map((key) => keyValue(key, row, names)),
      requests: number({ requests: row["requests"] ?? 0 }, "requests"),
      inputTokens: number({ tokens: row["input_tokens"] ?? 0 }, "tokens"),
      outputTokens: number({ tokens: row["output_tokens"] ?? 0 }, "tokens"),
      costNanos: BigInt(text(row, "cost_nanos")),
      unpriced: number({ unpriced: row["unpriced"] ?? 0 }, "unpriced"),
    }));
}

type Names = ReadonlyMap<string, string>;

async function namesOf(sql: Sql, table: "users" | "groups"): Promise<Names> {
  const rows = await sql.all(`SELECT id, name FROM ${table}`);
  return new Map(rows.map((row) => [text(row, "id"), text(row, "name")]));
}

/** Of child keys, by their ids. */
async function parentsOf(sql: Sql): Promise<Names> {
  const rows = await sql.all("SELECT id, parent_id FROM keys WHERE parent_id IS NOT NULL");
  return new Map(rows.map((row) => [text(row, "id"), text(row, "parent_id")]));
}

function keyValue(
  key: UsageKey,
  row: SqlRow,
  names: { user: Names | undefined; group: Names | undefined; key: Names | undefined },
) {
  const column = COLUMNS[key] ?? key;
  if (column === "at") {
    const time = new Date(number(row, "at")).toISOString();
    return key === "day" ? time.slice(0, 10) : `${time.slice(0, 13)}:00Z`;
  }
  const value = text(row, column);
  if (key === "user" || key === "group") return names[key]?.get(value) ?? null;
  const parent = key === "key" ? names.key?.get(value) : undefined;
  if (parent !== undefined) return `${parent}/${value}`;
  return value === "" ? null : value;
}
