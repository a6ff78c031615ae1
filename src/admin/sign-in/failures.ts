import type { AuditSource } from "../../domain/audit.ts";
import type { User } from "../../domain/directory.ts";
import type { AdminStore } from "../../domain/store.ts";

/** Rows that failures may write at once, and how long until there may be one more, milliseconds. */
const ROWS = 60;
const ROW_MS = 60_000;

/** Writes down who tried in vain to come in. Whoever tries without end does not fill the disk with it. */
export class Failures {
  private readonly store: Pick<AdminStore, "noteAudit">;
  private allowance = ROWS;
  private reckonedAt = 0;
  /** Those since the last row that there was no room for. */
  private suppressed = 0;

  constructor(store: Pick<AdminStore, "noteAudit">) {
    this.store = store;
  }

  /** @param user Whom it was about; null where the name is nobody's, which is written down by no name: people type passwords there. */
  async note(
    source: AuditSource,
    method: string,
    reason: string,
    user: Pick<User, "id" | "name"> | null,
  ): Promise<void> {
    this.allowance = Math.min(ROWS, this.allowance + Math.max(0, source.at - this.reckonedAt) / ROW_MS);
    this.reckonedAt = source.at;
    if (this.allowance < 1) {
      this.suppressed += 1;
      return;
    }
    this.allowance -= 1;
    const unwritten = this.suppressed;
    this.suppressed = 0;
    await this.store.noteAudit(
      { ...source, actor: { kind: "nobody", id: null, name: "nobody" } },
      {
        action: "sign_in.fail",
        target: { kind: "user", id: user?.id ?? "unknown", name: user?.name ?? "unknown" },
        before: null,
        after: { method, reason, ...(unwritten > 0 && { unwritten }) },
      },
    );
  }
}
