/**
 * A thread that owns a SQLite connection, so that the gateway's event loop never waits for a disk: one writes, and one
 * reads what takes its time, so that no hold waits for somebody's chart. Calls run one after another, in the order they were posted.
 */
import type { Commit } from "../../domain/ledger.ts";
import type { SqlValue } from "../sql.ts";
import { type SqlStore, sqlStore } from "../sql-store.ts";
import { type CommitPosition, commitLogPath, commitsBehind, readCommitLog } from "./commit-log.ts";
import type { LoggedCommits } from "./commit-queue.ts";
import { parseCommitText } from "./commit-text.ts";
import { openSqlite, openSqliteReader } from "./sqlite.ts";

export interface Call {
  n: number;
  method: string;
  args: unknown[];
}

export interface Reply {
  n: number;
  value?: unknown;
  /** Of errors that callers tell apart, their name; all else is a `StorageFailure`. */
  error?: { name: string; message: string };
}

declare const self: Worker;

/** Commits that a start takes from the log in one transaction. */
const AT_ONCE = 1000;

let store: SqlStore | undefined;
let queue: Promise<void> = Promise.resolve();

self.onmessage = ({ data: call }: MessageEvent<Call>) => {
  queue = queue.then(async () => {
    const reply: Reply = { n: call.n };
    try {
      reply.value = await perform(call);
    } catch (error) {
      reply.error =
        error instanceof Error
          ? { name: error.name, message: error.message }
          : { name: "StorageFailure", message: String(error) };
    }
    self.postMessage(reply);
  });
};

function perform(call: Call): unknown {
  if (call.method === "open") return open(String(call.args[0]));
  if (call.method === "openReader") {
    store = sqlStore(openSqliteReader(String(call.args[0])));
    return undefined;
  }
  if (store === undefined) throw new Error("the store is not open");
  if (call.method === "apply") return apply(store, call.args[0] as LoggedCommits);
  if (call.method === "commitValues") {
    // Log rows are the bulk of what crosses: as text they cost a quarter of what cloned objects do.
    const [{ block, jobs, costs, checkpoint }, rows] = call.args as [Commit, string];
    return store.commitValues(block, JSON.parse(rows) as SqlValue[][], jobs, costs, checkpoint);
  }
  const method = store[call.method as keyof SqlStore] as (...args: unknown[]) => unknown;
  return method.apply(store, call.args);
}

/** Opens the database, which takes from its log what it does not have yet, and tells where it stands. */
async function open(path: string): Promise<CommitPosition> {
  store = sqlStore(openSqlite(path));
  const position = await store.readCommitPosition();
  const behind = commitsBehind(readCommitLog(commitLogPath(path)), position);
  for (let at = 0; at < behind.length; at += AT_ONCE) {
    const texts = behind.slice(at, at + AT_ONCE).map(({ text }) => text);
    await apply(store, { texts, first: position.applied + 1 + at, checkpoint: null });
  }
  return { ...position, applied: position.applied + behind.length };
}

function apply(to: SqlStore, { texts, first, checkpoint }: LoggedCommits): Promise<void> {
  const commits = texts.map(parseCommitText);
  const blocks = commits.flatMap(({ block }) => block ?? []);
  return to.applyCommits(
    blocks,
    commits.flatMap(({ rows }) => rows),
    checkpoint,
    {
      first,
      last: first + texts.length - 1,
    },
  );
}
