import type { RowCost } from "../../domain/ledger.ts";
import type { UnpricedModel } from "../../domain/prices.ts";
import type {
  Ending,
  LoggedRequest,
  Metered,
  RequestFilter,
  RequestRecord,
  RowCostView,
  UsageFilter,
  UsageKey,
  UsageSum,
} from "../../domain/request-record.ts";
import type { RequestStore } from "../../domain/store.ts";
import { type Evidence, inputTokens, outputTokens, type Quantities, type Unit } from "../../domain/usage.ts";
import { number, numberOrNull, text, textOrNull } from "../rows.ts";
import type { Sql, SqlRow, SqlValue, Step } from "../sql.ts";
import { addRows, dropEmpty } from "./rollup-tables.ts";
import { rolledUp } from "./rollups.ts";
import { sumUsage } from "./usage.ts";
import { WITH_CHILDREN } from "./with-children.ts";

export class RequestQueries implements Omit<RequestStore, "pageRequests" | "readRequest"> {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async sumUsage(filter: UsageFilter): Promise<UsageSum[]> {
    return filter.by.includes("endpoint") ? this.sumRows(filter) : sumUsage(this.sql, filter);
  }

  /** From the rows themselves: endpoints are too many for sums that are kept. */
  private async sumRows(filter: UsageFilter): Promise<UsageSum[]> {
    const { where, values } = conditions(filter);
    const columns = filter.by.map((key, at) => `${USAGE_KEYS[key]} AS key_${at}`);
    const rows = await this.sql.all(
      `SELECT ${[...columns, SUMS].join(", ")} ${FROM_REQUESTS} ${where}
       GROUP BY ${filter.by.map((_, at) => `key_${at}`).join(", ")}
       ORDER BY SUM(r.cost_nanos) DESC, COUNT(*) DESC LIMIT 10000`,
      ...values,
    );
    return rows.map((row) => ({
      keys: filter.by.map((_, at) => textOrNull(row, `key_${at}`)),
      requests: number(row, "requests"),
      inputTokens: number(row, "input_tokens"),
      outputTokens: number(row, "output_tokens"),
      costNanos: BigInt(text(row, "cost_nanos")),
      unpriced: number(row, "unpriced"),
    }));
  }

  async listRequests(filter: RequestFilter): Promise<LoggedRequest[]> {
    const { where, values } = conditions(filter);
    const rows = await this.sql.all(
      `SELECT r.*, u.name AS user_name, g.name AS group_name, k.name AS key_name, k.parent_id AS parent_key_id, b.hash AS price_hash
       ${FROM_REQUESTS} ${where}
       ORDER BY r.seq ${filter.after === undefined ? "DESC" : "ASC"} LIMIT ?`,
      ...values,
      filter.limit,
    );
    return rows.map(loggedRequest);
  }

  pruneRequests(before: number): Promise<number> {
    return this.sql.transaction(async () => {
      const last = await rolledUp(this.sql);
      // The plus keeps SQLite from going through all rows by their number, where those of an age are few.
      await addRows(this.sql, "r.at < ? AND +r.seq <= ?", [before, last], "-");
      const deleted = await this.sql.run("DELETE FROM requests WHERE at < ?", before);
      if (deleted > 0) {
        await dropEmpty(this.sql, before);
        // The number of a last row that is deleted is given again.
        await this.sql.run(
          "UPDATE rolled_up SET seq = MIN(seq, (SELECT COALESCE(MAX(seq), 0) FROM requests))",
        );
        await this.sql.run(
          `INSERT INTO pruned_requests (id, before) VALUES (1, ?)
           ON CONFLICT (id) DO UPDATE SET before = excluded.before WHERE pruned_requests.before < excluded.before`,
          before,
        );
      }
      return deleted;
    });
  }

  async prunedBefore(): Promise<number> {
    const [row] = await this.sql.all("SELECT before FROM pruned_requests");
    return row === undefined ? 0 : number(row, "before");
  }

  async readRowCosts(after: number, limit: number): Promise<RowCostView[]> {
    const rows = await this.sql.all(
      `SELECT seq, id, at, duration_ms, CAST(cost_nanos AS TEXT) AS cost FROM requests
       WHERE seq > ? ORDER BY seq LIMIT ?`,
      after,
      limit,
    );
    return rows.map((row) => ({
      seq: number(row, "seq"),
      id: text(row, "id"),
      at: number(row, "at"),
      durationMs: number(row, "duration_ms"),
      costNanos: row["cost"] == null ? null : BigInt(text(row, "cost")),
    }));
  }

  async listUnpriced(priceBook: string, since = 0): Promise<UnpricedModel[]> {
    const unpriced = "r.usage IS NOT NULL AND r.cost_nanos IS NULL AND r.provider IS NOT NULL AND r.at >= ?";
    const rows = await this.sql.all(
      `SELECT r.provider, r.model, COUNT(*) AS requests, MAX(r.at) AS last_at,
       SUM(CASE WHEN b.hash = ? THEN 1 ELSE 0 END) AS requests_of_book
       FROM requests r LEFT JOIN price_books b ON b.id = r.price_book
       WHERE ${unpriced} GROUP BY r.provider, r.model ORDER BY COUNT(*) DESC, r.provider, r.model LIMIT 1000`,
      priceBook,
      since,
    );
    const units = await this.sql.all(
      `SELECT DISTINCT r.provider, r.model, used.key AS unit FROM requests r, json_each(r.usage) used
       WHERE ${unpriced} ORDER BY unit`,
      since,
    );
    const isOf = (row: SqlRow) => (unit: SqlRow) =>
      unit["provider"] === row["provider"] && unit["model"] === row["model"];
    return rows.map((row) => ({
      provider: text(row, "provider"),
      model: textOrNull(row, "model"),
      requests: number(row, "requests"),
      requestsOfBook: number(row, "requests_of_book"),
      lastAt: number(row, "last_at"),
      units: units.filter(isOf(row)).map((unit) => text(unit, "unit") as Unit),
    }));
  }
}

/**
 * How rows are inserted. Not to be called within a transaction: see `bookId`.
 * @param rows From `requestValues`; changed by it.
 */
export async function insertionOf(sql: Sql, rows: readonly SqlValue[][]): Promise<Step> {
  const known = knownBooks(sql);
  for (const row of rows) {
    const hash = row[BOOK];
    if (hash != null) row[BOOK] = known.get(String(hash)) ?? (await bookId(sql, String(hash)));
  }
  return [INSERT_REQUEST, rows];
}

/** To be called before `recostRequests`, and not within its transaction: see `bookId`. */
export async function noteBooks(sql: Sql, costs: readonly RowCost[]): Promise<void> {
  for (const { priceBook } of costs) if (priceBook !== null) await bookId(sql, priceBook);
}

/** Where a row has been deleted meanwhile, nothing happens. */
export async function recostRequests(sql: Sql, costs: readonly RowCost[]): Promise<void> {
  const last = await rolledUp(sql);
  const found: { seq: number; cost: RowCost }[] = [];
  for (const cost of costs) {
    const [row] = await sql.all("SELECT seq FROM requests WHERE id = ? AND at = ?", cost.requestId, cost.at);
    if (row !== undefined) found.push({ seq: number(row, "seq"), cost });
  }
  const contained = JSON.stringify([...new Set(found.map(({ seq }) => seq))].filter((seq) => seq <= last));
  const inRollups = "r.seq IN (SELECT value FROM json_each(?))";
  // What the rollups have of these rows is taken out, and put in again as it is then.
  if (contained !== "[]") await addRows(sql, inRollups, [contained], "-");
  for (const { seq, cost } of found) {
    const { amount, evidence, priceBook } = cost;
    const book = priceBook === null ? null : await bookId(sql, priceBook);
    await sql.run(
      `UPDATE requests SET cost_nanos = COALESCE(cost_nanos, 0) + ?, usage = COALESCE(usage, '{}'),
         evidence = COALESCE(?, evidence), price_book = COALESCE(?, price_book)
       WHERE seq = ?`,
      amount,
      evidence,
      book,
      seq,
    );
  }
  if (contained !== "[]") await addRows(sql, inRollups, [contained]);
}

/** Of books that a database has, by their hashes. */
const bookIds = new WeakMap<Sql, Map<string, number>>();

function knownBooks(sql: Sql): Map<string, number> {
  const known = bookIds.get(sql) ?? new Map<string, number>();
  bookIds.set(sql, known);
  return known;
}

/**
 * The hash stands once in a table of its own: on every row it would be a third of the log. A book is written down by
 * itself: one that was rolled back with something else would be remembered all the same.
 */
async function bookId(sql: Sql, hash: string): Promise<number> {
  const known = knownBooks(sql);
  const found = known.get(hash);
  if (found !== undefined) return found;
  await sql.run("INSERT INTO price_books (hash) VALUES (?) ON CONFLICT (hash) DO NOTHING", hash);
  const [row] = await sql.all("SELECT id FROM price_books WHERE hash = ?", hash);
  const id = number(row ?? {}, "id");
  known.set(hash, id);
  return id;
}

const FROM_REQUESTS = `FROM requests r
  LEFT JOIN users u ON u.id = r.user_id
  LEFT JOIN groups g ON g.id = r.group_id
  LEFT JOIN keys k ON k.id = r.key_id
  LEFT JOIN price_books b ON b.id = r.price_book`;

/** As text, because a sum of nano-dollars may be more than a double holds. */
const SUMS = `COUNT(*) AS requests,
  COALESCE(SUM(r.input_tokens), 0) AS input_tokens,
  COALESCE(SUM(r.output_tokens), 0) AS output_tokens,
  CAST(COALESCE(SUM(r.cost_nanos), 0) AS TEXT) AS cost_nanos,
  COALESCE(SUM(CASE WHEN r.usage IS NOT NULL AND r.cost_nanos IS NULL THEN 1 ELSE 0 END), 0) AS unpriced`;

const USAGE_KEYS: Record<UsageKey, string> = {
  user: "u.name",
  group: "g.name",
  key: "CASE WHEN k.parent_id IS NULL THEN r.key_id ELSE k.parent_id || '/' || r.key_id END",
  provider: "r.provider",
  model: "r.model",
  endpoint: "r.endpoint",
  day: "strftime('%Y-%m-%d', r.at / 1000, 'unixepoch')",
  hour: "strftime('%Y-%m-%dT%H:00Z', r.at / 1000, 'unixepoch')",
};

/** What both the log and its sums are narrowed by. */
export function conditions(filter: Partial<RequestFilter & UsageFilter>): {
  where: string;
  values: SqlValue[];
} {
  const where: string[] = [];
  const values: SqlValue[] = [];
  const match = (condition: string, value: SqlValue | undefined, times = 1) => {
    if (value === undefined) return;
    where.push(condition);
    for (let i = 0; i < times; i++) values.push(value);
  };
  match("r.user_id = ?", filter.userId);
  match("(r.user_id = ? OR u.name = ?)", filter.user, 2);
  match("(r.group_id = ? OR g.name = ?)", filter.group, 2);
  match(`r.key_id IN (${WITH_CHILDREN})`, filter.key);
  match("r.provider = ?", filter.provider);
  match("r.model = ?", filter.model);
  match("r.refusal = ?", filter.refusal);
  match("r.shadow_refusal LIKE '%: ' || ? || '%'", filter.shadowRefusal);
  match("r.status = ?", filter.status);
  match("r.at >= ?", filter.since);
  match("r.at < ?", filter.until);
  match("r.seq > ?", filter.after);
  return { where: where.length > 0 ? `WHERE ${where.join(" AND ")}` : "", values };
}

const INSERT_REQUEST = `INSERT INTO requests (
  id, at, key_id, user_id, group_id, provider, method, endpoint, model, status, refusal, ending,
  first_byte_ms, duration_ms, bytes_in, bytes_out, upstream_request_id, address, shadow_refusal,
  usage, evidence, input_tokens, output_tokens, cost_nanos, price_book, sent_ms
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Places among the values. */
const [ID, AT, DURATION, COST, BOOK] = [0, 1, 13, 23, 24];

const UNMETERED = { quantities: null, evidence: null, costNanos: null, priceBook: null };

/** A row as the values of its columns. */
export function requestValues(row: RequestRecord): SqlValue[] {
  const { quantities, evidence, costNanos, priceBook } = row.metered ?? UNMETERED;
  return [
    row.id,
    row.at,
    row.keyId,
    row.userId,
    row.groupId,
    row.provider,
    row.method,
    row.endpoint,
    row.model,
    row.status,
    row.refusal,
    row.ending,
    row.firstByteMs,
    row.durationMs,
    row.bytesIn,
    row.bytesOut,
    row.upstreamRequestId,
    row.address,
    row.shadowRefusal,
    quantities && JSON.stringify(quantities),
    evidence,
    quantities && inputTokens(quantities),
    quantities && outputTokens(quantities),
    costNanos === null ? null : costNanos.toString(),
    priceBook,
    row.sentMs,
  ];
}

/** What a row's cost is, from `requestValues`. */
export function rowCostOf(values: readonly SqlValue[], seq: number): RowCostView {
  const cost = values[COST];
  return {
    seq,
    id: String(values[ID]),
    at: Number(values[AT]),
    durationMs: Number(values[DURATION]),
    costNanos: cost == null ? null : BigInt(String(cost)),
  };
}

function metered(row: SqlRow): Metered | null {
  if (row["usage"] == null) return null;
  return {
    quantities: JSON.parse(text(row, "usage")) as Quantities,
    evidence: text(row, "evidence") as Evidence,
    costNanos: row["cost_nanos"] == null ? null : BigInt(text(row, "cost_nanos")),
    priceBook: textOrNull(row, "price_hash"),
  };
}

export function loggedRequest(row: SqlRow): LoggedRequest {
  return {
    seq: number(row, "seq"),
    id: text(row, "id"),
    at: number(row, "at"),
    keyId: textOrNull(row, "key_id"),
    userId: textOrNull(row, "user_id"),
    groupId: textOrNull(row, "group_id"),
    provider: textOrNull(row, "provider"),
    method: text(row, "method"),
    endpoint: text(row, "endpoint"),
    model: textOrNull(row, "model"),
    status: number(row, "status"),
    refusal: textOrNull(row, "refusal"),
    shadowRefusal: textOrNull(row, "shadow_refusal"),
    ending: text(row, "ending") as Ending,
    sentMs: numberOrNull(row, "sent_ms"),
    firstByteMs: numberOrNull(row, "first_byte_ms"),
    durationMs: number(row, "duration_ms"),
    bytesIn: number(row, "bytes_in"),
    bytesOut: number(row, "bytes_out"),
    upstreamRequestId: textOrNull(row, "upstream_request_id"),
    address: textOrNull(row, "address"),
    metered: metered(row),
    userName: textOrNull(row, "user_name"),
    groupName: textOrNull(row, "group_name"),
    keyName: textOrNull(row, "key_name"),
    parentKeyId: textOrNull(row, "parent_key_id"),
  };
}
