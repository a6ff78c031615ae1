import type { Checkpoint, Commit } from "../../domain/ledger.ts";
import { StorageFailure } from "../../domain/store.ts";
import { requestValues } from "../queries/requests.ts";
import { type CommitPosition, commitLogPath, EMPTY_COMMIT, MAX_COMMIT_BYTES } from "./commit-log.ts";
import type { LogMessage, LogReply } from "./commit-log-thread.ts";
import { commitText } from "./commit-text.ts";

/** How long commits wait to be taken into the database together, milliseconds: it costs nearly the same for one as for many. */
const GATHER_MS = 40;
/** After which a database that has failed is tried again, milliseconds. */
const RETRY_MS = 500;

/** What the database takes from the log in one transaction. */
export interface LoggedCommits {
  /** Of `commitText`, oldest first. */
  readonly texts: readonly string[];
  /** The number of the first one. */
  readonly first: number;
  /** The last one that came with any of them. */
  readonly checkpoint: Checkpoint | null;
}

/** Where commits are durable: `CommitLog`, in a thread of its own. */
export interface Log {
  /** Resolves when it is durable. */
  append(text: string): Promise<void>;
  /** The database has everything up to this number. */
  release(through: number): void;
  /** The database has failed: whatever waits for room is refused. */
  giveUp(): void;
  stop(): void;
}

/** How the database does what is asked of it, one call after another. */
export interface CommitDatabase {
  apply(commits: LoggedCommits): Promise<void>;
  commit(commit: Commit, rows: string): Promise<void>;
}

/**
 * Commits of the ledger on their way: durable as soon as `CommitLog` has them, and in the database a little later, many in
 * one transaction. A checkpoint comes into the database alone: without it, a start has more to read again, and no less.
 *
 * While the database cannot take what the log has, nothing more is taken here.
 */
export class CommitQueue {
  private readonly log: Log;
  private readonly database: CommitDatabase;
  private texts: string[] = [];
  private checkpoint: Checkpoint | null = null;
  /** The numbers of the last one that the log has, and that the database has. */
  private logged: number;
  private applied: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private applying: Promise<void> | undefined;
  private isFailing = false;

  constructor(log: Log, database: CommitDatabase, applied: number) {
    this.log = log;
    this.database = database;
    this.logged = applied;
    this.applied = applied;
  }

  async commit(commit: Commit): Promise<void> {
    const { block, rows, jobs, costs, checkpoint } = commit;
    // The database is asked again, and says once more what is wrong.
    if (this.isFailing) await this.flush();
    const values = rows.length === 0 ? "[]" : JSON.stringify(rows.map(requestValues));
    const text = commitText(block, values);
    if (jobs.length > 0 || costs.length > 0 || isLong(text)) {
      // It takes a number in the log, be it there for nothing else: one that failed there may have reached the disk, and
      // would be taken for what comes next.
      await this.append(EMPTY_COMMIT, null);
      await this.flush();
      await this.database.commit(commit, values);
    } else await this.append(text, checkpoint);
  }

  /** Resolves when the database has all that was committed before. */
  async flush(): Promise<void> {
    // Not for those that come meanwhile: under load there is no end of them.
    const { logged } = this;
    while (this.applied < logged) await this.apply();
  }

  async close(): Promise<void> {
    // What the database cannot take now, the next start takes.
    await this.flush().catch(() => {});
    clearTimeout(this.timer);
    this.log.stop();
  }

  private async append(text: string, checkpoint: Checkpoint | null): Promise<void> {
    await this.log.append(text);
    this.logged++;
    this.texts.push(text);
    this.checkpoint = checkpoint ?? this.checkpoint;
    this.gather();
  }

  private gather(waitMs = GATHER_MS): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      // Whoever commits next is told what is wrong.
      this.apply().catch(() => this.gather(RETRY_MS));
    }, waitMs);
  }

  private apply(): Promise<void> {
    this.applying ??= this.applyAll().finally(() => {
      this.applying = undefined;
    });
    return this.applying;
  }

  private async applyAll(): Promise<void> {
    const { texts, checkpoint } = this;
    if (texts.length === 0) return;
    this.texts = [];
    this.checkpoint = null;
    try {
      await this.database.apply({ texts, first: this.applied + 1, checkpoint });
    } catch (error) {
      this.texts = texts.concat(this.texts);
      this.checkpoint ??= checkpoint;
      this.isFailing = true;
      this.log.giveUp();
      throw error;
    }
    this.isFailing = false;
    this.applied += texts.length;
    this.log.release(this.applied);
  }
}

/** More bytes than the log has room for. */
function isLong(text: string): boolean {
  return text.length * 3 > MAX_COMMIT_BYTES && Buffer.byteLength(text) > MAX_COMMIT_BYTES;
}

/** The log of this database. @throws StorageFailure where it cannot be made. */
export async function openLog(database: string, position: CommitPosition): Promise<Log> {
  const thread = new LogThread();
  try {
    await thread.post({ path: commitLogPath(database), position });
    return thread;
  } catch (error) {
    thread.stop();
    throw new StorageFailure(
      `${commitLogPath(database)} cannot be made or opened (${(error as Error).message}). It needs 8 MB, and to be this user's.`,
    );
  }
}

class LogThread implements Log {
  private readonly worker = new Worker(new URL("./commit-log-thread.ts", import.meta.url).href);
  /** Each answer is the oldest one's. */
  private readonly waiting: PromiseWithResolvers<void>[] = [];
  private failure: StorageFailure | undefined;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<LogReply>) => {
      const call = this.waiting.shift();
      if (typeof data === "number") call?.resolve();
      else call?.reject(new StorageFailure(data.error));
    };
    this.worker.onerror = (event) => this.fail(`The ledger's thread stopped: ${event.message}`);
  }

  append(text: string): Promise<void> {
    return this.post(text);
  }

  post(message: Exclude<LogMessage, number | null>): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const done = Promise.withResolvers<void>();
    this.waiting.push(done);
    this.worker.postMessage(message);
    return done.promise;
  }

  release(through: number): void {
    this.worker.postMessage(through);
  }

  giveUp(): void {
    this.worker.postMessage(null);
  }

  stop(): void {
    this.fail("The store is closed.");
    this.worker.terminate();
  }

  private fail(message: string): void {
    this.failure = new StorageFailure(message);
    for (const call of this.waiting.splice(0)) call.reject(this.failure);
  }
}
