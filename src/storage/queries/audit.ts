import type {
  AuditActor,
  AuditFields,
  AuditFilter,
  AuditNote,
  AuditRow,
  AuditSource,
} from "../../domain/audit.ts";
import { type AuditHead, auditHash, NO_HEAD, signHead } from "../../domain/audit-chain.ts";
import type { AuditedStore, AuditStore, Change } from "../../domain/store.ts";
import { number, text, textOrNull } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";
import { type Rule, rules } from "./audit-rules.ts";

export class AuditQueries implements AuditStore {
  private readonly sql: Sql;
  private readonly decisions: AuditedStore;
  private key: Uint8Array | undefined;

  /** @param decisions On the same database: what it does in a transaction of `sql` is part of it. */
  constructor(sql: Sql, decisions: AuditedStore) {
    this.sql = sql;
    this.decisions = decisions;
  }

  async openAudit(key: Uint8Array): Promise<void> {
    this.key = key;
  }

  audited<Name extends Change>(
    source: AuditSource,
    change: Name,
    ...args: Parameters<AuditedStore[Name]>
  ): ReturnType<AuditedStore[Name]> {
    const { also, ...itself } = rules[change] as Rule<readonly unknown[]>;
    const parts = also === undefined ? [itself] : [itself, also];
    const make = this.decisions[change] as (...args: readonly unknown[]) => Promise<unknown>;
    const done = this.sql.transaction(async () => {
      const befores: (AuditFields | null)[] = [];
      for (const { subject, keys } of parts)
        for (const key of keys(...args)) befores.push(await subject.read(this.sql, key));
      const result = await make.apply(this.decisions, args);
      // There was nothing to change.
      if (result === false) return result;
      for (const { subject, action, key } of parts.flatMap((part) =>
        part.keys(...args).map((one) => ({ ...part, key: one })),
      )) {
        const [before, after] = [befores.shift() ?? null, await subject.read(this.sql, key)];
        const fields = after ?? before;
        const id = subject.name?.(key) ?? String(fields?.["id"] ?? key.join(":"));
        const name = subject.name?.(key) ?? String(fields?.["name"] ?? id);
        const target = { kind: subject.kind, id, name };
        await this.append(source, { action: action(before, after), target, before, after });
      }
      return result;
    });
    return done as ReturnType<AuditedStore[Name]>;
  }

  noteAudit(source: AuditSource, note: AuditNote): Promise<void> {
    return this.sql.transaction(() => this.append(source, note));
  }

  async listAudit(filter: AuditFilter): Promise<AuditRow[]> {
    const { since, until, actor, action, target, before, after, limit } = filter;
    const conditions: [condition: string, ...values: SqlValue[]][] = [];
    if (since !== undefined) conditions.push(["at >= ?", since]);
    if (until !== undefined) conditions.push(["at < ?", until]);
    if (actor !== undefined) conditions.push(["(actor_id = ? OR actor_name = ?)", actor, actor]);
    if (action !== undefined)
      conditions.push(["(action = ? OR action LIKE ? ESCAPE '!')", action, `${escapeLike(action)}.%`]);
    if (target !== undefined) conditions.push(["(target_id = ? OR target_name = ?)", target, target]);
    if (before !== undefined) conditions.push(["seq < ?", before]);
    if (after !== undefined) conditions.push(["seq > ?", after]);
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.map(([one]) => one).join(" AND ")}`;
    const rows = await this.sql.all(
      `SELECT * FROM audit ${where} ORDER BY seq ${after === undefined ? "DESC" : "ASC"} LIMIT ?`,
      ...conditions.flatMap(([, ...values]) => values),
      limit,
    );
    return rows.map(auditRow);
  }

  async readAuditHead(): Promise<string> {
    return signHead(await this.head(), this.openKey());
  }

  private async head(): Promise<AuditHead> {
    const [row] = await this.sql.all("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
    return row === undefined ? NO_HEAD : { seq: number(row, "seq"), hash: text(row, "hash") };
  }

  /** Inside a transaction: no other row may come between the head and its successor. */
  private async append({ at, actor, address }: AuditSource, note: AuditNote): Promise<void> {
    const { action, target, before, after } = note;
    const head = await this.head();
    const row = {
      seq: head.seq + 1,
      at,
      actor: { ...actor, name: storable(actor.name) },
      address,
      action,
      target: { kind: target.kind, id: storable(target.id), name: storable(target.name) },
      before: before && JSON.stringify(before),
      after: after && JSON.stringify(after),
      previous: head.hash,
    };
    await this.sql.run(
      `INSERT INTO audit (seq, at, actor_kind, actor_id, actor_name, address, action, target_kind, target_id,
         target_name, fields_before, fields_after, previous, hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.seq,
      at,
      actor.kind,
      actor.id,
      row.actor.name,
      address,
      action,
      row.target.kind,
      row.target.id,
      row.target.name,
      row.before,
      row.after,
      row.previous,
      auditHash(this.openKey(), row),
    );
  }

  private openKey(): Uint8Array {
    if (this.key === undefined) throw new Error("the audit log is not open");
    return this.key;
  }
}

/** As a database gives it back: what is hashed must be what is read again. */
function storable(value: string): string {
  return value.toWellFormed().replaceAll("\u0000", "\ufffd");
}

function escapeLike(value: string): string {
  return value.replace(/[!%_]/g, "!$&");
}

function auditRow(row: SqlRow): AuditRow {
  return {
    seq: number(row, "seq"),
    at: number(row, "at"),
    actor: {
      kind: text(row, "actor_kind") as AuditActor["kind"],
      id: textOrNull(row, "actor_id"),
      name: text(row, "actor_name"),
    },
    address: textOrNull(row, "address"),
    action: text(row, "action"),
    target: {
      kind: text(row, "target_kind"),
      id: text(row, "target_id"),
      name: text(row, "target_name"),
    },
    before: textOrNull(row, "fields_before"),
    after: textOrNull(row, "fields_after"),
    previous: text(row, "previous"),
    hash: text(row, "hash"),
  };
}
