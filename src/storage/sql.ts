export type SqlValue = string | number | bigint | boolean | null | Uint8Array;
export type SqlRow = Record<string, SqlValue>;

/** A statement, and the values of each time that it is run. */
export type Step = readonly [text: string, rows: readonly SqlValue[][]];

/** What the queries need of a database. Placeholders are `?`; the driver translates where its database differs. */
export interface Sql {
  all(text: string, ...values: SqlValue[]): Promise<SqlRow[]>;
  /** Returns how many rows changed. */
  run(text: string, ...values: SqlValue[]): Promise<number>;
  /** The same statement for each list of values, in one round trip where the database can. */
  runMany(text: string, rows: readonly SqlValue[][]): Promise<void>;
  /** `runMany` of several statements, one after another: all of it or nothing. Durable as `transaction` is. */
  runAll(steps: readonly Step[]): Promise<void>;
  /** All or nothing; durable when the outermost one returns. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /**
   * All or nothing; a crash may undo it, and nothing that came before it. It waits for no disk: for what can be made
   * again.
   */
  lazyTransaction<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Names a unique constraint that a statement broke; drivers throw it in place of their own error. */
export class UniqueViolation extends Error {
  override name = "UniqueViolation";
}
