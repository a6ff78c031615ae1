import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "lmk-run-";
const NAME = /^lmk-run-(\d+)-/;

/** A folder that only this user can read, for the files of one run; removed with it. */
export class RunFolder implements Disposable {
  private path: string | undefined;
  private readonly endsAt: number;

  /** @param endsAt When the run's key ends, epoch milliseconds: files are of no use to anybody after it. */
  constructor(endsAt: number) {
    this.endsAt = endsAt;
  }

  /** @returns the file's path. */
  write(name: string, text: string): string {
    this.path ??= mkdtempSync(join(tmpdir(), `${PREFIX}${this.endsAt}-`));
    const file = join(this.path, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  [Symbol.dispose](): void {
    if (this.path !== undefined) rmSync(this.path, { recursive: true, force: true });
  }
}

/** Removes what runs of this user left that were killed, once their keys have ended. */
export function sweepRunFolders(now: number): void {
  const uid = process.getuid?.();
  for (const name of readdirSync(tmpdir())) {
    const endedAt = Number(NAME.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
    const path = join(tmpdir(), name);
    if (endedAt >= now || lstatSync(path, { throwIfNoEntry: false })?.uid !== uid) continue;
    rmSync(path, { recursive: true, force: true });
  }
}
