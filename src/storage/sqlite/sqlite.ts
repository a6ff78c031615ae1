import { Database, SQLiteError, type Statement } from "bun:sqlite";
import { StorageFailure } from "../../domain/store.ts";
import { migrations } from "../migrations/list.ts";
import { type Sql, type SqlRow, type SqlValue, type Step, UniqueViolation } from "../sql.ts";

/**
 * Opens the database file and brings its schema up to date.
 *
 * WAL with `synchronous=FULL`: what a transaction wrote is on the disk when it returns.
 * @throws StorageFailure where the file cannot be opened or a newer version wrote it.
 */
export function openSqlite(path: string): Sql {
  const database = translate(() => {
    const opened = new Database(path, { create: true, strict: true });
    opened.run("PRAGMA journal_mode = WAL");
    opened.run("PRAGMA synchronous = FULL");
    opened.run("PRAGMA foreign_keys = ON");
    opened.run("PRAGMA busy_timeout = 2000");
    return opened;
  });
  migrate(database);
  return new SqliteSql(database);
}

/** A further connection to a database that `openSqlite` has opened; it sees what is on the disk, and changes nothing. */
export function openSqliteReader(path: string): Sql {
  const database = translate(() => {
    const opened = new Database(path, { readonly: true, strict: true });
    opened.run("PRAGMA busy_timeout = 2000");
    // Large sums are made in memory.
    opened.run("PRAGMA temp_store = MEMORY");
    opened.run("PRAGMA cache_size = -65536");
    return opened;
  });
  return new SqliteSql(database, "BEGIN");
}

function migrate(database: Database): void {
  const row = database.query("PRAGMA user_version").get() as { user_version: number };
  if (row.user_version > migrations.length) {
    database.close();
    throw new StorageFailure(
      `The data directory was written by a newer LlaMaKey (schema ${row.user_version}, this one knows ${migrations.length}). Start that version again, or restore a backup made with this one.`,
    );
  }
  for (const [index, migration] of migrations.entries()) {
    if (index < row.user_version) continue;
    translate(() =>
      database.transaction(() => {
        database.run(migration);
        database.run(`PRAGMA user_version = ${index + 1}`);
      })(),
    );
  }
}

/** Over a connection that it owns. */
export class SqliteSql implements Sql {
  private readonly statements = new Map<string, Statement>();
  private readonly database: Database;
  private readonly begin: string;

  constructor(database: Database, begin: "BEGIN IMMEDIATE" | "BEGIN" = "BEGIN IMMEDIATE") {
    this.database = database;
    this.begin = begin;
  }

  async all(text: string, ...values: SqlValue[]): Promise<SqlRow[]> {
    return translate(() => this.prepare(text).all(...values) as SqlRow[]);
  }

  async run(text: string, ...values: SqlValue[]): Promise<number> {
    return translate(() => this.prepare(text).run(...values).changes);
  }

  async runMany(text: string, rows: readonly SqlValue[][]): Promise<void> {
    const statement = this.prepare(text);
    translate(() => {
      for (const values of rows) statement.run(...values);
    });
  }

  async runAll(steps: readonly Step[]): Promise<void> {
    // Within a transaction it is a part of it.
    const isPart = this.database.inTransaction;
    translate(() => {
      if (!isPart) this.prepare(this.begin).run();
      try {
        for (const [text, rows] of steps) {
          const statement = this.prepare(text);
          for (const values of rows) statement.run(...values);
        }
        if (!isPart) this.prepare("COMMIT").run();
      } catch (error) {
        if (!isPart && this.database.inTransaction) this.database.run("ROLLBACK");
        throw error;
      }
    });
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    // Calls run one after another: whoever finds a transaction open is inside it.
    if (this.database.inTransaction) return work();
    translate(() => this.prepare(this.begin).run());
    try {
      const result = await work();
      translate(() => this.prepare("COMMIT").run());
      return result;
    } catch (error) {
      if (this.database.inTransaction) this.database.run("ROLLBACK");
      throw error;
    }
  }

  async lazyTransaction<T>(work: () => Promise<T>): Promise<T> {
    // In a WAL that is what it means: what was durable stays so, and the next durable commit makes this so as well.
    translate(() => this.database.run("PRAGMA synchronous = NORMAL"));
    try {
      return await this.transaction(work);
    } finally {
      translate(() => this.database.run("PRAGMA synchronous = FULL"));
    }
  }

  async close(): Promise<void> {
    for (const statement of this.statements.values()) statement.finalize();
    this.database.close();
  }

  private prepare(text: string): Statement {
    let statement = this.statements.get(text);
    if (statement === undefined) {
      statement = this.database.prepare(text);
      this.statements.set(text, statement);
    }
    return statement;
  }
}

/** The platform's errors as the store's own. */
export function translate<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SQLiteError)) throw error;
    if (/^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/.test(error.code ?? ""))
      throw new UniqueViolation(error.message);
    throw new StorageFailure(`The database failed (${error.code ?? "unknown"}): ${error.message}`, {
      cause: error,
    });
  }
}
