import type { Group, KeySecret, MasterKey, User } from "../../domain/directory.ts";
import type { DirectoryStore } from "../../domain/store.ts";
import { bytes, lifetime, number, numberOrNull, text } from "../rows.ts";
import type { Sql } from "../sql.ts";
import { insertNamed, updateFields } from "../statements.ts";

export class DirectoryQueries implements DirectoryStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async addGroup(group: Group): Promise<void> {
    await insertNamed(
      this.sql,
      "group",
      group.name,
      "INSERT INTO groups (id, name, created_at, revoked_at, expires_at) VALUES (?, ?, ?, ?, ?)",
      [group.id, group.name, group.createdAt, group.revokedAt, group.expiresAt],
    );
  }

  async listGroups(): Promise<Group[]> {
    const rows = await this.sql.all("SELECT * FROM groups ORDER BY name");
    return rows.map((row) => ({ id: text(row, "id"), name: text(row, "name"), ...lifetime(row) }));
  }

  updateGroup(id: string, change: Partial<Omit<Group, "id">>): Promise<boolean> {
    return updateFields(this.sql, "groups", id, change);
  }

  async addUser(user: User): Promise<void> {
    await insertNamed(
      this.sql,
      "user",
      user.name,
      "INSERT INTO users (id, name, group_id, created_at, revoked_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
      [user.id, user.name, user.groupId, user.createdAt, user.revokedAt, user.expiresAt],
    );
  }

  async listUsers(): Promise<User[]> {
    const rows = await this.sql.all("SELECT * FROM users ORDER BY name");
    return rows.map((row) => ({
      id: text(row, "id"),
      name: text(row, "name"),
      groupId: text(row, "group_id"),
      ...lifetime(row),
    }));
  }

  updateUser(id: string, change: Partial<Omit<User, "id">>): Promise<boolean> {
    return updateFields(this.sql, "users", id, change);
  }

  async addKey(key: MasterKey): Promise<void> {
    await this.sql.transaction(async () => {
      await insertNamed(
        this.sql,
        "key",
        key.id,
        "INSERT INTO keys (id, name, user_id, created_at, revoked_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        [key.id, key.name, key.userId, key.createdAt, key.revokedAt, key.expiresAt],
      );
      for (const secret of key.secrets) await this.insertSecret(key.id, secret);
    });
  }

  async listKeys(): Promise<MasterKey[]> {
    const secrets = new Map<string, KeySecret[]>();
    for (const row of await this.sql.all("SELECT * FROM key_secrets ORDER BY version DESC")) {
      const keyId = text(row, "key_id");
      const list = secrets.get(keyId) ?? [];
      list.push({
        version: number(row, "version"),
        hash: bytes(row, "hash"),
        createdAt: number(row, "created_at"),
        expiresAt: numberOrNull(row, "expires_at"),
      });
      secrets.set(keyId, list);
    }
    const rows = await this.sql.all("SELECT * FROM keys ORDER BY created_at, id");
    return rows.map((row) => ({
      id: text(row, "id"),
      name: text(row, "name"),
      userId: text(row, "user_id"),
      secrets: secrets.get(text(row, "id")) ?? [],
      ...lifetime(row),
    }));
  }

  updateKey(id: string, change: Partial<Omit<MasterKey, "id" | "secrets">>): Promise<boolean> {
    return updateFields(this.sql, "keys", id, change);
  }

  rotateKey(id: string, hash: Uint8Array, now: number, overlapUntil: number): Promise<boolean> {
    return this.sql.transaction(async () => {
      const [newest] = await this.sql.all(
        "SELECT version FROM key_secrets WHERE key_id = ? ORDER BY version DESC LIMIT 1",
        id,
      );
      if (newest === undefined) return false;
      const version = number(newest, "version");
      await this.sql.run("DELETE FROM key_secrets WHERE key_id = ? AND version < ?", id, version);
      await this.sql.run("UPDATE key_secrets SET expires_at = ? WHERE key_id = ?", overlapUntil, id);
      await this.insertSecret(id, { version: version + 1, hash, createdAt: now, expiresAt: null });
      return true;
    });
  }

  private async insertSecret(keyId: string, secret: KeySecret): Promise<void> {
    await this.sql.run(
      "INSERT INTO key_secrets (key_id, version, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
      keyId,
      secret.version,
      secret.hash,
      secret.createdAt,
      secret.expiresAt,
    );
  }
}
