import { Database } from "bun:sqlite";
import { StorageFailure } from "../../domain/store.ts";
import { migrations } from "../migrations/list.ts";
import { rowCostOf } from "../queries/requests.ts";
import { type SqlStore, sqlStore } from "../sql-store.ts";
import {
  type CommitLogContent,
  commitLogPath,
  commitsBehind,
  type LoggedCommit,
  readCommitLog,
} from "./commit-log.ts";
import { parseCommitText } from "./commit-text.ts";
import { SqliteSql, translate } from "./sqlite.ts";

/**
 * Opens the database for reading alone, as it is at this moment: what a running gateway writes meanwhile is not seen,
 * and it does not have to wait. In this thread: for commands, not for the gateway.
 *
 * Blocks, and the costs of rows, are read with what the database has not taken from its log yet.
 * @throws StorageFailure where it cannot be read or is another version's.
 */
export async function readSqliteStore(path: string): Promise<SqlStore> {
  // Before the database: what it takes from there meanwhile is known twice, and not missed.
  const log = readable(commitLogPath(path));
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
  const store = sqlStore(sql);
  return { ...store, ...further(store, commitsBehind(log, await store.readCommitPosition())) };
}

function readable(path: string): CommitLogContent | undefined {
  try {
    return readCommitLog(path);
  } catch (error) {
    if (error instanceof StorageFailure) throw error;
    throw new StorageFailure(`${path} cannot be read (${(error as Error).message}).`, { cause: error });
  }
}

/** Higher than any row's in a database. */
const FURTHER_ROWS = 2 ** 52;

function further(
  store: SqlStore,
  commits: readonly LoggedCommit[],
): Pick<SqlStore, "readBlocks" | "readRowCosts"> {
  const parsed = commits.map(({ text }) => parseCommitText(text));
  const blocks = parsed.flatMap(({ block }) => block ?? []);
  const rows = parsed.flatMap(({ rows }) => rows).map((values, at) => rowCostOf(values, FURTHER_ROWS + at));
  const and = async <Item extends { readonly seq: number }>(
    stored: Promise<Item[]>,
    more: readonly Item[],
    after: number,
    limit: number,
  ) => {
    const items = await stored;
    return items.concat(more.filter(({ seq }) => seq > after).slice(0, limit - items.length));
  };
  return {
    readBlocks: (after, limit) => and(store.readBlocks(after, limit), blocks, after, limit),
    readRowCosts: (after, limit) => and(store.readRowCosts(after, limit), rows, after, limit),
  };
}
