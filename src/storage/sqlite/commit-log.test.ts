import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StorageFailure } from "../../domain/store.ts";
import { CommitLog, commitsBehind, MAX_COMMIT_BYTES, readCommitLog } from "./commit-log.ts";

const folder = mkdtempSync(join(tmpdir(), "lmk-commit-log-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DATABASE = "0123456789abcdef0123456789abcdef";
let files = 0;
const newPath = () => join(folder, `log-${files++}`);
const at = (applied: number) => ({ database: DATABASE, applied });

/** What a start would take from it. */
function behind(path: string, applied: number): [number, string][] {
  return commitsBehind(readCommitLog(path), at(applied)).map(({ number, text }) => [number, text]);
}

/** The last place of this text in the file. */
function corrupt(path: string, text: string): void {
  const bytes = readFileSync(path);
  const place = bytes.lastIndexOf(text);
  expect(place).toBeGreaterThan(0);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

describe("a commit log", () => {
  test("gives back what was appended, in its order and with its texts as they are", () => {
    const path = newPath();
    const log = CommitLog.open(path, at(0));
    const texts = ["one", "ünï€ \u2028 \n two", "x".repeat(100_000)];
    expect(texts.map((text) => log.append(text))).toEqual([1, 2, 3]);
    expect(behind(path, 0)).toEqual(texts.map((text, index) => [index + 1, text]));
    expect(behind(path, 2)).toEqual([[3, texts[2] ?? ""]]);
    expect(behind(path, 3)).toEqual([]);
    expect(readCommitLog(newPath())).toBeUndefined();
  });

  test("goes on behind what the database has when it is opened again", () => {
    const path = newPath();
    const first = CommitLog.open(path, at(0));
    for (const text of ["a", "b", "c"]) first.append(text);
    first.close();
    const second = CommitLog.open(path, at(3));
    // As long as the one before: what follows it now was written in the first life.
    expect(second.append("d")).toBe(4);
    expect(behind(path, 3)).toEqual([[4, "d"]]);
    expect(second.append("e")).toBe(5);
    expect(behind(path, 4)).toEqual([[5, "e"]]);
  });

  test("writes over nothing that the database does not have", () => {
    const path = newPath();
    const log = CommitLog.open(path, at(0));
    const third = "x".repeat(Math.floor(MAX_COMMIT_BYTES / 3));
    for (let number = 1; number <= 4; number++) expect(log.append(third)).toBe(number);
    // Both halves are full.
    expect(log.append(third)).toBeUndefined();
    log.release(1);
    expect(log.append(third)).toBeUndefined();
    expect(behind(path, 0).map(([number]) => number)).toEqual([1, 2, 3, 4]);
    log.release(2);
    expect(log.append("y")).toBe(5);
    expect(behind(path, 2).map(([number]) => number)).toEqual([3, 4, 5]);
    log.release(5);
    for (let number = 6; number < 30; number++) {
      expect(log.append(`${third}${number}`)).toBe(number);
      log.release(number);
      expect(behind(path, number - 1)).toEqual([[number, `${third}${number}`]]);
    }
    expect(log.append("z".repeat(MAX_COMMIT_BYTES))).toBe(30);
    expect(behind(path, 29)).toHaveLength(1);
  });

  test("is without the commit that a crash cut, at any of its bytes", () => {
    const path = newPath();
    const log = CommitLog.open(path, at(0));
    log.append("first");
    const before = readFileSync(path);
    log.append("second");
    const after = readFileSync(path);
    const start = before.findIndex((byte, index) => byte !== after[index]);
    const end = start + 14 + "second".length;
    for (let cut = start; cut < end - 1; cut++) {
      const torn = Buffer.from(after);
      before.copy(torn, cut + 1, cut + 1, end);
      writeFileSync(path, torn);
      expect(behind(path, 0)).toEqual([[1, "first"]]);
    }
  });

  for (const [which, text] of [
    ["the first", "first of them"],
    ["one in the middle", "second of them"],
  ] as const)
    test(`is refused where ${which} of several is damaged, not taken as far as it goes`, () => {
      const path = newPath();
      const log = CommitLog.open(path, at(0));
      for (const each of ["first of them", "second of them", "third of them"]) log.append(each);
      corrupt(path, text);
      expect(() => behind(path, 0)).toThrow(StorageFailure);
      expect(() => behind(path, 0)).toThrow(/damaged/);
    });

  test("is refused where its beginning is missing, or it is another database's", () => {
    const path = newPath();
    const log = CommitLog.open(path, at(5));
    log.append("six");
    log.append("seven");
    expect(behind(path, 5)).toHaveLength(2);
    expect(behind(path, 6)).toHaveLength(1);
    expect(() => behind(path, 4)).toThrow(/up to commit 4/);
    const other = { database: "f".repeat(32), applied: 5 };
    expect(() => commitsBehind(readCommitLog(path), other)).toThrow(/do not belong together/);
  });

  test("is made anew where its making had not come to its end", () => {
    const path = newPath();
    CommitLog.open(path, at(0)).close();
    const whole = readFileSync(path);
    for (const left of [0, 100, whole.length]) {
      writeFileSync(path, Buffer.alloc(left));
      expect(readCommitLog(path)).toBeUndefined();
      const log = CommitLog.open(path, at(7));
      expect(log.append("eight")).toBe(8);
      log.close();
      expect(behind(path, 7)).toEqual([[8, "eight"]]);
    }
    truncateSync(path, 8);
    expect(readCommitLog(path)).toBeUndefined();
  });

  test("has one commit of a number, where one failed and a longer one took its place", () => {
    const path = newPath();
    let fails = false;
    const log = CommitLog.open(path, at(0), () => {
      if (fails) throw new Error("EIO");
    });
    log.append("x".repeat(MAX_COMMIT_BYTES - 200));
    fails = true;
    // It may have reached the disk all the same.
    expect(() => log.append("failed")).toThrow("EIO");
    expect(() => log.append("y".repeat(1000))).toThrow("EIO");
    fails = false;
    expect(log.append("y".repeat(1000))).toBe(2);
    expect(behind(path, 1)).toEqual([[2, "y".repeat(1000)]]);
  });
});
