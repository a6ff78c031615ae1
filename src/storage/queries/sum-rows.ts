import { number } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";
import { DAY_MS, type Grain, HOUR_MS, keySql, type Rollup, sourceOf, timeSql } from "./rollup-tables.ts";

/** What is to be added up. */
export interface Asked {
  readonly rollup: Rollup;
  /** Columns of the rollup that it is added up by; `at` for the beginning of the hour or day. */
  readonly keys: readonly string[];
  /** Epoch milliseconds, from and without the end. */
  readonly range: { readonly since?: number | undefined; readonly until?: number | undefined };
  /** How fine `at` is. */
  readonly grain?: Grain;
  /** On the rollup's key columns, which a row of the log is given, too. */
  readonly conditions?: readonly (readonly [condition: string, ...values: SqlValue[]])[];
  /** Those that cost most; all without. */
  readonly limit?: number | undefined;
}

/** A part of the sum: rows of a rollup, or of the log, within a time. */
interface Arm {
  readonly table: Grain | "rows before" | "rows behind";
  readonly since: number | undefined;
  readonly until: number | undefined;
}

/**
 * The sum of the log's rows, read from rollups as far as they reach: whole days, then whole hours at their sides, then
 * the rows at the very ends, and those that no rollup contains yet. Costs are texts.
 */
export async function sumOf(sql: Sql, asked: Asked): Promise<SqlRow[]> {
  const { rollup, keys, limit, grain } = asked;
  const [state] = await sql.all("SELECT seq FROM rolled_up");
  const last = number(state ?? { seq: 0 }, "seq");
  const values: SqlValue[] = [];
  const parts = armsOf(asked).map((arm) => {
    const { text, values: own } = armSql(arm, asked, last);
    values.push(...own);
    return text;
  });
  const names = Object.keys(rollup.sums);
  const sums = names.map((name) =>
    name === "cost_nanos" ? `CAST(COALESCE(SUM(${name}), 0) AS TEXT) AS ${name}` : `SUM(${name}) AS ${name}`,
  );
  const order =
    limit !== undefined
      ? `ORDER BY SUM(cost_nanos) DESC, SUM(requests) DESC LIMIT ${limit}`
      : keys.length > 0 && grain !== undefined
        ? `ORDER BY ${keys.join(", ")}`
        : "";
  const by = keys.length > 0 ? `GROUP BY ${keys.join(", ")}` : "";
  return sql.all(
    `SELECT ${[...keys, ...sums].join(", ")} FROM (${parts.join(" UNION ALL ")}) ${by} ${order}`,
    ...values,
  );
}

function armsOf({ rollup, range: { since, until }, keys, grain }: Asked): Arm[] {
  const behind: Arm = { table: "rows behind", since, until };
  const up = (at: number | undefined, size: number) =>
    at === undefined ? undefined : Math.ceil(at / size) * size;
  const down = (at: number | undefined, size: number) =>
    at === undefined ? undefined : Math.floor(at / size) * size;
  const isSpan = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined || from < to;
  const arms: Arm[] = [behind];
  const add = (table: Arm["table"], from: number | undefined, to: number | undefined) => {
    if (isSpan(from, to)) arms.push({ table, since: from, until: to });
  };
  // From the finest to the coarsest: what is left over at the sides of one is for the one before.
  const byHour = keys.includes("at") && grain === "hours";
  const steps = (
    [
      ["hours", HOUR_MS],
      ["days", DAY_MS],
    ] as const
  ).filter(([name]) => rollup.grains.includes(name) && !(byHour && name === "days"));
  let [from, to, table]: [number | undefined, number | undefined, Arm["table"]] = [
    since,
    until,
    "rows before",
  ];
  for (const [name, size] of steps) {
    const [first, last] = [up(from, size), down(to, size)];
    if (!isSpan(first, last)) break;
    if (from !== undefined) add(table, from, first);
    if (to !== undefined) add(table, last, to);
    [from, to, table] = [first, last, name];
  }
  add(table, from, to);
  return arms;
}

function armSql({ table, since, until }: Arm, asked: Asked, last: number) {
  const { rollup, keys, grain = "days", conditions = [] } = asked;
  const isRows = table === "rows before" || table === "rows behind";
  // The plus keeps SQLite from looking for these rows by the other one of the two.
  const time = !isRows ? "at" : table === "rows behind" ? "+r.at" : "r.at";
  const where: [string, ...SqlValue[]][] = [];
  if (isRows) where.push([table === "rows behind" ? "r.seq > ?" : "+r.seq <= ?", last]);
  if (since !== undefined) where.push([`${time} >= ?`, since]);
  if (until !== undefined) where.push([`${time} < ?`, until]);
  const column = (key: string) => {
    if (key !== "at") return isRows ? `${keySql(key)} AS ${key}` : key;
    if (isRows) return `${timeSql(grain)} AS at`;
    return grain === "days" && table === "hours" ? `at - at % ${DAY_MS} AS at` : "at";
  };
  const names = Object.entries(rollup.sums);
  const sums = names.map(([name, value]) => `SUM(${isRows ? value : name}) AS ${name}`);
  for (const [condition, ...given] of conditions)
    where.push([
      condition.replaceAll(/\{(\w+)\}/g, (_, key: string) => (isRows ? `r.${key}` : key)),
      ...given,
    ]);
  const text = where.map(([condition]) => condition).join(" AND ") || "TRUE";
  const given = where.flatMap(([, ...some]) => some);
  const by = keys.length > 0 ? ` GROUP BY ${keys.map((_, at) => at + 1).join(", ")}` : "";
  const source = isRows
    ? sourceOf(rollup, text)
    : { from: `FROM ${rollup.name}_${table} WHERE ${text}`, times: 1 };
  return {
    text: `SELECT ${[...keys.map(column), ...sums].join(", ")} ${source.from}${by}`,
    values: Array.from({ length: source.times }, () => given).flat(),
  };
}
