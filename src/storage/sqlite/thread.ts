/**
 * The thread that owns the SQLite connection, so that the gateway's event loop never waits for a disk.
 * Calls run one after another, in the order they were posted.
 */
import { Conflict } from "../../domain/store.ts";
import { type SqlStore, sqlStore } from "../sql-store.ts";
import { openSqlite } from "./sqlite.ts";

export interface Call {
  n: number;
  method: string;
  /** Or one argument as JSON text. */
  args: unknown[] | string;
}

export interface Reply {
  n: number;
  value?: unknown;
  error?: { name: "Conflict" | "StorageFailure"; message: string };
}

declare const self: Worker;

let store: SqlStore | undefined;
let queue: Promise<void> = Promise.resolve();

self.onmessage = (event: MessageEvent<Call>) => {
  const call = event.data;
  queue = queue.then(async () => {
    const reply: Reply = { n: call.n };
    try {
      reply.value = await perform(call);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      reply.error = { name: error instanceof Conflict ? "Conflict" : "StorageFailure", message };
    }
    self.postMessage(reply);
  });
};

function perform(call: Call): unknown {
  if (call.method === "open") {
    store = sqlStore(openSqlite(String(call.args[0])));
    return undefined;
  }
  if (store === undefined) throw new Error("the store is not open");
  const method = store[call.method as keyof SqlStore] as (...args: unknown[]) => unknown;
  return method.apply(store, typeof call.args === "string" ? [JSON.parse(call.args)] : call.args);
}
