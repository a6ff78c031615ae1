import type { NamedKind, NamedProvider } from "../../domain/named-provider.ts";
import type { NamedProviderStore } from "../../domain/store.ts";
import { number, text } from "../rows.ts";
import type { Sql } from "../sql.ts";
import { insertNamed } from "../statements.ts";

export class NamedProviderQueries implements NamedProviderStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async addProvider(provider: NamedProvider): Promise<void> {
    const { id, kind, name, upstream, allowPrivate, createdAt } = provider;
    await insertNamed(
      this.sql,
      "provider",
      id,
      "INSERT INTO named_providers (id, kind, name, upstream, allow_private, created_at) VALUES (?, ?, ?, ?, ?, ?)",
      [id, kind, name, upstream, allowPrivate ? 1 : 0, createdAt],
    );
  }

  async listProviders(): Promise<NamedProvider[]> {
    const rows = await this.sql.all("SELECT * FROM named_providers ORDER BY id");
    return rows.map((row) => ({
      id: text(row, "id"),
      kind: text(row, "kind") as NamedKind,
      name: text(row, "name"),
      upstream: text(row, "upstream"),
      allowPrivate: number(row, "allow_private") !== 0,
      createdAt: number(row, "created_at"),
    }));
  }

  async removeProvider(id: string): Promise<boolean> {
    return (await this.sql.run("DELETE FROM named_providers WHERE id = ?", id)) > 0;
  }
}
