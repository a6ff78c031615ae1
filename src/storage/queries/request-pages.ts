import type { LoggedRequest, RequestPage, RequestPageFilter } from "../../domain/request-record.ts";
import type { RequestStore } from "../../domain/store.ts";
import { number } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";
import { conditions, loggedRequest } from "./requests.ts";

/** Rows that are looked at, one after another, before a page is given although it is not full. */
const MOST_LOOKED_AT = 60_000;
/** Of these, so many at a time. */
const SLICE = 10_000;

const NAMED = `r.*, u.name AS user_name, g.name AS group_name, k.name AS key_name, k.parent_id AS parent_key_id, b.hash AS price_hash`;
const NAMES = `LEFT JOIN users u ON u.id = r.user_id
  LEFT JOIN groups g ON g.id = r.group_id
  LEFT JOIN keys k ON k.id = r.key_id
  LEFT JOIN price_books b ON b.id = r.price_book`;

/** The log as people read it: page by page, in the order of arrival. */
export class RequestPageQueries implements Pick<RequestStore, "pageRequests" | "readRequest"> {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async readRequest(ref: string): Promise<LoggedRequest | null> {
    const column = /^\d{1,15}$/.test(ref) ? "seq" : "id";
    const [row] = await this.sql.all(
      `SELECT ${NAMED} FROM requests r ${NAMES} WHERE r.${column} = ? ORDER BY r.seq LIMIT 1`,
      column === "seq" ? Number(ref) : ref,
    );
    return row === undefined ? null : loggedRequest(row);
  }

  async pageRequests(filter: RequestPageFilter): Promise<RequestPage> {
    const narrowed = await this.narrowed(filter);
    return narrowed.index === undefined ? this.bySlices(filter, narrowed) : this.byIndex(filter, narrowed);
  }

  /** What an index leads to at once, or what is not narrowed at all. */
  private async byIndex(filter: RequestPageFilter, { where, values, index }: Narrowed): Promise<RequestPage> {
    const { limit } = filter;
    const range = rangeOf(filter);
    const rows = await this.sql.all(
      `SELECT ${NAMED} FROM requests r ${index} ${NAMES} WHERE ${[...range.where, ...where].join(" AND ") || "TRUE"}
       ORDER BY ${orderOf(filter)} LIMIT ?`,
      ...range.values,
      ...values,
      limit + 1,
    );
    const items = rows.slice(0, limit).map(loggedRequest);
    return { items, next: rows.length > limit ? placeOf(rows[limit - 1]) : null };
  }

  /** What has to be looked for row by row: so much of it as takes a moment, and then where to look on. */
  private async bySlices(filter: RequestPageFilter, { where, values }: Narrowed): Promise<RequestPage> {
    const { limit } = filter;
    const items: SqlRow[] = [];
    let behind = filter.behind;
    for (let looked = 0; looked < MOST_LOOKED_AT; looked += SLICE) {
      const range = rangeOf({ ...filter, behind });
      const slice = `SELECT r.* FROM requests r INDEXED BY requests_at WHERE ${range.where.join(" AND ") || "TRUE"}
        ORDER BY ${orderOf(filter)} LIMIT ${SLICE}`;
      const found = await this.sql.all(
        `SELECT ${NAMED} FROM (${slice}) r ${NAMES} WHERE ${where.join(" AND ")} ORDER BY ${orderOf(filter)} LIMIT ?`,
        ...range.values,
        ...values,
        limit + 1 - items.length,
      );
      items.push(...found);
      if (items.length > limit) {
        return { items: items.slice(0, limit).map(loggedRequest), next: placeOf(items[limit - 1]) };
      }
      const [last] = await this.sql.all(
        `SELECT r.at, r.seq FROM requests r INDEXED BY requests_at WHERE ${range.where.join(" AND ") || "TRUE"}
         ORDER BY ${orderOf(filter)} LIMIT 1 OFFSET ${SLICE - 1}`,
        ...range.values,
      );
      if (last === undefined) return { items: items.map(loggedRequest), next: null };
      behind = placeOf(last) ?? undefined;
    }
    return { items: items.map(loggedRequest), next: behind ?? null };
  }

  private async narrowed(filter: RequestPageFilter): Promise<Narrowed> {
    const { q, status, since: _, until: __, userId, ...rest } = filter;
    // By ids, so that an index can be used.
    const user = filter.user === undefined ? undefined : await this.idOf("users", filter.user);
    const group = filter.group === undefined ? undefined : await this.idOf("groups", filter.group);
    const { where, values } = conditions({
      ...rest,
      user: undefined,
      group: undefined,
      shadowRefusal: rest.shadowRefusal,
      userId: userId ?? user,
    });
    const parts = where === "" ? [] : [where.replace(/^WHERE /, "")];
    const given: SqlValue[] = [...values];
    const add = (condition: string, ...some: SqlValue[]) => {
      parts.push(condition);
      given.push(...some);
    };
    if (group !== undefined) add("r.group_id = ?", group);
    let ofKey: string | undefined;
    if (filter.key !== undefined) {
      const [row] = await this.sql.all("SELECT user_id FROM keys WHERE id = ?", filter.key);
      ofKey = row === undefined ? undefined : String(row["user_id"]);
      if (ofKey !== undefined) add("r.user_id = ?", ofKey);
    }
    const exact = status !== undefined && status[0] === status[1];
    if (exact) add("r.status = ?", status[0]);
    else if (status !== undefined) add("r.status >= ? AND r.status <= ?", ...status);
    if (q !== undefined) {
      const like = `%${q.replace(/[!%_]/g, "!$&")}%`;
      const columns = ["id", "endpoint", "model", "address", "upstream_request_id"];
      add(
        `(${columns.map((column) => `r.${column} LIKE ? ESCAPE '!'`).join(" OR ")})`,
        ...columns.map(() => like),
      );
    }
    const isOfOne = (userId ?? user ?? ofKey) !== undefined;
    if (isOfOne) return { where: parts, values: given, index: "INDEXED BY requests_user" };
    if (filter.refusal !== undefined)
      return { where: parts, values: given, index: "INDEXED BY requests_refused" };
    if (exact && status[0] >= 400) {
      add("r.status >= 400");
      return { where: parts, values: given, index: "INDEXED BY requests_failed" };
    }
    return { where: parts, values: given, index: parts.length === 0 ? "INDEXED BY requests_at" : undefined };
  }

  /** What is no name is taken for an id. */
  private async idOf(table: "users" | "groups", ref: string): Promise<string> {
    const rows = await this.sql.all(
      `SELECT id FROM ${table} WHERE id = ? OR name = ? ORDER BY id = ? DESC`,
      ref,
      ref,
      ref,
    );
    return rows[0] === undefined ? ref : String(rows[0]["id"]);
  }
}

interface Narrowed {
  readonly where: readonly string[];
  readonly values: readonly SqlValue[];
  /** Undefined where no index leads to these rows. */
  readonly index: string | undefined;
}

function rangeOf({ since, until, behind, order }: RequestPageFilter): {
  where: string[];
  values: SqlValue[];
} {
  const where: string[] = [];
  const values: SqlValue[] = [];
  if (since !== undefined) where.push("r.at >= ?");
  if (since !== undefined) values.push(since);
  if (until !== undefined) where.push("r.at < ?");
  if (until !== undefined) values.push(until);
  if (behind !== undefined) {
    where.push(order === "newest" ? "(r.at, r.seq) < (?, ?)" : "(r.at, r.seq) > (?, ?)");
    values.push(behind.at, behind.seq);
  }
  return { where, values };
}

function orderOf({ order }: RequestPageFilter): string {
  return order === "newest" ? "r.at DESC, r.seq DESC" : "r.at, r.seq";
}

function placeOf(row: SqlRow | undefined) {
  return row === undefined ? null : { at: number(row, "at"), seq: number(row, "seq") };
}
