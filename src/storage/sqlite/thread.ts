/**
 * A thread that owns a SQLite connection, so that the gateway's event loop never waits for a disk: one writes, and one
 * reads what takes its time, so that no hold waits for somebody's chart. Calls run one after another, in the order they were posted.
 */
import type { Block, Checkpoint, JobClaim, RowCost } from "../../domain/ledger.ts";
import type { SqlValue } from "../sql.ts";
import { type SqlStore, sqlStore } from "../sql-store.ts";
import { parseBlockText } from "./block-text.ts";
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

self.onmessage = (event: MessageEvent<Call | string>) => {
  const call = typeof event.data === "string" ? blockCall(event.data) : event.data;
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

function blockCall(message: string): Call {
  const { n, block, rows } = parseBlockText(message);
  return { n, method: "commitValues", args: [block, rows, [], [], null] };
}

function perform(call: Call): unknown {
  if (call.method === "open") {
    store = sqlStore(openSqlite(String(call.args[0])));
    return undefined;
  }
  if (call.method === "openReader") {
    store = sqlStore(openSqliteReader(String(call.args[0])));
    return undefined;
  }
  if (store === undefined) throw new Error("the store is not open");
  if (call.method === "commitValues") {
    // Log rows are the bulk of what crosses: as text they cost a quarter of what cloned objects do.
    const [block, rows, ...rest] = call.args as [
      Block | null,
      string,
      JobClaim[],
      RowCost[],
      Checkpoint | null,
    ];
    return store.commitValues(block, JSON.parse(rows) as SqlValue[][], ...rest);
  }
  const method = store[call.method as keyof SqlStore] as (...args: unknown[]) => unknown;
  return method.apply(store, call.args);
}
