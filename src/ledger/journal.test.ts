/** What waits for the disk: together, in order, and not without end. */
import { expect, test } from "bun:test";
import { SimulatedTime } from "../../test/support/simulation.ts";
import type { Commit } from "../domain/ledger.ts";
import type { RequestRecord } from "../domain/request-record.ts";
import { GENESIS, Journal } from "./journal.ts";

/** A journal on a disk that takes a commit when a test lets it. */
function journalOnDisk() {
  const time = new SimulatedTime(0);
  let passed = 0;
  const reports: string[] = [];
  const commits: Commit[] = [];
  let pending: PromiseWithResolvers<void> | undefined;
  const write = (commit: Commit) => {
    commits.push(commit);
    pending = Promise.withResolvers();
    return pending.promise;
  };
  const journal = new Journal({
    write,
    key: new Uint8Array(32),
    head: GENESIS,
    clock: { now: () => time.now() + passed },
    timer: time,
    report: (message) => reports.push(message),
  });
  const settle = async (how: (disk: PromiseWithResolvers<void>) => void) => {
    const disk = pending;
    pending = undefined;
    if (disk !== undefined) how(disk);
    await time.run(() => false);
  };
  return {
    journal,
    commits,
    reports,
    /** Time passes and nothing happens. */
    pass: (ms: number) => {
      passed += ms;
    },
    /** What is due is begun. */
    run: () => time.run(() => false),
    done: () => settle((disk) => disk.resolve()),
    full: () => settle((disk) => disk.reject(new Error("the disk is full"))),
  };
}

const row = (id: number, ending: RequestRecord["ending"] = "complete") =>
  ({ id: String(id), ending }) as RequestRecord;

test("what comes while a commit is under way goes into the next, all of it in one", async () => {
  const { journal, commits, run, done } = journalOnDisk();
  const first = journal.appendDurably("a\n");
  await run();
  const others = Promise.all(["b\n", "c\n", "d\n"].map((text) => journal.appendDurably(text)));
  journal.append("e\n");
  journal.log(row(1));
  await run();
  expect(commits.map(({ block }) => block?.text)).toEqual(["a\n"]);
  await done();
  await first;
  expect(commits.map(({ block }) => block?.text)).toEqual(["a\n", "b\nc\nd\ne\n"]);
  await done();
  await others;
  expect(commits.map(({ block }) => block?.seq)).toEqual([1, 2, undefined]);
});

test("a hold waits for two turns of the event loop for others, and no longer", () => {
  const texts: (string | undefined)[] = [];
  const turns: (() => void)[] = [];
  const journal = new Journal({
    write: ({ block }) => {
      texts.push(block?.text);
      return new Promise(() => {});
    },
    key: new Uint8Array(32),
    head: GENESIS,
    clock: { now: () => 0 },
    timer: { after: () => () => {}, soon: (work) => void turns.push(work) },
    report: () => {},
  });
  void journal.appendDurably("a\n");
  turns.shift()?.();
  void journal.appendDurably("b\n");
  expect(texts).toEqual([]);
  turns.shift()?.();
  expect(texts).toEqual(["a\nb\n"]);
  expect(turns).toEqual([]);
});

test("rows wait for company, not for long, and not where no hold waits", async () => {
  const { journal, commits, pass, run, done } = journalOnDisk();
  void journal.appendDurably("hold\n");
  await run();
  /** What the next commit takes, while holds never cease to come. */
  const next = async () => {
    void journal.appendDurably("hold\n");
    await done();
    return commits.at(-1)?.rows.map(({ id }) => Number(id));
  };
  const log = (...ids: number[]) => {
    for (const id of ids) journal.log(row(id));
  };
  log(1);
  expect(await next()).toEqual([]);
  pass(99);
  log(2);
  expect(await next()).toEqual([]);
  pass(1);
  expect(await next()).toEqual([1, 2]);

  const many = Array.from({ length: 64 }, (_, id) => id);
  log(...many.slice(1));
  expect(await next()).toEqual([]);
  log(0);
  expect(await next()).toEqual([...many.slice(1), 0]);

  // What changes a row goes with it, and what ended long ago does not wait.
  log(1);
  journal.recost({ requestId: "1", at: 0, amount: 1n, evidence: null, priceBook: null });
  expect(await next()).toEqual([1]);
  journal.log(row(2), -1000);
  expect(await next()).toEqual([2]);

  log(3);
  expect(await next()).toEqual([]);
  await done();
  await done();
  expect(commits.at(-1)?.rows.map(({ id }) => id)).toEqual(["3"]);
});

test("a checkpoint takes all rows of what ended before it", async () => {
  const { journal, commits, pass, run, done } = journalOnDisk();
  journal.balances = () => ({ accounts: [], open: "", nextHold: 1, written: () => {} });
  void journal.appendDurably("hold\n");
  await run();
  pass(9_950);
  journal.log(row(1));
  pass(50);
  void journal.appendDurably("hold\n");
  await done();
  expect(commits.map(({ rows, checkpoint }) => [rows.length, checkpoint?.seq])).toEqual([
    [0, undefined],
    [1, 2],
  ]);
});

test("a disk that is too slow stops requests until it has caught up, and no row is lost", async () => {
  const { journal, commits, run, done } = journalOnDisk();
  void journal.appendDurably("a\n");
  await run();
  for (let id = 0; id < 19_999; id++) journal.log(row(id));
  expect(journal.healthy).toBe(true);
  for (let id = 19_999; id < 21_000; id++) journal.log(row(id));
  expect(journal.healthy).toBe(false);
  // What is refused now is counted, and not kept.
  for (let id = 0; id < 10; id++) journal.log(row(id, "refused"));
  await done();
  expect(journal.healthy).toBe(true);
  await done();
  expect(commits.flatMap(({ rows }) => rows).map(({ id }) => Number(id))).toEqual(
    Array.from({ length: 21_000 }, (_, id) => id),
  );
});

test("what could not be written is told to who waits, tried again, and written in its order", async () => {
  const { journal, commits, reports, run, done, full } = journalOnDisk();
  const refused = journal.appendDurably("hold\n");
  await run();
  const alsoRefused = journal.appendDurably("hold 2\n");
  const outcomes = Promise.allSettled([refused, alsoRefused]);
  await full();
  expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(journal.healthy).toBe(false);
  journal.append("void\nvoid 2\n");
  journal.log(row(1));
  await full();
  expect(journal.healthy).toBe(false);
  await done();
  expect(journal.healthy).toBe(true);
  await done();
  expect(reports).toEqual([
    "The ledger cannot be written, so no request is taken: the disk is full",
    "The ledger can be written again.",
  ]);
  // Its number is that of the one that failed: nothing is missing in the chain.
  expect(commits.map(({ block }) => block?.seq)).toEqual([1, 1, 1]);
  expect(commits.at(-1)?.block?.text).toBe("hold\nhold 2\nvoid\nvoid 2\n");
  expect(commits.at(-1)?.rows).toHaveLength(1);
});
