import type { Budget } from "../../domain/budget.ts";
import type { Period } from "../../domain/period.ts";
import type {
  Policy,
  Scope,
  ScopeChange,
  ScopeKind,
  ScopePolicy,
  StoredBudget,
} from "../../domain/policy.ts";
import { defaultSettings, type OrganisationSettings } from "../../domain/settings.ts";
import { Conflict, type PolicyStore } from "../../domain/store.ts";
import { number, numberOrNull, text, textOrNull } from "../rows.ts";
import { type Sql, type SqlRow, type SqlValue, UniqueViolation } from "../sql.ts";

export class PolicyQueries implements PolicyStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  listPolicies({ children }: { children?: "none" } = {}): Promise<ScopePolicy[]> {
    const which = children === "none" ? `WHERE NOT (scope_kind = 'key' AND ${IS_CHILD})` : "";
    // Both from one moment: a policy and budgets that belong together.
    return this.sql.transaction(async () => {
      const rows = await this.sql.all(`SELECT * FROM policies ${which} ORDER BY scope_kind, scope_id`);
      const budgets = await this.listBudgets();
      return rows.map((row) => {
        const scope = scopeOf(row);
        const ofScope = budgets.filter((budget) => isSame(budget.scope, scope));
        return {
          scope,
          policy: JSON.parse(text(row, "document")) as Policy,
          budgets: ofScope.map(({ scope: _, removedAt: __, ...budget }) => budget),
          version: number(row, "version"),
        };
      });
    });
  }

  changePolicies(changes: readonly ScopeChange[], at: number): Promise<void> {
    return this.sql.transaction(async () => {
      for (const change of changes) {
        await this.takeTurn(change, at);
        await this.replaceBudgets(change, at);
      }
    });
  }

  /** @throws Conflict where somebody else was faster. */
  private async takeTurn({ scope, version, policy }: ScopeChange, at: number): Promise<void> {
    const document = JSON.stringify(policy);
    const changed =
      version === 0
        ? await this.sql.run(
            `INSERT INTO policies (scope_kind, scope_id, document, version, updated_at) VALUES (?, ?, ?, 1, ?)
             ON CONFLICT (scope_kind, scope_id) DO NOTHING`,
            scope.kind,
            scope.id,
            document,
            at,
          )
        : await this.sql.run(
            `UPDATE policies SET document = ?, version = version + 1, updated_at = ?
             WHERE scope_kind = ? AND scope_id = ? AND version = ?`,
            document,
            at,
            scope.kind,
            scope.id,
            version,
          );
    if (changed === 0) throw new Conflict("This policy was changed meanwhile; look at it again.");
  }

  private async replaceBudgets({ scope, budgets }: ScopeChange, at: number): Promise<void> {
    const before = await this.sql.all(
      "SELECT id FROM budgets WHERE scope_kind = ? AND scope_id = ? AND removed_at IS NULL",
      scope.kind,
      scope.id,
    );
    const known = new Set(before.map((row) => text(row, "id")));
    const kept = new Set(budgets.map(({ id }) => id));
    // Removed first: a new one may have the name of one that goes.
    for (const id of known) {
      if (!kept.has(id)) await this.sql.run("UPDATE budgets SET removed_at = ? WHERE id = ?", at, id);
    }
    try {
      for (const budget of budgets) {
        if (known.has(budget.id)) await this.updateBudget(budget);
        else await this.insertBudget(scope, budget);
      }
    } catch (error) {
      if (error instanceof UniqueViolation) throw new Conflict("Two budgets of a scope have the same name.");
      throw error;
    }
  }

  private async updateBudget({ id, name, amount, thresholds, shadow }: Budget): Promise<void> {
    await this.sql.run(
      "UPDATE budgets SET name = ?, amount_nanos = ?, thresholds = ?, shadow = ? WHERE id = ?",
      name,
      amount.toString(),
      JSON.stringify(thresholds),
      shadow ? 1 : 0,
      id,
    );
  }

  private async insertBudget(scope: Scope, budget: Budget): Promise<void> {
    const { period } = budget;
    const values: SqlValue[] = [
      budget.id,
      scope.kind,
      scope.id,
      budget.name,
      budget.amount.toString(),
      period.kind,
      period.kind === "hours" ? period.hours : null,
      budget.provider,
      budget.model,
      JSON.stringify(budget.thresholds),
      budget.shadow ? 1 : 0,
      budget.createdAt,
    ];
    await this.sql.run(
      `INSERT INTO budgets (id, scope_kind, scope_id, name, amount_nanos, period, hours, provider, model,
         thresholds, shadow, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...values,
    );
  }

  async listBudgets({ removed = false }: { removed?: boolean } = {}): Promise<StoredBudget[]> {
    // Amounts as text: they may be more than a double holds.
    const rows = await this.sql.all(
      `SELECT id, scope_kind, scope_id, name, CAST(amount_nanos AS TEXT) AS amount, period, hours, provider,
         model, thresholds, shadow, created_at, removed_at
       FROM budgets ${removed ? "" : "WHERE removed_at IS NULL"} ORDER BY scope_kind, scope_id, name, created_at`,
    );
    return rows.map(storedBudget);
  }

  async readSettings(): Promise<OrganisationSettings> {
    const rows = await this.sql.all("SELECT name, value FROM settings");
    const stored = Object.fromEntries(rows.map((row) => [text(row, "name"), text(row, "value")]));
    const webhook = stored["webhook"] === undefined ? null : (JSON.parse(stored["webhook"]) as StoredWebhook);
    return {
      timeZone: stored["time_zone"] ?? defaultSettings.timeZone,
      webhook: webhook && { ...webhook, sealedSecret: Uint8Array.fromBase64(webhook.sealedSecret) },
      contact: stored["contact"] ?? null,
    };
  }

  putSettings({ timeZone, webhook, contact }: OrganisationSettings): Promise<void> {
    return this.sql.transaction(async () => {
      await this.putSetting("time_zone", timeZone);
      if (webhook === null) await this.sql.run("DELETE FROM settings WHERE name = ?", "webhook");
      else {
        const stored: StoredWebhook = { ...webhook, sealedSecret: webhook.sealedSecret.toBase64() };
        await this.putSetting("webhook", JSON.stringify(stored));
      }
      if (contact === null) await this.sql.run("DELETE FROM settings WHERE name = ?", "contact");
      else await this.putSetting("contact", contact);
    });
  }

  private async putSetting(name: string, value: string): Promise<void> {
    await this.sql.run(
      "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      name,
      value,
    );
  }
}

const IS_CHILD = "scope_id IN (SELECT id FROM keys WHERE parent_id IS NOT NULL)";

interface StoredWebhook {
  url: string;
  /** Base64. */
  sealedSecret: string;
  allowPrivate: boolean;
}

function storedBudget(row: SqlRow): StoredBudget {
  return {
    id: text(row, "id"),
    scope: scopeOf(row),
    name: text(row, "name"),
    amount: BigInt(text(row, "amount")),
    period: period(row),
    provider: textOrNull(row, "provider"),
    model: textOrNull(row, "model"),
    thresholds: JSON.parse(text(row, "thresholds")) as number[],
    shadow: number(row, "shadow") !== 0,
    createdAt: number(row, "created_at"),
    removedAt: numberOrNull(row, "removed_at"),
  };
}

function period(row: SqlRow): Period {
  const kind = text(row, "period") as Period["kind"];
  return kind === "hours" ? { kind, hours: number(row, "hours") } : { kind };
}

function scopeOf(row: SqlRow): Scope {
  return { kind: text(row, "scope_kind") as ScopeKind, id: text(row, "scope_id") };
}

function isSame(a: Scope, b: Scope): boolean {
  return a.kind === b.kind && a.id === b.id;
}
