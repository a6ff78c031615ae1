import { Conflict } from "../domain/store.ts";
import { type Sql, type SqlValue, UniqueViolation } from "./sql.ts";

/** Inserts what people name. @throws Conflict for a name that is taken. */
export async function insertNamed(
  sql: Sql,
  kind: string,
  name: string,
  statement: string,
  values: SqlValue[],
): Promise<void> {
  try {
    await sql.run(statement, ...values);
  } catch (error) {
    if (error instanceof UniqueViolation) throw new Conflict(`There is a ${kind} named "${name}" already.`);
    throw error;
  }
}

/**
 * Changes the given fields of a row; the rest stays. Column names come from the types' own field names, never from a
 * request.
 */
export async function updateFields(sql: Sql, table: string, id: string, change: object): Promise<boolean> {
  const fields = Object.entries(change).filter(([, value]) => value !== undefined);
  if (fields.length === 0) {
    return (await sql.all(`SELECT id FROM ${table} WHERE id = ?`, id)).length > 0;
  }
  const columns = fields.map(([field]) => `${COLUMNS[field] ?? unknownField(field)} = ?`).join(", ");
  const values = fields.map(([, value]) => value as SqlValue);
  try {
    return (await sql.run(`UPDATE ${table} SET ${columns} WHERE id = ?`, ...values, id)) > 0;
  } catch (error) {
    if (error instanceof UniqueViolation) throw new Conflict("That name is taken already.");
    throw error;
  }
}

const COLUMNS: Record<string, string> = {
  name: "name",
  groupId: "group_id",
  userId: "user_id",
  role: "role",
  createdAt: "created_at",
  revokedAt: "revoked_at",
  expiresAt: "expires_at",
  frozenAt: "frozen_at",
  frozenWhy: "frozen_why",
};

function unknownField(field: string): never {
  throw new TypeError(`no column for the field ${field}`);
}
