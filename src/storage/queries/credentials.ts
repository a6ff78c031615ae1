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
    const { id, provider, name, upstream, sealed, masked, weight, createdAt } = credential;
    await insertNamed(
      this.sql,
      `${provider} credential`,
      name,
      "INSERT INTO credentials (id, provider, name, upstream, sealed, masked, weight, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      [id, provider, name, upstream, sealed, masked, weight, createdAt],
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
      weight: number(row, "weight"),
      createdAt: number(row, "created_at"),
    }));
  }

  async updateCredential(id: string, { weight }: { weight: number }): Promise<boolean> {
    return (await this.sql.run("UPDATE credentials SET weight = ? WHERE id = ?", weight, id)) > 0;
  }

  async removeCredential(id: string): Promise<boolean> {
    return (await this.sql.run("DELETE FROM credentials WHERE id = ?", id)) > 0;
  }
}
