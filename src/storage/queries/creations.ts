import type { Creation, CreationStore } from "../../domain/store.ts";
import { number, text } from "../rows.ts";
import type { Sql } from "../sql.ts";

export class CreationQueries implements CreationStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  beginCreation(key: string, requestHash: string, at: number, keptSince: number): Promise<Creation | null> {
    return this.sql.transaction(async () => {
      await this.sql.run("DELETE FROM answered_creations WHERE at < ?", keptSince);
      const begun = await this.sql.run(
        "INSERT INTO answered_creations (key, at, request_hash) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
        key,
        at,
        requestHash,
      );
      if (begun > 0) return null;
      const [row] = await this.sql.all("SELECT * FROM answered_creations WHERE key = ?", key);
      if (row === undefined) return null;
      const answer =
        row["status"] == null ? null : { status: number(row, "status"), body: text(row, "answer") };
      return { requestHash: text(row, "request_hash"), answer };
    });
  }

  async endCreation(key: string, answer: Creation["answer"]): Promise<void> {
    if (answer === null) await this.sql.run("DELETE FROM answered_creations WHERE key = ?", key);
    else
      await this.sql.run(
        "UPDATE answered_creations SET status = ?, answer = ? WHERE key = ?",
        answer.status,
        answer.body,
        key,
      );
  }
}
