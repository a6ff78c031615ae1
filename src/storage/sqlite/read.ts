import { Database } from "bun:sqlite";
import { StorageFailure } from "../../domain/store.ts";
import { migrations } from "../migrations/list.ts";
import { type SqlStore, sqlStore } from "../sql-store.ts";
import { SqliteSql, translate } from "./sqlite.ts";

/**
 * Opens the database for reading alone, as it is at this moment: what a running gateway writes meanwhile is not seen,
 * and it does not have to wait. In this thread: for commands, not for the gateway.
 * @throws StorageFailure where it cannot be read or is another version's.
 */
export async function readSqliteStore(path: string): Promise<SqlStore> {
  const database = translate(() => {
    const opened = new Database(path, { readonly: true, strict: true });
    opened.run("PRAGMA busy_timeout = 2000");
    opened.run("BEGIN");
    return opened;
  });
  const sql = new SqliteSql(database);
  // The first read decides what the transaction sees.
  const [row] = await sql.all("PRAGMA user_version");
  const version = Number(row?.["user_version"]);
  if (version !== migrations.length) {
    await sql.close();
    const which = version > migrations.length ? "a newer" : "an older";
    throw new StorageFailure(
      `The database was written by ${which} LlaMaKey (schema ${version}, this one knows ${migrations.length}). Use the version that the gateway runs.`,
    );
  }
  return sqlStore(sql);
}
