import type { WebhookEventStore } from "../../domain/store.ts";
import type { ThresholdEvent, WebhookEvent } from "../../domain/webhook-event.ts";
import { number, text } from "../rows.ts";
import type { Sql } from "../sql.ts";

export class WebhookEventQueries implements WebhookEventStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async addThresholdEvent(event: ThresholdEvent): Promise<boolean> {
    const added = await this.sql.run(
      `INSERT INTO threshold_events (id, budget_id, period_start, threshold, at, body) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (budget_id, period_start, threshold) DO NOTHING`,
      event.id,
      event.budgetId,
      event.periodStart,
      event.threshold,
      event.at,
      event.body,
    );
    return added > 0;
  }

  /** What is told once because what it tells of is noted once, in the same transaction. */
  async addEvent({ id, at, body }: WebhookEvent): Promise<void> {
    await this.sql.run("INSERT INTO webhook_events (id, at, body) VALUES (?, ?, ?)", id, at, body);
  }

  async listUntoldEvents(): Promise<WebhookEvent[]> {
    const rows = await this.sql.all(
      `SELECT id, at, body FROM threshold_events WHERE outcome IS NULL
       UNION ALL SELECT id, at, body FROM webhook_events WHERE outcome IS NULL ORDER BY at, id`,
    );
    return rows.map((row) => ({ id: text(row, "id"), at: number(row, "at"), body: text(row, "body") }));
  }

  async closeEvent(id: string, outcome: "told" | "failed", at: number): Promise<void> {
    for (const table of ["threshold_events", "webhook_events"]) {
      await this.sql.run(
        `UPDATE ${table} SET outcome = ?, closed_at = ? WHERE id = ? AND outcome IS NULL`,
        outcome,
        at,
        id,
      );
    }
  }
}
