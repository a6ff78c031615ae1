import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { StorageFailure } from "../../domain/store.ts";

/** A commit's place in the order of all of them, from 1, and its `commitText`. */
export interface LoggedCommit {
  readonly number: number;
  readonly text: string;
}

/** What a commit log holds, oldest first. */
export interface CommitLogContent {
  /** The database that it belongs to: see `CommitPosition`. */
  readonly database: string;
  readonly commits: readonly LoggedCommit[];
}

/** Which database this is, and the last commit that it has taken from its log. */
export interface CommitPosition {
  readonly database: string;
  readonly applied: number;
}

/** One that does nothing. */
export const EMPTY_COMMIT = "\n[]\n";

const MAGIC = "LMKLOG1\n";
/** In front of both halves: the magic word and the database's name. One page, which is written once. */
const HEAD_BYTES = 4096;
/** Hexadecimal digits. */
const DATABASE_LENGTH = 32;
const HALF_BYTES = 4 * 1024 * 1024;
/** Of a commit: length of its text (4), CRC-32 of number and text (4), number (6); little-endian. */
const FRAME_BYTES = 14;
/** The longest text of a commit, bytes. */
export const MAX_COMMIT_BYTES = HALF_BYTES - FRAME_BYTES;

const GIVE_UP =
  "Put back both as one backup has them. Without a llamakey.db-ledger the gateway starts with what llamakey.db has, and gives up what it had not taken from there.";

/** The log of a database. */
export function commitLogPath(database: string): string {
  return `${database}-ledger`;
}

/**
 * Where a commit is durable before the database has it: a file of fixed size that is written over and over, so that a
 * commit is one write and one sync, which touch no page of a tree, grow no file and wait for no checkpoint.
 *
 * It has two halves, filled by turns. A half is begun again when the database has all that is in it.
 */
export class CommitLog {
  private readonly file: number;
  private readonly sync: (file: number) => void;
  private readonly bytes = Buffer.allocUnsafe(HALF_BYTES);
  private last: number;
  private half = 0;
  /** Within the half. */
  private at = 0;
  /** The last commit in each half. */
  private readonly lasts = [0, 0];
  private released: number;
  /** What was written last may be there or not: it failed. */
  private isDoubtful = false;

  /** Over a file that has been made, whose commits the database has up to this one. */
  private constructor(file: number, applied: number, sync: (file: number) => void) {
    this.file = file;
    this.sync = sync;
    this.last = applied;
    this.released = applied;
  }

  /**
   * Makes the file where there is none, and goes on behind the last commit that the database has: what the file holds must
   * have been taken.
   */
  static open(path: string, { database, applied }: CommitPosition, sync = fdatasyncSync): CommitLog {
    if (databaseOf(path) === undefined) make(path, database);
    return new CommitLog(openSync(path, "r+"), applied, sync);
  }

  /**
   * Durable when it returns; where it throws, the same number is tried again.
   * @param text At most `MAX_COMMIT_BYTES`.
   * @returns its number; undefined where both halves are full of what the database does not have yet.
   */
  append(text: string): number | undefined {
    const { bytes } = this;
    const length = bytes.write(text, FRAME_BYTES);
    const size = FRAME_BYTES + length;
    if (this.at + size > HALF_BYTES) {
      const other = 1 - this.half;
      if ((this.lasts[other] ?? 0) > this.released) return undefined;
      // Another one of its number must not stand in the other half.
      if (this.isDoubtful) this.write(Buffer.alloc(FRAME_BYTES), FRAME_BYTES);
      this.half = other;
      this.at = 0;
    }
    const number = this.last + 1;
    bytes.writeUInt32LE(length, 0);
    bytes.writeUIntLE(number, 8, 6);
    bytes.writeUInt32LE(Bun.hash.crc32(bytes.subarray(8, size)), 4);
    this.isDoubtful = true;
    this.write(bytes, size);
    this.isDoubtful = false;
    this.at += size;
    this.last = number;
    this.lasts[this.half] = number;
    return number;
  }

  private write(bytes: Buffer, size: number): void {
    writeAll(this.file, bytes, size, HEAD_BYTES + this.half * HALF_BYTES + this.at);
    this.sync(this.file);
  }

  /** The database has everything up to this commit. */
  release(through: number): void {
    this.released = through;
  }

  close(): void {
    closeSync(this.file);
  }
}

/**
 * @returns undefined where there is no file, or none whose making had come to its end.
 * @throws StorageFailure where a commit is damaged that others follow.
 */
export function readCommitLog(path: string): CommitLogContent | undefined {
  const database = databaseOf(path);
  if (database === undefined) return undefined;
  const file = readFileSync(path);
  const halves = [0, 1].map((half) => {
    const start = HEAD_BYTES + half * HALF_BYTES;
    return commitsIn(file.subarray(start, start + HALF_BYTES));
  });
  const commits = halves.flat().sort((one, other) => one.number - other.number);
  return { database, commits };
}

/**
 * What the database does not have yet, oldest first.
 * @throws StorageFailure where the log is another database's, or there is a gap.
 */
export function commitsBehind(
  content: CommitLogContent | undefined,
  { database, applied }: CommitPosition,
): LoggedCommit[] {
  if (content === undefined) return [];
  if (content.database !== database)
    throw new StorageFailure(`llamakey.db and llamakey.db-ledger do not belong together. ${GIVE_UP}`);
  const behind = content.commits.filter(({ number }) => number > applied);
  const isWhole = behind.every(({ number }, index) => number === applied + 1 + index);
  if (!isWhole)
    throw new StorageFailure(
      `llamakey.db has what was written up to commit ${applied}, and llamakey.db-ledger begins later or is damaged. ${GIVE_UP}`,
    );
  return behind;
}

/** From the half's beginning to the first that is not whole; those of an earlier round, behind the last, are taken before. */
function commitsIn(half: Buffer): LoggedCommit[] {
  const commits: LoggedCommit[] = [];
  let at = 0;
  let frame = frameAt(half, at);
  while (frame?.isWhole) {
    commits.push({ number: frame.number, text: half.toString("utf8", at + FRAME_BYTES, frame.end) });
    at = frame.end;
    frame = frameAt(half, at);
  }
  if (frame !== undefined) requireLast(half, frame, commits.at(-1)?.number);
  return commits;
}

/**
 * A commit is only begun when the one before it is durable: one that is not whole has none behind it.
 * @param before The number of the one in front of it; its own may be what is damaged.
 */
function requireLast(half: Buffer, { number, end }: Frame, before = number - 1): void {
  const next = frameAt(half, end);
  if (next?.isWhole !== true || next.number !== before + 2) return;
  throw new StorageFailure(`Commit ${before + 1} in llamakey.db-ledger is damaged. ${GIVE_UP}`);
}

interface Frame {
  readonly number: number;
  readonly end: number;
  readonly isWhole: boolean;
}

function frameAt(half: Buffer, at: number): Frame | undefined {
  if (at + FRAME_BYTES > half.length) return undefined;
  const length = half.readUInt32LE(at);
  const end = at + FRAME_BYTES + length;
  if (length === 0 || end > half.length) return undefined;
  const isWhole = Bun.hash.crc32(half.subarray(at + 8, end)) === half.readUInt32LE(at + 4);
  return { number: half.readUIntLE(at + 8, 6), end, isWhole };
}

/** Whose log it is; undefined where there is none, or its making had not come to its end. */
function databaseOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, "r");
  const head = Buffer.alloc(MAGIC.length + DATABASE_LENGTH);
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  const database = head.toString("latin1", MAGIC.length);
  return head.toString("latin1", 0, MAGIC.length) === MAGIC && /^[0-9a-f]+$/.test(database)
    ? database
    : undefined;
}

/** With every byte written once: a file with holes would have to find room for what is written later. */
function make(path: string, database: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    const zeros = Buffer.alloc(HALF_BYTES);
    writeAll(file, zeros, HEAD_BYTES, 0);
    writeAll(file, zeros, HALF_BYTES, HEAD_BYTES);
    writeAll(file, zeros, HALF_BYTES, HEAD_BYTES + HALF_BYTES);
    fsyncSync(file);
    // Last: whatever has it is whole.
    const head = Buffer.from(MAGIC + database);
    writeAll(file, head, head.length, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncFolder(dirname(path));
}

/** A file is there after a crash when its folder says so. */
function syncFolder(path: string): void {
  // Where folders cannot be opened, the system sees to it.
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function writeAll(file: number, bytes: Buffer, length: number, at: number): void {
  for (let written = 0; written < length; )
    written += writeSync(file, bytes, written, length - written, at + written);
}
