import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "lmk-run-";
const NAME = /^lmk-run-(\d+)-(\d+)-/;

/** A folder that only this user can read, for the files of one run; removed with it. */
export class RunFolder implements Disposable {
  private made: string | undefined;
  private readonly endsAt: number;

  /** @param endsAt When the run's key ends, epoch milliseconds: files are of no use to anybody after it. */
  constructor(endsAt: number) {
    this.endsAt = endsAt;
  }

  get path(): string {
    this.made ??= mkdtempSync(join(tmpdir(), `${PREFIX}${this.endsAt}-${process.pid}-`));
    return this.made;
  }

  /** @returns the file's path. */
  write(name: string, text: string): string {
    const file = join(this.path, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  [Symbol.dispose](): void {
    if (this.made !== undefined) rmSync(this.made, { recursive: true, force: true });
  }
}

/** Removes what runs of this user left that were killed, once their keys have ended. */
export function sweepRunFolders(now: number): void {
  const uid = process.getuid?.();
  for (const name of readdirSync(tmpdir())) {
    const [, endedAt, pid] = NAME.exec(name) ?? [];
    const path = join(tmpdir(), name);
    // A command may go on for longer than its key, and still trust what lies here.
    if (endedAt === undefined || Number(endedAt) >= now || isAlive(Number(pid))) continue;
    if (lstatSync(path, { throwIfNoEntry: false })?.uid !== uid) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}
