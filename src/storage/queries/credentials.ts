import type { StoredCredential } from "../../domain/credential.ts";
import type { CredentialStore } from "../../domain/store.ts";
import { bytes, number, text } from "../rows.ts";
import type { Sql } from "../sql.ts";
import { insertNamed } from "../statements.ts";

export class CredentialQueries implements CredentialStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async addCredential(credential: StoredCredential): Promise<void> {
    const { id, provider, name, upstream, sealed, masked, createdAt } = credential;
    await insertNamed(
      this.sql,
      `${provider} credential`,
      name,
      "INSERT INTO credentials (id, provider, name, upstream, sealed, masked, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      [id, provider, name, upstream, sealed, masked, createdAt],
    );
  }

  async listCredentials(): Promise<StoredCredential[]> {
    const rows = await this.sql.all("SELECT * FROM credentials ORDER BY provider, name");
    return rows.map((row) => ({
      id: text(row, "id"),
      provider: text(row, "provider"),
      name: text(row, "name"),
      upstream: text(row, "upstream"),
      sealed: bytes(row, "sealed"),
      masked: text(row, "masked"),
      createdAt: number(row, "created_at"),
    }));
  }

  async removeCredential(id: string): Promise<boolean> {
    return (await this.sql.run("DELETE FROM credentials WHERE id = ?", id)) > 0;
  }
}
