import { TooManyChildren } from "../../domain/child-key.ts";
import type { Block, Commit } from "../../domain/ledger.ts";
import { Conflict, StorageFailure, type Store } from "../../domain/store.ts";
import { requestValues } from "../queries/requests.ts";
import { blockText } from "./block-text.ts";
import type { Call, Reply } from "./thread.ts";

/**
 * Opens the SQLite store at this path, in two threads of its own: see `thread.ts`.
 * @throws StorageFailure where the file cannot be opened or a newer version wrote it.
 */
export async function openSqliteStore(path: string): Promise<Store> {
  const thread = new StoreThread();
  const reader = new StoreThread();
  try {
    await thread.call("open", [path]);
    await reader.call("openReader", [path]);
  } catch (error) {
    thread.stop();
    reader.stop();
    throw error;
  }
  return new Proxy({} as Store, {
    get(_, method) {
      // A promise's `then` is not a method of the store: without this, `await store` would call it.
      if (typeof method !== "string" || method === "then") return undefined;
      if (method === "close") {
        return async () => {
          await reader.call("close", []);
          reader.stop();
          await thread.call("close", []);
          thread.stop();
        };
      }
      if (method === "commit") {
        return ({ block, rows, jobs, costs, checkpoint }: Commit) => {
          const values = rows.length === 0 ? "[]" : JSON.stringify(rows.map(requestValues));
          return block !== null && jobs.length === 0 && costs.length === 0 && checkpoint === null
            ? thread.commitBlock(block, values)
            : thread.call("commitValues", [block, values, jobs, costs, checkpoint]);
        };
      }
      return (...args: unknown[]) => (LONG_READS.has(method) ? reader : thread).call(method, args);
    },
  });
}

/** What reads much, and nothing of it for a call that is under way. */
const LONG_READS: ReadonlySet<string> = new Set<keyof Store>([
  "listRequests",
  "pageRequests",
  "readRequest",
  "sumUsage",
  "readTraffic",
  "findBlocks",
  "listUnpriced",
  "listAudit",
  "listObjects",
]);

class StoreThread {
  private readonly worker = new Worker(new URL("./thread.ts", import.meta.url).href);
  private readonly waiting = new Map<number, PromiseWithResolvers<unknown>>();
  private count = 0;
  private failure: StorageFailure | undefined;

  constructor() {
    this.worker.onmessage = (event: MessageEvent<Reply>) => {
      const { n, value, error } = event.data;
      const call = this.waiting.get(n);
      this.waiting.delete(n);
      if (error === undefined) call?.resolve(value);
      else call?.reject(new (KINDS[error.name] ?? StorageFailure)(error.message));
    };
    this.worker.onerror = (event) => this.fail(`The storage thread stopped: ${event.message}`);
  }

  call(method: string, args: unknown[]): Promise<unknown> {
    return this.post((n): Call => ({ n, method, args }));
  }

  /** @param rows A JSON array of `requestValues`. */
  commitBlock(block: Block, rows: string): Promise<unknown> {
    return this.post((n) => blockText(n, block, rows));
  }

  private post(messageOf: (n: number) => Call | string): Promise<unknown> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const settled = Promise.withResolvers<unknown>();
    const n = this.count++;
    this.waiting.set(n, settled);
    this.worker.postMessage(messageOf(n));
    return settled.promise;
  }

  stop(): void {
    this.fail("The store is closed.");
    this.worker.terminate();
  }

  private fail(message: string): void {
    this.failure = new StorageFailure(message);
    for (const call of this.waiting.values()) call.reject(this.failure);
    this.waiting.clear();
  }
}

/** What crosses between threads is no error any more, but its name and message. */
const KINDS: Readonly<Record<string, new (message: string) => Error>> = { Conflict, TooManyChildren };
