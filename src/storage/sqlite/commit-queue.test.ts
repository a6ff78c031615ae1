/** The store as the ledger sees it: what it says is durable is there after a crash, and comes into the database. */
import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Commit } from "../../domain/ledger.ts";
import type { RequestRecord } from "../../domain/request-record.ts";
import { StorageFailure, type Store } from "../../domain/store.ts";
import { type SqlStore, sqlStore } from "../sql-store.ts";
import { applyCommits, commitValues } from "./apply-commits.ts";
import { CommitLog, commitLogPath, MAX_COMMIT_BYTES } from "./commit-log.ts";
import { type CommitDatabase, CommitQueue, type Log } from "./commit-queue.ts";
import { openSqliteStore } from "./open.ts";
import { readSqliteStore } from "./read.ts";
import { openSqlite } from "./sqlite.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lmk-commits-"));
  folders.push(folder);
  return folder;
}

/** The files as a killed process leaves them at this moment. */
function crashed(path: string): string {
  const copy = join(newFolder(), "store.db");
  for (const end of ["", "-wal", "-ledger"]) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
  return copy;
}

function commitOf(seq: number, text = `text ${seq}`, change: Partial<Commit> = {}): Commit {
  const block = { seq, at: 1_700_000_000_000 + seq, text, hash: Buffer.alloc(32, seq) };
  return { block, rows: [rowOf(seq)], jobs: [], costs: [], checkpoint: null, ...change };
}

function rowOf(n: number): RequestRecord {
  return {
    id: `r${n}`,
    at: 1_700_000_000_000 + n,
    keyId: null,
    userId: null,
    groupId: null,
    provider: "openai",
    method: "POST",
    endpoint: "/chat/completions",
    model: null,
    status: 200,
    refusal: null,
    shadowRefusal: null,
    ending: "complete",
    sentMs: 1,
    firstByteMs: 2,
    durationMs: 30,
    bytesIn: 1,
    bytesOut: 2,
    upstreamRequestId: null,
    address: null,
    metered: { quantities: { input_tokens: 1 }, evidence: "reported", costNanos: 7n, priceBook: "book" },
  };
}

const seqs = async (store: Pick<Store, "readBlocks">) =>
  (await store.readBlocks(0, 1000)).map(({ seq }) => seq);
const ids = async (store: Store) => (await store.listRequests({ limit: 1000 })).map(({ id }) => id).reverse();

/** Runs a statement on the database beside the store. */
function execute(path: string, statement: string): void {
  using database = new Database(path);
  database.run("PRAGMA busy_timeout = 5000");
  database.run(statement);
}
const FAIL = "CREATE TRIGGER fail BEFORE INSERT ON ledger_blocks BEGIN SELECT RAISE(ABORT, 'no'); END";

describe("commits", () => {
  test("are there after a crash that comes before the database has them, with their rows, once each", async () => {
    const path = join(newFolder(), "store.db");
    const store = await openSqliteStore(path);
    let copy = "";
    for (let seq = 1; seq <= 20; seq++) {
      await store.commit(commitOf(seq));
      if (seq === 12) await store.readBlocks(0, 1);
      if (seq === 20) copy = crashed(path);
    }
    // What is shown is that the log is needed: the database of that moment has not got all.
    const alone = crashed(copy);
    rmSync(`${alone}-ledger`);
    const without = await openSqliteStore(alone);
    expect((await seqs(without)).length).toBeLessThan(20);
    await without.close();

    const all = Array.from({ length: 20 }, (_, at) => at + 1);
    const again = await openSqliteStore(copy);
    expect(await seqs(again)).toEqual(all);
    expect(await ids(again)).toEqual(all.map((seq) => `r${seq}`));
    // The next life goes on in the same file, and may be as short.
    await again.commit(commitOf(21));
    const next = await openSqliteStore(crashed(copy));
    expect(await seqs(next)).toEqual([...all, 21]);
    await next.close();
    await again.close();
    await store.close();
  });

  test("that wait are seen by whoever reads next, and by verify beside a gateway", async () => {
    const path = join(newFolder(), "store.db");
    const store = await openSqliteStore(path);
    await store.commit(commitOf(1));
    expect(await ids(store)).toEqual(["r1"]);
    await store.commit(commitOf(2));
    await store.commit({ ...commitOf(3), block: null });
    const copy = crashed(path);
    const reader = await readSqliteStore(copy);
    expect(await seqs(reader)).toEqual([1, 2]);
    expect(
      (await reader.readRowCosts(0, 10)).map(({ id, durationMs, costNanos }) => [id, durationMs, costNanos]),
    ).toEqual([
      ["r1", 30, 7n],
      ["r2", 30, 7n],
      ["r3", 30, 7n],
    ]);
    const first = await reader.readRowCosts(0, 2);
    expect(first.map(({ id }) => id)).toEqual(["r1", "r2"]);
    expect((await reader.readRowCosts(first[1]?.seq ?? 0, 2)).map(({ id }) => id)).toEqual(["r3"]);
    await reader.close();
    await store.close();
  });

  test("that go on coming keep no reader waiting", async () => {
    let applied = 0;
    const log: Log = { append: async () => {}, release() {}, giveUp() {}, stop() {} };
    const commits = new CommitQueue(
      log,
      {
        // While the database takes some, the next has come already.
        apply: async ({ texts }) => {
          applied += texts.length;
          if (applied < 50) await commits.commit(commitOf(applied + 1));
        },
        commit: async () => {},
      },
      0,
    );
    await commits.commit(commitOf(1));
    await commits.flush();
    expect(applied).toBe(1);
    await commits.close();
    // Those that are there when the store is closed are all taken.
    expect(applied).toBe(2);
  });

  test("are refused while the database cannot take them, and none of them is lost or twice there", async () => {
    const path = join(newFolder(), "store.db");
    const store = await openSqliteStore(path);
    await store.commit(commitOf(1));
    expect(await seqs(store)).toEqual([1]);
    execute(path, FAIL);
    await store.commit(commitOf(2));
    expect(await seqs(store)).toEqual([1]);
    const failure = await store.commit(commitOf(3)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageFailure);
    execute(path, "DROP TRIGGER fail");
    await store.commit(commitOf(3));
    expect(await seqs(store)).toEqual([1, 2, 3]);
    expect(await ids(store)).toEqual(["r1", "r2", "r3"]);
    await store.close();
  });

  test("that find no room in the log wait for the database, and not for one that fails", async () => {
    const path = join(newFolder(), "store.db");
    const store = await openSqliteStore(path);
    const large = "x".repeat(MAX_COMMIT_BYTES - 10_000);
    for (let seq = 1; seq <= 5; seq++) await store.commit(commitOf(seq, large));
    expect(await seqs(store)).toEqual([1, 2, 3, 4, 5]);
    execute(path, FAIL);
    const outcomes = await Promise.allSettled([6, 7, 8].map((seq) => store.commit(commitOf(seq, large))));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    execute(path, "DROP TRIGGER fail");
    await store.commit(commitOf(8));
    expect(await seqs(store)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await store.close();
  });

  test("that are too long for the log, or change what is in the database, stand behind those before them", async () => {
    const path = join(newFolder(), "store.db");
    const store = await openSqliteStore(path);
    await store.commit(commitOf(1));
    const long = "ü".repeat(MAX_COMMIT_BYTES / 2);
    await store.commit(commitOf(2, long));
    await store.commit(commitOf(3));
    const cost = { requestId: "r3", at: 1_700_000_000_003, amount: 5n, evidence: null, priceBook: null };
    await store.commit(commitOf(4, "text", { costs: [cost], jobs: [["job", "r4"]] }));
    const copy = crashed(path);
    await store.commit(commitOf(5));
    const last = crashed(path);
    await store.close();
    for (const [files, all] of [
      [copy, [1, 2, 3, 4]],
      [last, [1, 2, 3, 4, 5]],
    ] as const) {
      const again = await openSqliteStore(files);
      expect(await again.readBlocks(1, 1)).toMatchObject([{ seq: 2, text: long }]);
      expect(await seqs(again)).toEqual([...all]);
      expect((await again.readRequest("r3"))?.metered?.costNanos).toBe(12n);
      expect(await again.claimJob("job", "r9")).toBe(false);
      await again.close();
    }
  });

  test("are not taken from the log of another database, nor with a gap", async () => {
    const path = join(newFolder(), "store.db");
    const store = await openSqliteStore(path);
    await store.commit(commitOf(1));
    await store.close();
    const other = join(newFolder(), "store.db");
    await (await openSqliteStore(other)).close();
    copyFileSync(`${path}-ledger`, `${other}-ledger`);
    expect(String(await openSqliteStore(other).catch((error: unknown) => error))).toContain(
      "do not belong together",
    );
    rmSync(`${other}-ledger`);
    await (await openSqliteStore(other)).close();
  });

  test("that were refused and reached the disk all the same are not taken in another's place", async () => {
    const path = join(newFolder(), "store.db");
    const store = sqlStore(openSqlite(path));
    const position = await store.readCommitPosition();
    let fails = false;
    const file = CommitLog.open(commitLogPath(path), position, () => {
      if (fails) throw new Error("EIO");
    });
    const log: Log = {
      append: async (text) => void file.append(text),
      release: (through) => file.release(through),
      giveUp() {},
      stop: () => file.close(),
    };
    const commits = new CommitQueue(log, databaseIn(store), position.applied);
    await commits.commit(commitOf(1));
    fails = true;
    expect(await commits.commit(commitOf(2, "refused")).catch(String)).toBe("Error: EIO");
    fails = false;
    await commits.commit(commitOf(2, "taken", { jobs: [["job", "r2"]] }));
    const copy = crashed(path);
    await commits.commit(commitOf(3));
    await commits.close();
    expect(await seqs(store)).toEqual([1, 2, 3]);
    await store.close();
    const again = await openSqliteStore(copy);
    expect((await again.readBlocks(0, 10)).map(({ text }) => text)).toEqual(["text 1", "taken"]);
    await again.close();
  });

  test("are applied behind what the database has, or not at all", async () => {
    const store = sqlStore(openSqlite(join(newFolder(), "store.db")));
    const { block } = commitOf(1);
    if (block === null) throw new Error("no block");
    for (const first of [0, 2])
      expect(String(await store.applyCommits([block], [], null, { first, last: 2 }).catch(String))).toContain(
        "does not follow",
      );
    expect(await seqs(store)).toEqual([]);
    await store.applyCommits([block], [], null, { first: 1, last: 2 });
    expect((await store.readCommitPosition()).applied).toBe(2);
    await store.close();
  });
});

function databaseIn(store: SqlStore): CommitDatabase {
  return {
    apply: (commits) => applyCommits(store, commits),
    commit: (commit, rows) => commitValues(store, commit, rows),
  };
}
