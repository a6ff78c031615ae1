import { type ChildKey, type ChildLimits, TooManyChildren } from "../../domain/child-key.ts";
import type { Group, KeySecret, MasterKey, User } from "../../domain/directory.ts";
import type { Leak, LeakPlace } from "../../domain/leak.ts";
import type { ScopeChange } from "../../domain/policy.ts";
import type { Role } from "../../domain/role.ts";
import { type ChildKeyStore, Conflict, type DirectoryStore, type KeyFilter } from "../../domain/store.ts";
import type { WebhookEvent } from "../../domain/webhook-event.ts";
import { bytes, lifetime, number, numberOrNull, text, textOrNull } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";
import { insertNamed, updateFields } from "../statements.ts";
import { PolicyQueries } from "./policies.ts";
import { WebhookEventQueries } from "./webhook-events.ts";

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
    return this.keepingAnOwner(() => updateFields(this.sql, "groups", id, change));
  }

  async addUser(user: User): Promise<void> {
    await insertNamed(
      this.sql,
      "user",
      user.name,
      `INSERT INTO users (id, name, group_id, role, created_at, revoked_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      [user.id, user.name, user.groupId, user.role, user.createdAt, user.revokedAt, user.expiresAt],
    );
  }

  async listUsers(): Promise<User[]> {
    const rows = await this.sql.all("SELECT * FROM users ORDER BY name");
    return rows.map((row) => ({
      id: text(row, "id"),
      name: text(row, "name"),
      groupId: text(row, "group_id"),
      role: text(row, "role") as Role,
      ...lifetime(row),
    }));
  }

  updateUser(id: string, change: Partial<Omit<User, "id">>): Promise<boolean> {
    return this.keepingAnOwner(() => updateFields(this.sql, "users", id, change));
  }

  /** @throws Conflict where the change leaves no owner who can always sign in, and there was one. */
  private keepingAnOwner(change: () => Promise<boolean>): Promise<boolean> {
    return this.sql.transaction(async () => {
      const hadOwner = await this.hasOwner();
      const changed = await change();
      if (hadOwner && !(await this.hasOwner())) {
        throw new Conflict("This is the last owner; make somebody else an owner first.");
      }
      return changed;
    });
  }

  private async hasOwner(): Promise<boolean> {
    const rows = await this.sql.all(
      `SELECT u.id FROM users u JOIN groups g ON g.id = u.group_id
       WHERE u.role = 'owner' AND u.revoked_at IS NULL AND u.expires_at IS NULL
         AND g.revoked_at IS NULL AND g.expires_at IS NULL
       LIMIT 1`,
    );
    return rows.length > 0;
  }

  async addKey(key: MasterKey): Promise<void> {
    await this.sql.transaction(async () => {
      await insertNamed(
        this.sql,
        "key",
        key.id,
        `INSERT INTO keys (id, name, user_id, created_at, revoked_at, expires_at, parent_id, parent_secret, frozen_at,
           frozen_why)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          key.id,
          key.name,
          key.userId,
          key.createdAt,
          key.revokedAt,
          key.expiresAt,
          key.parent?.keyId ?? null,
          key.parent?.secretVersion ?? null,
          key.frozenAt ?? null,
          key.frozenWhy ?? null,
        ],
      );
      for (const secret of key.secrets) await this.insertSecret(key.id, secret);
    });
  }

  addChildKey(key: ChildKey, scope: ScopeChange, limits: ChildLimits): Promise<void> {
    return this.sql.transaction(async () => {
      await this.requireRoom(key, limits);
      await this.addKey(key);
      await new PolicyQueries(this.sql).changePolicies([scope], key.createdAt);
    });
  }

  /** Counted where it is added, so that what comes at once cannot pass together. */
  private async requireRoom({ parent, userId, createdAt }: ChildKey, limits: ChildLimits): Promise<void> {
    const count = async (condition: string, ...values: SqlValue[]) => {
      const [row] = await this.sql.all(`SELECT COUNT(*) AS n FROM keys WHERE ${condition}`, ...values);
      return row === undefined ? 0 : number(row, "n");
    };
    const alive = "revoked_at IS NULL AND expires_at > ?";
    if ((await count(`parent_id = ? AND ${alive}`, parent.keyId, createdAt)) >= limits.ofParent)
      throw new TooManyChildren(`A key may have ${limits.ofParent} child keys at a time.`);
    const ofUser = "user_id = ? AND parent_id IS NOT NULL";
    if ((await count(`${ofUser} AND ${alive}`, userId, createdAt)) >= limits.ofUser)
      throw new TooManyChildren(`A user may have ${limits.ofUser} child keys at a time.`);
    if ((await count(`${ofUser} AND created_at > ?`, userId, createdAt - 60_000)) >= limits.perMinute)
      throw new TooManyChildren(`A user may make ${limits.perMinute} child keys a minute.`);
  }

  async listKeys({ children }: KeyFilter = {}): Promise<MasterKey[]> {
    const { condition, values } = keyCondition(children);
    const secrets = new Map<string, KeySecret[]>();
    const ofThese = `SELECT s.* FROM key_secrets s JOIN keys k ON k.id = s.key_id WHERE ${condition} ORDER BY s.version DESC`;
    for (const row of await this.sql.all(ofThese, ...values)) {
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
    const rows = await this.sql.all(
      `SELECT * FROM keys k WHERE ${condition} ORDER BY created_at, id`,
      ...values,
    );
    return rows.map((row) => ({
      id: text(row, "id"),
      name: text(row, "name"),
      userId: text(row, "user_id"),
      secrets: secrets.get(text(row, "id")) ?? [],
      frozenAt: numberOrNull(row, "frozen_at"),
      frozenWhy: textOrNull(row, "frozen_why"),
      ...lifetime(row),
      leak: leakOf(row),
      ...parentOf(row),
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

  noteLeak(id: string, leak: Leak, frozenWhy: string | null, event: WebhookEvent): Promise<boolean> {
    const { at, place, secretVersion, requestId } = leak;
    return this.sql.transaction(async () => {
      const noted = await this.sql.run(
        `UPDATE keys SET leaked_at = ?, leaked_in = ?, leaked_version = ?, leaked_request = ?
         WHERE id = ? AND revoked_at IS NULL AND (leaked_version IS NULL OR leaked_version < ?)`,
        at,
        place,
        secretVersion,
        requestId,
        id,
        secretVersion,
      );
      if (noted === 0) return false;
      if (frozenWhy !== null) {
        await this.sql.run(
          "UPDATE keys SET frozen_at = ?, frozen_why = ? WHERE id = ? AND frozen_at IS NULL",
          at,
          frozenWhy,
          id,
        );
      }
      await new WebhookEventQueries(this.sql).addEvent(event);
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

/** What is done to child keys without anybody's decision. */
export class ChildKeyQueries implements ChildKeyStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async retireChildKeys(endedBefore: number): Promise<void> {
    const ended = `scope_kind = 'key' AND scope_id IN (
      SELECT id FROM keys WHERE parent_id IS NOT NULL AND (expires_at < ? OR revoked_at < ?))`;
    await this.sql.transaction(async () => {
      await this.sql.run(`DELETE FROM policies WHERE ${ended}`, endedBefore, endedBefore);
      await this.sql.run(
        `UPDATE budgets SET removed_at = ? WHERE removed_at IS NULL AND ${ended}`,
        endedBefore,
        endedBefore,
        endedBefore,
      );
    });
  }
}

/** For the table `keys`, as `k`. */
function keyCondition(children: KeyFilter["children"]): { condition: string; values: SqlValue[] } {
  if (children === undefined) return { condition: "1 = 1", values: [] };
  if (children === "none") return { condition: "k.parent_id IS NULL", values: [] };
  const { aliveAt } = children;
  return {
    condition:
      "(k.parent_id IS NULL OR (k.parent_id IS NOT NULL AND k.expires_at >= ? AND COALESCE(k.revoked_at >= ?, TRUE)))",
    values: [aliveAt, aliveAt],
  };
}

function leakOf(row: SqlRow): Leak | null {
  const at = numberOrNull(row, "leaked_at");
  if (at === null) return null;
  return {
    at,
    place: text(row, "leaked_in") as LeakPlace,
    secretVersion: number(row, "leaked_version"),
    requestId: text(row, "leaked_request"),
  };
}

function parentOf(row: SqlRow): Pick<MasterKey, "parent"> {
  const keyId = textOrNull(row, "parent_id");
  return keyId === null ? {} : { parent: { keyId, secretVersion: number(row, "parent_secret") } };
}
