import { TooManyChildren } from "../../domain/child-key.ts";
import { Conflict, StorageFailure, type Store } from "../../domain/store.ts";
import type { CommitPosition } from "./commit-log.ts";
import { type CommitDatabase, CommitQueue, openLog } from "./commit-queue.ts";
import type { Call, Reply } from "./thread.ts";

/**
 * Opens the SQLite store at this path, in threads of its own: see `thread.ts` and `commit-log-thread.ts`.
 * @throws StorageFailure where a file cannot be opened or a newer version wrote it.
 */
export async function openSqliteStore(path: string): Promise<Store> {
  const thread = new StoreThread();
  const reader = new StoreThread();
  let commits: CommitQueue;
  try {
    const position = (await thread.call("open", [path])) as CommitPosition;
    await reader.call("openReader", [path]);
    commits = new CommitQueue(await openLog(path, position), databaseOf(thread), position.applied);
  } catch (error) {
    thread.stop();
    reader.stop();
    throw error;
  }
  const close = async () => {
    await commits.close();
    await reader.call("close", []);
    reader.stop();
    await thread.call("close", []);
    thread.stop();
  };
  const of: Partial<Store> = { close, commit: (commit) => commits.commit(commit) };
  return new Proxy(of as Store, {
    get(_, method) {
      // A promise's `then` is not a method of the store: without this, `await store` would call it.
      if (typeof method !== "string" || method === "then") return undefined;
      if (method in of) return of[method as keyof Store];
      const at = LONG_READS.has(method) ? reader : thread;
      if (!READ_COMMITS.has(method)) return (...args: unknown[]) => at.call(method, args);
      return async (...args: unknown[]) => {
        // Where the database cannot take it, what it has is better than nothing.
        await commits.flush().catch(() => {});
        return at.call(method, args);
      };
    },
  });
}

function databaseOf(thread: StoreThread): CommitDatabase {
  return {
    apply: async (commits) => void (await thread.call("apply", [commits])),
    commit: async ({ block, jobs, costs, checkpoint }, rows) =>
      void (await thread.call("commitValues", [{ block, jobs, costs, checkpoint }, rows])),
  };
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

/** What reads that commits write, and so waits until those are in the database that were durable before. */
const READ_COMMITS: ReadonlySet<string> = new Set<keyof Store>([
  "listRequests",
  "pageRequests",
  "readRequest",
  "sumUsage",
  "readTraffic",
  "listUnpriced",
  "rollUp",
  "pruneRequests",
  "readRowCosts",
  "findBlocks",
  "readBlocks",
  "readLedgerTail",
  "listAccounts",
  "readAccounts",
  "findUnlogged",
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
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const settled = Promise.withResolvers<unknown>();
    const n = this.count++;
    this.waiting.set(n, settled);
    const call: Call = { n, method, args };
    this.worker.postMessage(call);
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
