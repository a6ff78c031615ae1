import type {
  AccountBalance,
  AccountId,
  Block,
  Checkpoint,
  Commit,
  JobClaim,
  LedgerTail,
  RowCost,
} from "../../domain/ledger.ts";
import { type LedgerStore, StorageFailure } from "../../domain/store.ts";
import { bytes, number, numberOrNull, text } from "../rows.ts";
import type { Sql, SqlRow, SqlValue, Step } from "../sql.ts";
import { insertionOf, noteBooks, recostRequests, requestValues } from "./requests.ts";

export class LedgerQueries implements LedgerStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  commit({ block, rows, jobs, costs, checkpoint }: Commit): Promise<void> {
    return this.commitValues(block, rows.map(requestValues), jobs, costs, checkpoint);
  }

  /** The same from `requestValues`. */
  async commitValues(
    block: Block | null,
    rows: readonly SqlValue[][],
    jobs: readonly JobClaim[],
    costs: readonly RowCost[],
    checkpoint: Checkpoint | null,
  ): Promise<void> {
    const steps: Step[] = [];
    if (block !== null) steps.push([INSERT_BLOCK, [[block.seq, block.at, block.text, block.hash]]]);
    if (rows.length > 0) steps.push(await insertionOf(this.sql, rows));
    if (jobs.length > 0) steps.push([CLAIM_JOB, jobs.map((job) => [...job])]);
    if (costs.length === 0 && checkpoint === null) return this.sql.runAll(steps);
    await noteBooks(this.sql, costs);
    await this.sql.transaction(async () => {
      await this.sql.runAll(steps);
      if (costs.length > 0) await recostRequests(this.sql, costs);
      if (checkpoint !== null) await this.putCheckpoint(checkpoint);
    });
  }

  /**
   * What a commit log has, all of it or nothing; durable when it returns.
   * @param numbers Those of the commits: the first must follow the last one that was applied.
   */
  async applyCommits(
    blocks: readonly Block[],
    rows: readonly SqlValue[][],
    checkpoint: Checkpoint | null,
    numbers: { readonly first: number; readonly last: number },
  ): Promise<void> {
    const insertion = rows.length === 0 ? [] : [await insertionOf(this.sql, rows)];
    await this.sql.transaction(async () => {
      const { first, last } = numbers;
      const moved = await this.sql.run(
        "UPDATE commit_log SET applied = ? WHERE applied = ?",
        last,
        first - 1,
      );
      if (moved === 0) throw new StorageFailure(`Commit ${first} does not follow what the database has.`);
      await this.sql.runAll([
        [INSERT_BLOCK, blocks.map(({ seq, at, text, hash }) => [seq, at, text, hash])],
        ...insertion,
      ]);
      if (checkpoint !== null) await this.putCheckpoint(checkpoint);
    });
  }

  /** Which database this is, and the last commit that it has taken from its log. */
  async readCommitPosition(): Promise<{ database: string; applied: number }> {
    const [row = {}] = await this.sql.all("SELECT database, applied FROM commit_log");
    return { database: text(row, "database"), applied: number(row, "applied") };
  }

  async claimJob(job: string, requestId: string): Promise<boolean> {
    return (await this.sql.run(CLAIM_JOB, job, requestId)) > 0;
  }

  async unclaimJobs(requestIds: readonly string[]): Promise<void> {
    await this.sql.runMany(
      "DELETE FROM metered_jobs WHERE request_id = ?",
      requestIds.map((id) => [id]),
    );
  }

  async findUnlogged(requestIds: readonly string[]): Promise<string[]> {
    const unlogged: string[] = [];
    for (const id of requestIds) {
      const rows = await this.sql.all("SELECT 1 FROM requests WHERE id = ? LIMIT 1", id);
      if (rows.length === 0) unlogged.push(id);
    }
    return unlogged;
  }

  async readLedgerTail(): Promise<LedgerTail> {
    const [row] = await this.sql.all("SELECT seq, next_hold, open_holds FROM ledger_checkpoint");
    const seq = row === undefined ? 0 : number(row, "seq");
    const [head] = await this.sql.all("SELECT * FROM ledger_blocks WHERE seq = ?", seq);
    const checkpoint =
      row === undefined
        ? null
        : { seq, accounts: [], open: text(row, "open_holds"), nextHold: number(row, "next_hold") };
    return {
      checkpoint,
      head: head === undefined ? null : block(head),
      blocks: await this.readBlocks(seq, Number.MAX_SAFE_INTEGER),
    };
  }

  async readBlocks(after: number, limit: number): Promise<Block[]> {
    const rows = await this.sql.all(
      "SELECT * FROM ledger_blocks WHERE seq > ? ORDER BY seq LIMIT ?",
      after,
      limit,
    );
    return rows.map(block);
  }

  async findBlocks(
    since: number,
    until: number,
    text: string,
    limit: number,
    from?: number,
  ): Promise<Block[]> {
    const rows = await this.sql.all(
      "SELECT * FROM ledger_blocks WHERE seq >= ? AND seq < ? AND instr(text, ?) > 0 ORDER BY seq LIMIT ?",
      from ?? (await this.firstBlockAt(since)),
      await this.firstBlockAt(until),
      text,
      limit,
    );
    return rows.map(block);
  }

  /** By halves: times are in the order of the numbers, but for a clock that was set back. */
  private async firstBlockAt(time: number): Promise<number> {
    const [ends] = await this.sql.all("SELECT MIN(seq) AS first, MAX(seq) AS last FROM ledger_blocks");
    if (ends?.["first"] == null) return 0;
    let [low, high] = [number(ends, "first"), number(ends, "last") + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [row] = await this.sql.all("SELECT at FROM ledger_blocks WHERE seq = ?", middle);
      if (row === undefined || number(row, "at") < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async listAccounts(since: number): Promise<AccountBalance[]> {
    const rows = await this.sql.all(
      "SELECT * FROM accounts WHERE end_at IS NULL OR end_at > ? ORDER BY start_at, id",
      since,
    );
    return rows.map(account);
  }

  async readAccounts(ids: readonly AccountId[]): Promise<AccountBalance[]> {
    const found: AccountBalance[] = [];
    for (const id of ids) {
      const [row] = await this.sql.all("SELECT * FROM accounts WHERE id = ?", id);
      if (row !== undefined) found.push(account(row));
    }
    return found;
  }

  private async putCheckpoint({ seq, accounts, open, nextHold }: Checkpoint): Promise<void> {
    await this.sql.runMany(
      `INSERT INTO accounts (id, budget_id, start_at, end_at, posted) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET posted = excluded.posted`,
      accounts.map(({ id, budgetId, start, end, posted }) => [
        id,
        budgetId,
        start,
        Number.isFinite(end) ? end : null,
        posted.toString(),
      ]),
    );
    await this.sql.run(
      `INSERT INTO ledger_checkpoint (id, seq, next_hold, open_holds) VALUES (1, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE
       SET seq = excluded.seq, next_hold = excluded.next_hold, open_holds = excluded.open_holds`,
      seq,
      nextHold,
      open,
    );
  }
}

const CLAIM_JOB = "INSERT INTO metered_jobs (job, request_id) VALUES (?, ?) ON CONFLICT (job) DO NOTHING";
const INSERT_BLOCK = "INSERT INTO ledger_blocks (seq, at, text, hash) VALUES (?, ?, ?, ?)";

function block(row: SqlRow): Block {
  return {
    seq: number(row, "seq"),
    at: number(row, "at"),
    text: text(row, "text"),
    hash: new Uint8Array(bytes(row, "hash")),
  };
}

function account(row: SqlRow): AccountBalance {
  return {
    id: text(row, "id"),
    budgetId: text(row, "budget_id"),
    start: number(row, "start_at"),
    end: numberOrNull(row, "end_at") ?? Number.POSITIVE_INFINITY,
    posted: BigInt(text(row, "posted")),
  };
}
