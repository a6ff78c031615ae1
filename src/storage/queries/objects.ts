import type { ListedObject, ObjectFilter, ObjectName, OwnedObject } from "../../domain/owned-object.ts";
import type { ObjectDecisions, ObjectStore } from "../../domain/store.ts";
import { number, numberOrNull, text, textOrNull } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";

/** Names that are looked up in one statement. */
const MOST_NAMES = 200;

/** Whose things are that providers keep. */
export class ObjectQueries implements ObjectStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  addObjects(objects: readonly OwnedObject[], anew: boolean): Promise<void> {
    return this.sql.transaction(() => this.insert(objects, anew ? REPLACE : REPLACE_DELETED));
  }

  private async insert(objects: readonly OwnedObject[], onConflict: string): Promise<void> {
    const rows = objects.map(({ provider, kind, id, credentialId, keyId, userId, groupId, createdAt }) => {
      const row: SqlValue[] = [provider, kind, id, credentialId, keyId, userId, groupId, createdAt];
      return row;
    });
    await this.sql.runMany(`${INSERT} ${onConflict}`, rows);
  }

  async findObjects(names: readonly ObjectName[]): Promise<OwnedObject[]> {
    const found: OwnedObject[] = [];
    for (let from = 0; from < names.length; from += MOST_NAMES) {
      const some = names.slice(from, from + MOST_NAMES);
      const conditions = some.map(() => "(provider = ? AND kind = ? AND id = ?)").join(" OR ");
      const values = some.flatMap(({ provider, kind, id }) => [provider, kind, id]);
      const rows = await this.sql.all(`SELECT * FROM objects WHERE ${conditions}`, ...values);
      found.push(...rows.map(ownedObject));
    }
    return found;
  }

  async noteDeleted({ provider, kind, id }: ObjectName, at: number): Promise<void> {
    await this.sql.run(
      "UPDATE objects SET deleted_at = ? WHERE provider = ? AND kind = ? AND id = ? AND deleted_at IS NULL",
      at,
      provider,
      kind,
      id,
    );
  }

  async listObjects(filter: ObjectFilter): Promise<ListedObject[]> {
    const conditions: string[] = [];
    const values: SqlValue[] = [];
    const where = (condition: string, ...added: SqlValue[]) => {
      conditions.push(condition);
      values.push(...added);
    };
    const { provider, kind, id, user, group, before, limit } = filter;
    if (provider !== undefined) where("o.provider = ?", provider);
    if (kind !== undefined) where("o.kind = ?", kind);
    if (id !== undefined) where("o.id = ?", id);
    if (user !== undefined) where("(o.user_id = ? OR u.name = ?)", user, user);
    if (group !== undefined) where("(o.group_id = ? OR g.name = ?)", group, group);
    if (before !== undefined) where("o.seq < ?", before);
    if (filter.deleted !== true) conditions.push("o.deleted_at IS NULL");
    const rows = await this.sql.all(
      `SELECT o.*, u.name AS user_name, g.name AS group_name FROM objects o
       LEFT JOIN users u ON u.id = o.user_id LEFT JOIN groups g ON g.id = o.group_id
       ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`} ORDER BY o.seq DESC LIMIT ?`,
      ...values,
      limit,
    );
    return rows.map((row) => ({
      ...ownedObject(row),
      seq: number(row, "seq"),
      userName: textOrNull(row, "user_name"),
      groupName: textOrNull(row, "group_name"),
    }));
  }
}

/** What administrators decide on them. */
export class ObjectDecisionQueries implements ObjectDecisions {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async assignObject({ provider, kind, id }: ObjectName, userId: string, at: number): Promise<boolean> {
    const [user] = await this.sql.all("SELECT group_id FROM users WHERE id = ?", userId);
    if (user === undefined) return false;
    await this.sql.run(
      `INSERT INTO objects (provider, kind, id, credential_id, key_id, user_id, group_id, created_at)
       VALUES (?, ?, ?, NULL, NULL, ?, ?, ?)
       ON CONFLICT (provider, kind, id) DO UPDATE SET user_id = excluded.user_id, group_id = excluded.group_id,
         deleted_at = NULL`,
      provider,
      kind,
      id,
      userId,
      text(user, "group_id"),
      at,
    );
    return true;
  }

  async forgetObject({ provider, kind, id }: ObjectName): Promise<boolean> {
    const gone = await this.sql.run(
      "DELETE FROM objects WHERE provider = ? AND kind = ? AND id = ?",
      provider,
      kind,
      id,
    );
    return gone > 0;
  }
}

const INSERT = `INSERT INTO objects (provider, kind, id, credential_id, key_id, user_id, group_id, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Whose it was first it stays, unless it was deleted. */
const SET_NEW = `ON CONFLICT (provider, kind, id) DO UPDATE SET credential_id = excluded.credential_id,
  key_id = excluded.key_id, user_id = excluded.user_id, group_id = excluded.group_id,
  created_at = excluded.created_at, deleted_at = NULL`;
const REPLACE = SET_NEW;
const REPLACE_DELETED = `${SET_NEW} WHERE objects.deleted_at IS NOT NULL`;

function ownedObject(row: SqlRow): OwnedObject {
  return {
    provider: text(row, "provider"),
    kind: text(row, "kind"),
    id: text(row, "id"),
    credentialId: textOrNull(row, "credential_id"),
    keyId: textOrNull(row, "key_id"),
    userId: text(row, "user_id"),
    groupId: text(row, "group_id"),
    createdAt: number(row, "created_at"),
    deletedAt: numberOrNull(row, "deleted_at"),
  };
}
