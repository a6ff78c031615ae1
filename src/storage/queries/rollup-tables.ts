import { bucketSql } from "../../domain/rollup.ts";
import { number, text } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";

/** Sums of the request log's rows, by the hour and by the day, that are kept beside them. */
export interface Rollup {
  /** Followed by `_hours` or `_days`. */
  readonly name: "usage" | "people" | "traffic" | "latency";
  readonly grains: readonly Grain[];
  readonly keys: readonly string[];
  /** Each with what a row of the log adds to it. */
  readonly sums: Readonly<Record<string, string>>;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export const GRAINS = { hours: HOUR_MS, days: DAY_MS } as const;
export type Grain = keyof typeof GRAINS;

/** A column of a rollup, made of a row of the log. Ids that are absent are empty: nulls are never equal. */
const KEY_SQL: Readonly<Record<string, string>> = {
  user_id: "COALESCE(r.user_id, '')",
  group_id: "COALESCE(r.group_id, '')",
  key_id: "COALESCE(r.key_id, '')",
  provider: "COALESCE(r.provider, '')",
  model: "COALESCE(r.model, '')",
};

const SUMS: Readonly<Record<string, string>> = {
  requests: "1",
  errors:
    "CASE WHEN r.refusal IS NULL AND (r.status >= 400 OR r.ending IN ('upstream_broken', 'timeout', 'lost')) THEN 1 ELSE 0 END",
  refusals: "CASE WHEN r.refusal IS NOT NULL THEN 1 ELSE 0 END",
  input_tokens: "COALESCE(r.input_tokens, 0)",
  output_tokens: "COALESCE(r.output_tokens, 0)",
  cost_nanos: "COALESCE(r.cost_nanos, 0)",
  unpriced: "CASE WHEN r.usage IS NOT NULL AND r.cost_nanos IS NULL THEN 1 ELSE 0 END",
};

/** Everything, by the day alone: by the hour there would be almost as many sums as rows. */
export const USAGE: Rollup = {
  name: "usage",
  grains: ["days"],
  keys: ["user_id", "group_id", "key_id", "provider", "model"],
  sums: SUMS,
};
export const PEOPLE: Rollup = {
  name: "people",
  grains: ["hours", "days"],
  keys: ["user_id", "group_id"],
  sums: SUMS,
};
export const TRAFFIC: Rollup = {
  name: "traffic",
  grains: ["hours", "days"],
  keys: ["provider", "model"],
  sums: SUMS,
};

/** A row counts twice: where its answer began, and where it ended. */
export const LATENCY: Rollup = {
  name: "latency",
  grains: ["hours", "days"],
  keys: ["provider", "bucket"],
  sums: { first_bytes: "r.first_bytes", ends: "r.ends" },
};

export const ROLLUPS: readonly Rollup[] = [USAGE, PEOPLE, TRAFFIC, LATENCY];

/** Where a rollup's rows come from, with a condition on the log's rows put in twice for the latencies. */
export function sourceOf(rollup: Rollup, where: string): { from: string; times: number } {
  if (rollup !== LATENCY) return { from: `FROM requests r WHERE ${where}`, times: 1 };
  const part = (column: string, first: number) =>
    `SELECT r.at, r.provider, ${bucketSql(`r.${column}`)} AS bucket, ${first} AS first_bytes, ${1 - first} AS ends
     FROM requests r WHERE ${where} AND r.refusal IS NULL AND r.${column} IS NOT NULL`;
  return {
    from: `FROM (${part("first_byte_ms", 1)} UNION ALL ${part("duration_ms", 0)}) r`,
    times: 2,
  };
}

export function keySql(key: string): string {
  return KEY_SQL[key] ?? `r.${key}`;
}

/** The beginning of a row's hour or day. */
export function timeSql(grain: Grain): string {
  return `r.at - r.at % ${GRAINS[grain]}`;
}

/** The rows that a condition selects, as a rollup has them. */
export function summed(
  rollup: Rollup,
  grain: Grain,
  where: string,
  sign = "",
): { query: string; times: number } {
  const { from, times } = sourceOf(rollup, where);
  const keys = rollup.keys.map((key) => `${keySql(key)} AS ${key}`);
  const sums = Object.entries(rollup.sums).map(([name, value]) => `${sign}SUM(${value}) AS ${name}`);
  const query = `SELECT ${[`${timeSql(grain)} AS at`, ...keys, ...sums].join(", ")} ${from}
    GROUP BY ${[1, ...keys.map((_, at) => at + 2)].join(", ")}`;
  return { query, times };
}

/**
 * Adds the log's rows that a condition selects to all rollups, or takes them away.
 *
 * The rows are read once, summed as finely as any rollup has them; what is coarser is added up from that.
 * @param where On `r`, a row of the log, with as many placeholders as there are values.
 */
export async function addRows(
  sql: Sql,
  where: string,
  values: readonly SqlValue[],
  sign: "" | "-" = "",
): Promise<void> {
  const read = (rollup: Rollup) => {
    const { query, times } = summed(rollup, "hours", where, sign);
    // As text: drivers round integers that a double does not hold.
    const sums = Object.keys(rollup.sums).map((name) => `CAST(${name} AS TEXT) AS ${name}`);
    return sql.all(
      `SELECT ${["at", ...rollup.keys, ...sums].join(", ")} FROM (${query}) s`,
      ...Array.from({ length: times }, () => values).flat(),
    );
  };
  const [uses, latencies] = [await read(USAGE), await read(LATENCY)];
  for (const rollup of ROLLUPS) {
    for (const grain of rollup.grains) {
      const added = addedUp(rollup === LATENCY ? latencies : uses, rollup, grain);
      if (added.length > 0) await sql.runMany(upsert(rollup, grain), added);
    }
  }
}

/** The sums of a rollup, as the values of its columns. */
function addedUp(fine: readonly SqlRow[], { keys, sums }: Rollup, grain: Grain): SqlValue[][] {
  const names = Object.keys(sums);
  const found = new Map<string, bigint[]>();
  const rows: SqlValue[][] = [];
  for (const row of fine) {
    const hour = number(row, "at");
    const place: SqlValue[] = [hour - (hour % GRAINS[grain])];
    for (const key of keys) place.push(row[key] ?? "");
    const id = JSON.stringify(place);
    const known = found.get(id);
    if (known === undefined) {
      found.set(
        id,
        names.map((name) => BigInt(text(row, name))),
      );
      rows.push(place);
    } else for (const [i, name] of names.entries()) known[i] = (known[i] ?? 0n) + BigInt(text(row, name));
  }
  const all = [...found.values()];
  return rows.map((place, i) => [...place, ...(all[i] ?? [])]);
}

function upsert({ name, keys, sums }: Rollup, grain: Grain): string {
  const table = `${name}_${grain}`;
  const columns = ["at", ...keys];
  const values = Object.keys(sums);
  const all = [...columns, ...values];
  return `INSERT INTO ${table} (${all.join(", ")}) VALUES (${all.map(() => "?").join(", ")})
    ON CONFLICT (${columns.join(", ")}) DO UPDATE SET ${values.map((sum) => `${sum} = ${table}.${sum} + excluded.${sum}`).join(", ")}`;
}

/** Deletes sums of rows that are all gone. @param before Of rows that arrived before. */
export async function dropEmpty(sql: Sql, before: number): Promise<void> {
  for (const { name, sums, grains } of ROLLUPS) {
    for (const grain of grains) {
      const empty = Object.keys(sums).map((sum) => `${sum} = 0`);
      await sql.run(`DELETE FROM ${name}_${grain} WHERE at < ? AND ${empty.join(" AND ")}`, before);
    }
  }
}
