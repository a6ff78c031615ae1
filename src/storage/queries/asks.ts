import type { Ask, AskDecision, AskFilter, AskKind, AskState } from "../../domain/ask.ts";
import type { ScopeChange, ScopeKind } from "../../domain/policy.ts";
import { type AskStore, Conflict, type PolicyStore } from "../../domain/store.ts";
import { number, numberOrNull, text, textOrNull } from "../rows.ts";
import type { Sql, SqlRow, SqlValue } from "../sql.ts";

export class AskQueries implements AskStore {
  private readonly sql: Sql;
  private readonly policies: Pick<PolicyStore, "changePolicies">;

  /** @param policies On the same database: a grant and what it changes are one transaction. */
  constructor(sql: Sql, policies: Pick<PolicyStore, "changePolicies">) {
    this.sql = sql;
    this.policies = policies;
  }

  async addAsk(ask: Ask): Promise<void> {
    await this.sql.run(
      `INSERT INTO asks (id, user_id, kind, scope_kind, scope_id, budget_id, name, amount, reason, state, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ask.id,
      ask.userId,
      ask.kind,
      ask.scope?.kind ?? null,
      ask.scope?.id ?? null,
      ask.budgetId,
      ask.name,
      ask.amount,
      ask.reason,
      ask.state,
      ask.createdAt,
    );
  }

  decideAsk(id: string, decision: AskDecision, changes: readonly ScopeChange[]): Promise<void> {
    const { state, at, by, answer } = decision;
    return this.sql.transaction(async () => {
      const decided = await this.sql.run(
        "UPDATE asks SET state = ?, decided_at = ?, decided_by = ?, answer = ? WHERE id = ? AND state = 'open'",
        state,
        at,
        by,
        answer,
        id,
      );
      if (decided === 0) throw new Conflict("Somebody has decided on this already.");
      await this.policies.changePolicies(changes, at);
    });
  }

  async listAsks({ userId, state, kind, before, limit }: AskFilter): Promise<Ask[]> {
    const conditions: [condition: string, ...values: SqlValue[]][] = [];
    if (userId !== undefined) conditions.push(["user_id = ?", userId]);
    if (state !== undefined) conditions.push(["state = ?", state]);
    if (kind !== undefined) conditions.push(["kind = ?", kind]);
    if (before !== undefined) conditions.push(["(created_at, id) < (?, ?)", before.at, before.id]);
    const where = conditions.map(([condition]) => condition).join(" AND ") || "TRUE";
    const rows = await this.sql.all(
      `SELECT * FROM asks WHERE ${where} ORDER BY created_at DESC, id DESC LIMIT ?`,
      ...conditions.flatMap(([, ...values]) => values),
      limit,
    );
    return rows.map(ask);
  }

  async readAsk(id: string): Promise<Ask | null> {
    const [row] = await this.sql.all("SELECT * FROM asks WHERE id = ?", id);
    return row === undefined ? null : ask(row);
  }
}

function ask(row: SqlRow): Ask {
  const kind = textOrNull(row, "scope_kind");
  return {
    id: text(row, "id"),
    userId: text(row, "user_id"),
    kind: text(row, "kind") as AskKind,
    scope: kind === null ? null : { kind: kind as ScopeKind, id: text(row, "scope_id") },
    budgetId: textOrNull(row, "budget_id"),
    name: textOrNull(row, "name"),
    amount: textOrNull(row, "amount"),
    reason: text(row, "reason"),
    state: text(row, "state") as AskState,
    createdAt: number(row, "created_at"),
    decidedAt: numberOrNull(row, "decided_at"),
    decidedBy: textOrNull(row, "decided_by"),
    answer: textOrNull(row, "answer"),
  };
}
