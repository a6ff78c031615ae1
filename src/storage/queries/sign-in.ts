import type { Role } from "../../domain/role.ts";
import {
  type ApiToken,
  defaultSignIn,
  type Identity,
  type OidcSettings,
  type Passkey,
  type SignedUser,
  type SignInLink,
  type SignInMethod,
  type SignInSettings,
  type StoredSession,
} from "../../domain/sign-in.ts";
import type { SignInStore, SignInTraceStore } from "../../domain/store.ts";
import { bytes, number, numberOrNull, text, textOrNull } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";

/** Columns of a row's user and group, under names that no other table's columns have. */
const OF_USER = `u.id AS u_id, u.name AS u_name, u.role AS u_role, u.created_at AS u_created, u.revoked_at AS u_revoked,
  u.expires_at AS u_expires, g.id AS g_id, g.name AS g_name, g.created_at AS g_created, g.revoked_at AS g_revoked,
  g.expires_at AS g_expires`;

export class SignInQueries implements SignInStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async addSession(session: StoredSession): Promise<void> {
    await this.sql.run(
      `INSERT INTO sessions (id, hash, user_id, method, created_at, last_seen_at, stepped_up_at, expires_at, address, agent)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      session.id,
      session.hash,
      session.userId,
      session.method,
      session.createdAt,
      session.lastSeenAt,
      session.steppedUpAt,
      session.expiresAt,
      session.address,
      session.agent,
    );
  }

  async listSessions(userId?: string): Promise<StoredSession[]> {
    const rows = await this.listOf("sessions", userId, "created_at DESC, id");
    return rows.map(sessionOf);
  }

  async readSession(hash: Uint8Array) {
    const row = await this.withUser("sessions", "hash", [hash]);
    return row === undefined ? null : { ...signedUser(row), session: sessionOf(row) };
  }

  async stepUpSession(id: string, at: number): Promise<boolean> {
    const changed = await this.sql.run("UPDATE sessions SET stepped_up_at = ? WHERE id = ?", at, id);
    return changed > 0;
  }

  async endSession(id: string): Promise<boolean> {
    return (await this.sql.run("DELETE FROM sessions WHERE id = ?", id)) > 0;
  }

  async endSessions(userId: string, except: string | null): Promise<boolean> {
    const ended = await this.sql.run(
      "DELETE FROM sessions WHERE user_id = ? AND id <> ?",
      userId,
      except ?? "",
    );
    return ended > 0;
  }

  async addSignInLink(link: SignInLink): Promise<void> {
    await this.sql.run(
      `INSERT INTO sign_in_links (id, hash, user_id, by_operator, made_by, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      link.id,
      link.hash,
      link.userId,
      link.byOperator ? 1 : 0,
      link.madeBy,
      link.createdAt,
      link.expiresAt,
    );
  }

  async readSignInLink(hash: Uint8Array) {
    const row = await this.withUser("sign_in_links", "hash", [hash]);
    if (row === undefined) return null;
    const link: SignInLink = {
      id: text(row, "id"),
      hash: bytes(row, "hash"),
      userId: text(row, "user_id"),
      byOperator: number(row, "by_operator") === 1,
      madeBy: textOrNull(row, "made_by"),
      createdAt: number(row, "created_at"),
      expiresAt: number(row, "expires_at"),
    };
    return { ...signedUser(row), link };
  }

  async useSignInLink(id: string): Promise<boolean> {
    return (await this.sql.run("DELETE FROM sign_in_links WHERE id = ?", id)) > 0;
  }

  async readPassword(userId: string): Promise<string | null> {
    const [row] = await this.sql.all("SELECT hash FROM passwords WHERE user_id = ?", userId);
    return row === undefined ? null : text(row, "hash");
  }

  async setPassword(userId: string, hash: string | null, at: number): Promise<boolean> {
    if (hash === null) return (await this.sql.run("DELETE FROM passwords WHERE user_id = ?", userId)) > 0;
    await this.sql.run(
      `INSERT INTO passwords (user_id, hash, changed_at) VALUES (?, ?, ?)
       ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at`,
      userId,
      hash,
      at,
    );
    return true;
  }

  async listPasskeys(userId: string): Promise<Passkey[]> {
    return (await this.listOf("passkeys", userId, "created_at, id")).map(passkeyOf);
  }

  async readPasskey(id: string) {
    const row = await this.withUser("passkeys", "id", [id]);
    return row === undefined ? null : { ...signedUser(row), passkey: passkeyOf(row) };
  }

  async addPasskey(passkey: Passkey): Promise<void> {
    await this.sql.run(
      `INSERT INTO passkeys (id, user_id, name, public_key, counter, transports, created_at, last_used_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      passkey.id,
      passkey.userId,
      passkey.name,
      passkey.publicKey,
      passkey.counter,
      JSON.stringify(passkey.transports),
      passkey.createdAt,
      passkey.lastUsedAt,
    );
  }

  async removePasskey(id: string): Promise<boolean> {
    return (await this.sql.run("DELETE FROM passkeys WHERE id = ?", id)) > 0;
  }

  async listApiTokens(userId?: string): Promise<ApiToken[]> {
    return (await this.listOf("api_tokens", userId, "created_at, id")).map(apiTokenOf);
  }

  async readApiToken(id: string) {
    const row = await this.withUser("api_tokens", "id", [id]);
    return row === undefined ? null : { ...signedUser(row), token: apiTokenOf(row) };
  }

  async addApiToken(token: ApiToken): Promise<void> {
    await this.sql.run(
      `INSERT INTO api_tokens (id, hash, user_id, name, scopes, created_at, expires_at, last_used_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      token.id,
      token.hash,
      token.userId,
      token.name,
      JSON.stringify(token.scopes),
      token.createdAt,
      token.expiresAt,
      token.lastUsedAt,
    );
  }

  async removeApiToken(id: string): Promise<boolean> {
    return (await this.sql.run("DELETE FROM api_tokens WHERE id = ?", id)) > 0;
  }

  async readIdentity(issuer: string, subject: string) {
    const row = await this.withUser("identities", "issuer = ? AND t.subject", [issuer, subject]);
    if (row === undefined) return null;
    const identity: Identity = {
      issuer,
      subject,
      userId: text(row, "user_id"),
      managed: number(row, "managed") === 1,
      createdAt: number(row, "created_at"),
    };
    return { ...signedUser(row), identity };
  }

  async addIdentity({ issuer, subject, userId, managed, createdAt }: Identity): Promise<void> {
    await this.sql.run(
      "INSERT INTO identities (issuer, subject, user_id, managed, created_at) VALUES (?, ?, ?, ?, ?)",
      issuer,
      subject,
      userId,
      managed ? 1 : 0,
      createdAt,
    );
  }

  async readSignInSettings(): Promise<SignInSettings> {
    const [row] = await this.sql.all("SELECT value FROM settings WHERE name = 'sign_in'");
    if (row === undefined) return defaultSignIn;
    const { oidc, ...rest } = JSON.parse(text(row, "value")) as StoredSettings;
    if (oidc === null) return { ...rest, oidc };
    const sealedSecret = oidc.sealedSecret === null ? null : Uint8Array.fromBase64(oidc.sealedSecret);
    return { ...rest, oidc: { ...oidc, sealedSecret } };
  }

  async putSignInSettings({ oidc, ssoOnly }: SignInSettings): Promise<void> {
    const sealedSecret = oidc?.sealedSecret?.toBase64() ?? null;
    const stored: StoredSettings = { oidc: oidc && { ...oidc, sealedSecret }, ssoOnly };
    await this.sql.run(
      `INSERT INTO settings (name, value) VALUES ('sign_in', ?)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      JSON.stringify(stored),
    );
  }

  private listOf(table: string, userId: string | undefined, order: string): Promise<SqlRow[]> {
    return userId === undefined
      ? this.sql.all(`SELECT * FROM ${table} ORDER BY ${order}`)
      : this.sql.all(`SELECT * FROM ${table} WHERE user_id = ? ORDER BY ${order}`, userId);
  }

  private async withUser(table: string, column: string, key: SqlValue[]): Promise<SqlRow | undefined> {
    const [row] = await this.sql.all(
      `SELECT t.*, ${OF_USER} FROM ${table} t JOIN users u ON u.id = t.user_id JOIN groups g ON g.id = u.group_id
       WHERE t.${column} = ?`,
      ...key,
    );
    return row;
  }
}

export class SignInTraceQueries implements SignInTraceStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async touchSession(id: string, at: number): Promise<void> {
    await this.sql.run("UPDATE sessions SET last_seen_at = ? WHERE id = ?", at, id);
  }

  async touchApiToken(id: string, at: number): Promise<void> {
    await this.sql.run("UPDATE api_tokens SET last_used_at = ? WHERE id = ?", at, id);
  }

  async touchPasskey(id: string, counter: number, at: number): Promise<void> {
    await this.sql.run("UPDATE passkeys SET counter = ?, last_used_at = ? WHERE id = ?", counter, at, id);
  }

  async pruneSignIn(before: number): Promise<void> {
    await this.sql.run("DELETE FROM sessions WHERE expires_at < ?", before);
    await this.sql.run("DELETE FROM sign_in_links WHERE expires_at < ?", before);
  }
}

interface StoredSettings {
  readonly oidc: (Omit<OidcSettings, "sealedSecret"> & { readonly sealedSecret: string | null }) | null;
  readonly ssoOnly: boolean;
}

function signedUser(row: SqlRow): SignedUser {
  const life = (of: "u" | "g") => ({
    createdAt: number(row, `${of}_created`),
    revokedAt: numberOrNull(row, `${of}_revoked`),
    expiresAt: numberOrNull(row, `${of}_expires`),
  });
  const groupId = text(row, "g_id");
  return {
    user: {
      id: text(row, "u_id"),
      name: text(row, "u_name"),
      groupId,
      role: text(row, "u_role") as Role,
      ...life("u"),
    },
    group: { id: groupId, name: text(row, "g_name"), ...life("g") },
  };
}

function sessionOf(row: SqlRow): StoredSession {
  return {
    id: text(row, "id"),
    hash: bytes(row, "hash"),
    userId: text(row, "user_id"),
    method: text(row, "method") as SignInMethod,
    createdAt: number(row, "created_at"),
    lastSeenAt: number(row, "last_seen_at"),
    steppedUpAt: number(row, "stepped_up_at"),
    expiresAt: number(row, "expires_at"),
    address: textOrNull(row, "address"),
    agent: text(row, "agent"),
  };
}

function passkeyOf(row: SqlRow): Passkey {
  return {
    id: text(row, "id"),
    userId: text(row, "user_id"),
    name: text(row, "name"),
    publicKey: bytes(row, "public_key"),
    counter: number(row, "counter"),
    transports: JSON.parse(text(row, "transports")) as string[],
    createdAt: number(row, "created_at"),
    lastUsedAt: numberOrNull(row, "last_used_at"),
  };
}

function apiTokenOf(row: SqlRow): ApiToken {
  return {
    id: text(row, "id"),
    hash: bytes(row, "hash"),
    userId: text(row, "user_id"),
    name: text(row, "name"),
    scopes: JSON.parse(text(row, "scopes")) as string[],
    createdAt: number(row, "created_at"),
    expiresAt: number(row, "expires_at"),
    lastUsedAt: numberOrNull(row, "last_used_at"),
  };
}
