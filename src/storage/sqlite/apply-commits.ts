import type { Commit } from "../../domain/ledger.ts";
import type { SqlValue } from "../sql.ts";
import type { SqlStore } from "../sql-store.ts";
import { type CommitPosition, commitLogPath, commitsBehind, readCommitLog } from "./commit-log.ts";
import type { LoggedCommits } from "./commit-queue.ts";
import { parseCommitText } from "./commit-text.ts";

/** Commits that a start takes from the log in one transaction. */
const AT_ONCE = 1000;

/**
 * The database takes from its log what it does not have yet.
 * @returns where it stands then.
 * @throws StorageFailure where the log does not fit the database.
 */
export async function catchUp(store: SqlStore, path: string): Promise<CommitPosition> {
  const position = await store.readCommitPosition();
  const behind = commitsBehind(readCommitLog(commitLogPath(path)), position);
  for (let at = 0; at < behind.length; at += AT_ONCE) {
    const texts = behind.slice(at, at + AT_ONCE).map(({ text }) => text);
    await applyCommits(store, { texts, first: position.applied + 1 + at, checkpoint: null });
  }
  return { ...position, applied: position.applied + behind.length };
}

export function applyCommits(store: SqlStore, { texts, first, checkpoint }: LoggedCommits): Promise<void> {
  const commits = texts.map(parseCommitText);
  const blocks = commits.flatMap(({ block }) => block ?? []);
  const rows = commits.flatMap((commit) => commit.rows);
  return store.applyCommits(blocks, rows, checkpoint, { first, last: first + texts.length - 1 });
}

/** @param rows A JSON array of `requestValues`: as text they cost a quarter of what copied objects do between threads. */
export function commitValues(
  store: SqlStore,
  { block, jobs, costs, checkpoint }: Omit<Commit, "rows">,
  rows: string,
): Promise<void> {
  return store.commitValues(block, JSON.parse(rows) as SqlValue[][], jobs, costs, checkpoint);
}
