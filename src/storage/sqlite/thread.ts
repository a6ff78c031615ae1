/**
 * A thread that owns a SQLite connection, so that the gateway's event loop never waits for a disk: one writes, and one
 * reads what takes its time, so that nothing that is written waits for somebody's chart. Calls run one after another, in
 * the order they were posted.
 */
import type { Commit } from "../../domain/ledger.ts";
import { type SqlStore, sqlStore } from "../sql-store.ts";
import { applyCommits, catchUp, commitValues } from "./apply-commits.ts";
import type { LoggedCommits } from "./commit-queue.ts";
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
  if (call.method === "open") {
    const path = String(call.args[0]);
    store = sqlStore(openSqlite(path));
    return catchUp(store, path);
  }
  if (call.method === "openReader") {
    store = sqlStore(openSqliteReader(String(call.args[0])));
    return undefined;
  }
  if (store === undefined) throw new Error("the store is not open");
  if (call.method === "apply") return applyCommits(store, call.args[0] as LoggedCommits);
  if (call.method === "commitValues")
    return commitValues(store, ...(call.args as [Omit<Commit, "rows">, string]));
  const method = store[call.method as keyof SqlStore] as (...args: unknown[]) => unknown;
  return method.apply(store, call.args);
}
