import {
  type Latency,
  percentile,
  type Traffic,
  type TrafficFilter,
  type TrafficSum,
} from "../../domain/rollup.ts";
import type { RollupStore } from "../../domain/store.ts";
import { number, text, textOrNull } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";
import { addRows, type Grain, LATENCY, PEOPLE, ROLLUPS, summed, TRAFFIC } from "./rollup-tables.ts";
import { sumOf } from "./sum-rows.ts";

/**
 * Sums beside the request log. Rows are added to them a little later than they are written, many at a time; how far they
 * reach is kept with them, so that whoever asks for a sum takes them for the rows before that point and the rows
 * themselves for those behind it: always the sum of the rows.
 */
export class RollupQueries implements RollupStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  rollUp(limit: number): Promise<number> {
    return this.sql.lazyTransaction(async () => {
      const from = await rolledUp(this.sql);
      const [row] = await this.sql.all(
        "SELECT COUNT(*) AS rows, MAX(seq) AS last FROM (SELECT seq FROM requests WHERE seq > ? ORDER BY seq LIMIT ?)",
        from,
        limit,
      );
      const rows = number(row ?? {}, "rows");
      if (row === undefined || rows === 0) return 0;
      const to = number(row, "last");
      await addRows(this.sql, "r.seq > ? AND r.seq <= ?", [from, to]);
      await this.sql.run("UPDATE rolled_up SET seq = ?", to);
      return rows;
    });
  }

  /** In one transaction: charts that are shown together belong to one moment. */
  readTraffic(filter: TrafficFilter): Promise<Traffic> {
    const { top } = filter;
    const range = { since: filter.since, until: filter.until };
    const grain: Grain = filter.bucket === "hour" ? "hours" : "days";
    const of = (keys: readonly string[], limit?: number) =>
      sumOf(this.sql, {
        rollup: keys.some((key) => PEOPLE.keys.includes(key)) ? PEOPLE : TRAFFIC,
        keys,
        range,
        limit,
      });
    return this.sql.transaction(async () => {
      const [total] = await of([]);
      const series = await sumOf(this.sql, { rollup: TRAFFIC, keys: ["at"], range, grain });
      const ofLatency = { rollup: LATENCY, range, grain };
      const overTime = latencies(await sumOf(this.sql, { ...ofLatency, keys: ["at", "bucket"] }), "at");
      const byProvider = latencies(
        await sumOf(this.sql, { ...ofLatency, keys: ["provider", "bucket"] }),
        "provider",
      );
      const [providers, models] = [await of(["provider"], top), await of(["provider", "model"], top)];
      const groups = await this.named("groups", "group_id", await of(["group_id"], top));
      const users = await this.named("users", "user_id", await of(["user_id"], top));
      return {
        total: { ...trafficSum(total ?? {}), latency: latencyOf(overTime.all) },
        series: series.map((row) => ({
          at: number(row, "at"),
          ...trafficSum(row),
          latency: latencyOf(overTime.by.get(text(row, "at"))),
        })),
        providers: providers
          .filter((row) => row["provider"] !== "")
          .map((row) => ({
            provider: text(row, "provider"),
            ...trafficSum(row),
            latency: latencyOf(byProvider.by.get(text(row, "provider"))),
          })),
        models: models
          .filter((row) => row["model"] !== "")
          .map((row) => ({
            provider: text(row, "provider"),
            model: text(row, "model"),
            ...trafficSum(row),
          })),
        groups,
        users,
      };
    });
  }

  private async named(table: "users" | "groups", key: string, rows: readonly SqlRow[]) {
    const sums = [];
    for (const row of rows) {
      const id = text(row, key);
      const [found] = await this.sql.all(`SELECT name FROM ${table} WHERE id = ?`, id);
      sums.push({
        id: id === "" ? null : id,
        name: found === undefined ? null : textOrNull(found, "name"),
        ...trafficSum(row),
      });
    }
    return sums;
  }

  async listRollupDifferences(): Promise<string[]> {
    const last = await rolledUp(this.sql);
    const found: string[] = [];
    for (const rollup of ROLLUPS) {
      for (const grain of rollup.grains) {
        const { query, times } = summed(rollup, grain, "r.seq <= ?");
        const table = `SELECT at, ${[...rollup.keys, ...Object.keys(rollup.sums)].join(", ")} FROM ${rollup.name}_${grain}`;
        const values: SqlValue[] = Array.from({ length: times }, () => last);
        for (const [one, other] of [
          [query, table],
          [table, query],
        ]) {
          const [row] = await this.sql.all(
            `SELECT COUNT(*) AS differing, MIN(at) AS first FROM (SELECT * FROM (${one}) EXCEPT SELECT * FROM (${other}))`,
            ...values,
          );
          if (row === undefined || number(row, "differing") === 0) continue;
          const from = new Date(number(row, "first")).toISOString();
          found.push(
            `${number(row, "differing")} sums of ${rollup.name} by ${grain} are not those of the log's rows, the first of ${from}`,
          );
          break;
        }
      }
    }
    return found;
  }
}

/** Counts by bucket. */
interface Counts {
  readonly firstBytes: Map<number, number>;
  readonly ends: Map<number, number>;
}

/** All of them, and by what a column says. */
function latencies(
  rows: readonly SqlRow[],
  column: string,
): { all: Counts; by: ReadonlyMap<string, Counts> } {
  const none = (): Counts => ({ firstBytes: new Map(), ends: new Map() });
  const [all, by] = [none(), new Map<string, Counts>()];
  for (const row of rows) {
    const key = text(row, column);
    const own = by.get(key) ?? none();
    by.set(key, own);
    const bucket = number(row, "bucket");
    for (const counts of [all, own]) {
      counts.firstBytes.set(bucket, (counts.firstBytes.get(bucket) ?? 0) + number(row, "first_bytes"));
      counts.ends.set(bucket, (counts.ends.get(bucket) ?? 0) + number(row, "ends"));
    }
  }
  return { all, by };
}

function latencyOf(counts: Counts | undefined): Latency {
  const of = (some: ReadonlyMap<number, number> = new Map()) => ({
    p50: percentile(some, 0.5),
    p95: percentile(some, 0.95),
  });
  return { firstByte: of(counts?.firstBytes), duration: of(counts?.ends) };
}

/** The last row of the log that the rollups contain. */
export async function rolledUp(sql: Sql): Promise<number> {
  const [row] = await sql.all("SELECT seq FROM rolled_up");
  return number(row ?? { seq: 0 }, "seq");
}

function trafficSum(row: SqlRow): TrafficSum {
  const count = (column: string) => number({ [column]: row[column] ?? 0 }, column);
  return {
    requests: count("requests"),
    errors: count("errors"),
    refusals: count("refusals"),
    inputTokens: count("input_tokens"),
    outputTokens: count("output_tokens"),
    costNanos: BigInt(textOrNull(row, "cost_nanos") ?? "0"),
    unpriced: count("unpriced"),
  };
}
