import type { AuditFields } from "../../domain/audit.ts";
import type { AuditedStore, Change } from "../../domain/store.ts";
import { text } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";

/** A thing as the audit log shows it. What is not selected here is in no row. */
interface Subject {
  readonly kind: string;
  /** What is said of the thing with this key; null where there is none. */
  read(sql: Sql, key: Key): Promise<AuditFields | null>;
  /** From its key, where it has neither the id nor the name of its own that its fields say. */
  name?(key: Key): string;
}

type Key = readonly SqlValue[];

export interface Rule<Args extends readonly unknown[]> {
  readonly subject: Subject;
  /** Of the things that a call changes. */
  keys(...args: Args): readonly Key[];
  /** `key.revoke`: what to call a change from one to the other. */
  action(before: AuditFields | null, after: AuditFields | null): string;
  /** What else a call changes, with a row of its own for each. */
  readonly also?: Omit<Rule<Args>, "also">;
}

/** One column after another, in the order of the query; times as RFC 3339, JSON as what it says. */
function fieldsOf(row: SqlRow): AuditFields {
  const fields = Object.entries(row).map(([column, value]) => {
    const name = column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (value !== null && /_at$/.test(column)) return [name, new Date(Number(value)).toISOString()];
    if (value !== null && JSON_COLUMNS.has(column)) return [name, JSON.parse(String(value))];
    return [name, typeof value === "bigint" ? value.toString() : value];
  });
  return Object.fromEntries(fields) as AuditFields;
}

const JSON_COLUMNS = new Set(["rates", "document", "thresholds", "scopes"]);

function selected(kind: string, query: string, name?: Subject["name"]): Subject {
  return {
    kind,
    async read(sql, key) {
      const [row] = await sql.all(query, ...key);
      return row === undefined ? null : fieldsOf(row);
    },
    ...(name !== undefined && { name }),
  };
}

const group = selected(
  "group",
  "SELECT id, name, created_at, revoked_at, expires_at FROM groups WHERE id = ?",
);
const user = selected(
  "user",
  `SELECT u.id, u.name, u.group_id, g.name AS group_name, u.role, u.created_at, u.revoked_at, u.expires_at
   FROM users u JOIN groups g ON g.id = u.group_id WHERE u.id = ?`,
);
const key = selected(
  "key",
  `SELECT k.id, k.name, k.user_id, u.name AS user_name, k.parent_id, k.created_at, k.revoked_at, k.expires_at,
     k.frozen_at, k.frozen_why,
     (SELECT MAX(version) FROM key_secrets WHERE key_id = k.id) AS secret_version,
     (SELECT MAX(expires_at) FROM key_secrets WHERE key_id = k.id) AS previous_secret_expires_at
   FROM keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?`,
);
/** A key that was seen where none belongs: told by its id, never by its text. */
const leakedKey = selected(
  "key",
  `SELECT k.id, k.name, k.user_id, u.name AS user_name, 'lmk_' || k.id || '_...' AS masked, k.leaked_at, k.leaked_in,
     k.leaked_version, k.leaked_request, k.frozen_at, k.frozen_why
   FROM keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?`,
);
const claim = selected(
  "claim",
  `SELECT c.id, c.user_id, u.name AS user_name, c.key_name, c.key_expires_at, c.created_at, c.expires_at, c.revoked_at
   FROM claims c JOIN users u ON u.id = c.user_id WHERE c.id = ?`,
);
/** A key with the link that it was made by. */
const claimedKey: Subject = {
  kind: "key",
  async read(sql, [id = ""]) {
    const fields = await key.read(sql, [id]);
    const [row] = await sql.all("SELECT id FROM claims WHERE key_id = ?", id);
    return fields && { ...fields, claimId: row === undefined ? null : text(row, "id") };
  },
};
const credential = selected(
  "credential",
  "SELECT id, provider, name, upstream, masked, weight, created_at FROM credentials WHERE id = ?",
);
const provider = selected(
  "provider",
  "SELECT id, kind, name, upstream, allow_private, created_at FROM named_providers WHERE id = ?",
);
const price = selected(
  "price",
  `SELECT provider, model, service_tier, rates, created_at FROM price_overrides
   WHERE provider = ? AND model = ? AND service_tier = ?`,
  ([provider, model, tier]) => `${provider}/${model}${tier === "" ? "" : ` (${tier})`}`,
);
const pricingDefault = selected(
  "pricing_default",
  "SELECT provider, kind, price FROM pricing_defaults WHERE provider = ?",
  ([provider]) => String(provider),
);

/** Half a megabyte of prices: its hash tells which. */
const snapshot: Subject = {
  kind: "price_snapshot",
  async read(sql) {
    const [row] = await sql.all("SELECT text, pinned_at FROM pinned_snapshot");
    if (row === undefined) return null;
    return { sha256: sha256(text(row, "text")), ...fieldsOf({ pinned_at: row["pinned_at"] ?? null }) };
  },
  name: () => "list prices",
};

const policy: Subject = {
  kind: "policy",
  async read(sql, [kind = "", id = ""]) {
    const [row] = await sql.all(
      "SELECT document, version FROM policies WHERE scope_kind = ? AND scope_id = ?",
      kind,
      id,
    );
    if (row === undefined) return null;
    const budgets = await sql.all(
      `SELECT id, name, CAST(amount_nanos AS TEXT) AS amount_nanos, period, hours, provider, model, thresholds, shadow,
         created_at
       FROM budgets WHERE scope_kind = ? AND scope_id = ? AND removed_at IS NULL ORDER BY name, id`,
      kind,
      id,
    );
    const { document, version } = fieldsOf(row);
    const name = await scopeName(sql, String(kind), id);
    const ref = id === "" ? kind : `${kind}:${id}`;
    return { id: ref, name, version, policy: document, budgets: budgets.map(fieldsOf) };
  },
};

/** A key with what restricts it alone. */
const childKey: Subject = {
  kind: "key",
  async read(sql, [id = ""]) {
    const fields = await key.read(sql, [id]);
    const own = await policy.read(sql, ["key", id]);
    return fields && { ...fields, policy: own?.["policy"] ?? {}, budgets: own?.["budgets"] ?? [] };
  },
};

const SCOPE_TABLES: Readonly<Record<string, string>> = { group: "groups", user: "users", key: "keys" };

/** As people write it: `user:ada`. */
async function scopeName(sql: Sql, kind: string, id: SqlValue): Promise<string> {
  const table = SCOPE_TABLES[kind];
  if (table === undefined) return kind;
  const [row] = await sql.all(`SELECT name FROM ${table} WHERE id = ?`, id);
  return `${kind}:${kind === "key" || row === undefined ? id : text(row, "name")}`;
}

const settings: Subject = {
  kind: "settings",
  async read(sql) {
    const rows = await sql.all("SELECT name, value FROM settings ORDER BY name");
    const stored = Object.fromEntries(rows.map((row) => [text(row, "name"), text(row, "value")]));
    const webhook = JSON.parse(stored["webhook"] ?? "null") as Record<string, unknown> | null;
    return {
      timeZone: stored["time_zone"] ?? null,
      contact: stored["contact"] ?? null,
      webhook: webhook && {
        // What follows the host may be a secret.
        host: new URL(String(webhook["url"])).origin,
        allowPrivate: webhook["allowPrivate"],
        // Sealing is never the same twice: this tells only that it is another one.
        secretSetting: sha256(String(webhook["sealedSecret"])).slice(0, 8),
      },
    };
  },
  name: () => "organisation",
};

const ask = selected(
  "ask",
  `SELECT a.id, a.user_id, u.name AS user_name, a.kind, a.scope_kind, a.scope_id, a.budget_id, a.name AS what, a.amount,
     a.reason, a.state, a.created_at, a.decided_at, a.decided_by, a.answer
   FROM asks a LEFT JOIN users u ON u.id = a.user_id WHERE a.id = ?`,
);

const object = selected(
  "object",
  `SELECT o.provider, o.kind, o.id, o.user_id, u.name AS user_name, o.group_id, o.created_at, o.deleted_at
   FROM objects o LEFT JOIN users u ON u.id = o.user_id WHERE o.provider = ? AND o.kind = ? AND o.id = ?`,
  ([provider, kind, id]) => `${provider}/${kind}/${id}`,
);

const session = selected(
  "session",
  `SELECT s.id, u.name, s.user_id, s.method, s.address, s.agent, s.created_at, s.stepped_up_at, s.expires_at
   FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?`,
);
const sessionsOfUser = selected(
  "user",
  `SELECT u.id, u.name, (SELECT COUNT(*) FROM sessions WHERE user_id = u.id) AS sessions
   FROM users u WHERE u.id = ?`,
);
const signInLink = selected(
  "sign_in_link",
  `SELECT l.id, u.name, l.user_id, l.by_operator, l.created_at, l.expires_at
   FROM sign_in_links l JOIN users u ON u.id = l.user_id WHERE l.id = ?`,
);
const password = selected(
  "password",
  `SELECT u.id, u.name, p.changed_at FROM passwords p JOIN users u ON u.id = p.user_id WHERE p.user_id = ?`,
);
const passkey = selected(
  "passkey",
  `SELECT p.id, p.name, p.user_id, u.name AS user_name, p.created_at
   FROM passkeys p JOIN users u ON u.id = p.user_id WHERE p.id = ?`,
);
const apiToken = selected(
  "token",
  `SELECT t.id, t.name, t.user_id, u.name AS user_name, t.scopes, t.created_at, t.expires_at
   FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE t.id = ?`,
);
const identity = selected(
  "identity",
  `SELECT i.issuer, i.subject, i.user_id, u.name AS user_name, i.managed, i.created_at
   FROM identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = ? AND i.subject = ?`,
  ([issuer, subject]) => `${subject} at ${issuer}`,
);

const signInSettings: Subject = {
  kind: "sign_in",
  async read(sql) {
    const [row] = await sql.all("SELECT value FROM settings WHERE name = 'sign_in'");
    if (row === undefined) return null;
    const { oidc, ssoOnly } = JSON.parse(text(row, "value")) as Record<string, unknown> & {
      oidc: Record<string, unknown> | null;
    };
    if (oidc === null) return { oidc, ssoOnly };
    const { sealedSecret, ...rest } = oidc;
    const secretSetting = sealedSecret === null ? null : sha256(String(sealedSecret)).slice(0, 8);
    return { oidc: { ...rest, secretSetting }, ssoOnly };
  },
  name: () => "sign-in",
};

function lifetimeAction(kind: string) {
  return (before: AuditFields | null, after: AuditFields | null): string => {
    const [was, is] = [before?.["revokedAt"] ?? null, after?.["revokedAt"] ?? null];
    const [thawed, frozen] = [before?.["frozenAt"] ?? null, after?.["frozenAt"] ?? null];
    if (thawed === null && frozen !== null) return `${kind}.freeze`;
    if (thawed !== null && frozen === null) return `${kind}.unfreeze`;
    if (was === null && is !== null) return `${kind}.revoke`;
    return was !== null && is === null ? `${kind}.restore` : `${kind}.change`;
  };
}

function policyAction(before: AuditFields | null, after: AuditFields | null): string {
  const isSame = JSON.stringify(before?.["policy"] ?? {}) === JSON.stringify(after?.["policy"]);
  return isSame ? "budget.change" : "policy.change";
}

function setOrUnset(kind: string, set = "set", unset = "unset") {
  return (_: AuditFields | null, after: AuditFields | null): string =>
    `${kind}.${after === null ? unset : set}`;
}

/** Of every change that the store knows: a method without a rule does not compile. */
export const rules: { readonly [Name in Change]: Rule<Parameters<AuditedStore[Name]>> } = {
  addGroup: { subject: group, keys: ({ id }) => [[id]], action: () => "group.add" },
  updateGroup: { subject: group, keys: (id) => [[id]], action: lifetimeAction("group") },
  addUser: { subject: user, keys: ({ id }) => [[id]], action: () => "user.add" },
  updateUser: {
    subject: user,
    keys: (id) => [[id]],
    action: (before, after) =>
      before?.["role"] === after?.["role"] ? lifetimeAction("user")(before, after) : "user.role",
  },
  addKey: { subject: key, keys: ({ id }) => [[id]], action: () => "key.add" },
  addChildKey: { subject: childKey, keys: ({ id }) => [[id]], action: () => "key.add_child" },
  updateKey: { subject: key, keys: (id) => [[id]], action: lifetimeAction("key") },
  rotateKey: { subject: key, keys: (id) => [[id]], action: () => "key.rotate" },
  noteLeak: { subject: leakedKey, keys: (id) => [[id]], action: () => "key.leak" },
  addClaim: { subject: claim, keys: ({ id }) => [[id]], action: () => "claim.add" },
  revokeClaim: { subject: claim, keys: (id) => [[id]], action: () => "claim.revoke" },
  useClaim: { subject: claimedKey, keys: (_, { id }) => [[id]], action: () => "key.claim" },
  addCredential: { subject: credential, keys: ({ id }) => [[id]], action: () => "credential.add" },
  updateCredential: { subject: credential, keys: (id) => [[id]], action: () => "credential.change" },
  removeCredential: { subject: credential, keys: (id) => [[id]], action: () => "credential.remove" },
  addProvider: { subject: provider, keys: ({ id }) => [[id]], action: () => "provider.add" },
  removeProvider: { subject: provider, keys: (id) => [[id]], action: () => "provider.remove" },
  putPriceOverride: {
    subject: price,
    keys: ({ provider, model, serviceTier }) => [[provider, model, serviceTier ?? ""]],
    action: () => "price.set",
  },
  removePriceOverride: {
    subject: price,
    keys: (provider, model, serviceTier) => [[provider, model, serviceTier ?? ""]],
    action: () => "price.unset",
  },
  putPricingDefault: {
    subject: pricingDefault,
    keys: (provider) => [[provider]],
    action: setOrUnset("pricing_default"),
  },
  pinSnapshot: {
    subject: snapshot,
    keys: () => [[]],
    action: setOrUnset("price_snapshot", "pin", "unpin"),
  },
  changePolicies: {
    subject: policy,
    keys: (changes) => changes.map(({ scope: { kind, id } }) => [kind, id]),
    action: policyAction,
  },
  addAsk: { subject: ask, keys: ({ id }) => [[id]], action: () => "ask.add" },
  decideAsk: {
    subject: ask,
    keys: (id) => [[id]],
    action: (_, after) => (after?.["state"] === "granted" ? "ask.grant" : "ask.deny"),
    also: {
      subject: policy,
      keys: (_, __, changes) => changes.map(({ scope: { kind, id } }) => [kind, id]),
      action: policyAction,
    },
  },
  assignObject: {
    subject: object,
    keys: ({ provider, kind, id }) => [[provider, kind, id]],
    action: () => "object.assign",
  },
  forgetObject: {
    subject: object,
    keys: ({ provider, kind, id }) => [[provider, kind, id]],
    action: () => "object.forget",
  },
  addSession: { subject: session, keys: ({ id }) => [[id]], action: () => "session.start" },
  stepUpSession: { subject: session, keys: (id) => [[id]], action: () => "session.step_up" },
  endSession: { subject: session, keys: (id) => [[id]], action: () => "session.end" },
  endSessions: { subject: sessionsOfUser, keys: (userId) => [[userId]], action: () => "session.end_all" },
  addSignInLink: { subject: signInLink, keys: ({ id }) => [[id]], action: () => "sign_in_link.add" },
  useSignInLink: { subject: signInLink, keys: (id) => [[id]], action: () => "sign_in_link.use" },
  setPassword: {
    subject: password,
    keys: (userId) => [[userId]],
    action: setOrUnset("password", "set", "remove"),
  },
  addPasskey: { subject: passkey, keys: ({ id }) => [[id]], action: () => "passkey.add" },
  removePasskey: { subject: passkey, keys: (id) => [[id]], action: () => "passkey.remove" },
  addApiToken: { subject: apiToken, keys: ({ id }) => [[id]], action: () => "token.add" },
  removeApiToken: { subject: apiToken, keys: (id) => [[id]], action: () => "token.remove" },
  addIdentity: {
    subject: identity,
    keys: ({ issuer, subject }) => [[issuer, subject]],
    action: () => "identity.add",
  },
  putSignInSettings: { subject: signInSettings, keys: () => [[]], action: () => "sign_in.change" },
  putSettings: { subject: settings, keys: () => [[]], action: () => "settings.change" },
};

function sha256(value: string): string {
  return new Bun.CryptoHasher("sha256").update(value).digest("hex");
}
