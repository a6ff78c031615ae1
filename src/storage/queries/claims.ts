import type { Claim } from "../../domain/claim.ts";
import type { MasterKey } from "../../domain/directory.ts";
import type { ClaimStore } from "../../domain/store.ts";
import { bytes, number, numberOrNull, text, textOrNull } from "../rows.ts";
import type { Sql, SqlRow } from "../sql.ts";
import { DirectoryQueries } from "./directory.ts";

export class ClaimQueries implements ClaimStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async addClaim(claim: Claim): Promise<void> {
    await this.sql.run(
      `INSERT INTO claims (id, user_id, key_name, key_expires_at, hash, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      claim.id,
      claim.userId,
      claim.keyName,
      claim.keyExpiresAt,
      claim.hash,
      claim.createdAt,
      claim.expiresAt,
    );
  }

  async listClaims(): Promise<Claim[]> {
    return (await this.sql.all("SELECT * FROM claims ORDER BY created_at DESC, id")).map(claimOf);
  }

  async readClaim(id: string): Promise<Claim | null> {
    const [row] = await this.sql.all("SELECT * FROM claims WHERE id = ?", id);
    return row === undefined ? null : claimOf(row);
  }

  async revokeClaim(id: string, at: number): Promise<boolean> {
    const changed = await this.sql.run(
      "UPDATE claims SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL AND claimed_at IS NULL",
      at,
      id,
    );
    return changed > 0;
  }

  useClaim(id: string, key: MasterKey, at: number): Promise<boolean> {
    return this.sql.transaction(async () => {
      const changed = await this.sql.run(
        `UPDATE claims SET claimed_at = ?, key_id = ?
         WHERE id = ? AND claimed_at IS NULL AND revoked_at IS NULL AND expires_at > ?`,
        at,
        key.id,
        id,
        at,
      );
      if (changed === 0) return false;
      await new DirectoryQueries(this.sql).addKey(key);
      return true;
    });
  }
}

function claimOf(row: SqlRow): Claim {
  return {
    id: text(row, "id"),
    userId: text(row, "user_id"),
    keyName: text(row, "key_name"),
    keyExpiresAt: numberOrNull(row, "key_expires_at"),
    hash: bytes(row, "hash"),
    createdAt: number(row, "created_at"),
    expiresAt: number(row, "expires_at"),
    revokedAt: numberOrNull(row, "revoked_at"),
    claimedAt: numberOrNull(row, "claimed_at"),
    keyId: textOrNull(row, "key_id"),
  };
}
