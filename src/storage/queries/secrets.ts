import type { SecretStore } from "../../domain/store.ts";
import { bytes } from "../rows.ts";
import type { Sql } from "../sql.ts";

export class SecretQueries implements SecretStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async readSecret(purpose: string): Promise<Uint8Array | null> {
    const [row] = await this.sql.all("SELECT wrapped FROM secrets WHERE purpose = ?", purpose);
    return row === undefined ? null : bytes(row, "wrapped");
  }

  async putSecret(purpose: string, wrapped: Uint8Array): Promise<Uint8Array> {
    await this.sql.run(
      "INSERT INTO secrets (purpose, wrapped) VALUES (?, ?) ON CONFLICT (purpose) DO NOTHING",
      purpose,
      wrapped,
    );
    return (await this.readSecret(purpose)) ?? wrapped;
  }
}
