import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Agent, Machine } from "../agents/agent.ts";
import { UnclearFile } from "../edit/setting.ts";
import type { PlannedFile } from "./plan.ts";
import { hash, readFile, type Stored, writeFile } from "./stored.ts";

/** What a tool's file was before `lmk configure`, and what that wrote. */
interface Kept {
  readonly path: string;
  /** The file in the backup's folder with the bytes; null where there was no file. */
  readonly backup: string | null;
  readonly mode: number | null;
  /** SHA-256 of what was written last. */
  readonly written: string;
  /** Folders that had to be made, outermost first. */
  readonly folders: readonly string[];
  /** Somebody edited it between two runs: the backup lacks that. */
  readonly edited: boolean;
}

/** The backup of one tool's files, as they were before the first run. */
export class Backup {
  private readonly folder: string;
  private kept: Kept[];

  constructor({ id }: Agent, { environment, home, platform }: Machine) {
    const state =
      platform === "win32"
        ? environment["LOCALAPPDATA"] || join(home, "AppData", "Local")
        : environment["XDG_STATE_HOME"] || join(home, ".local", "state");
    this.folder = join(state, "llamakey", "configure", id);
    this.kept = this.read();
  }

  get isEmpty(): boolean {
    return this.kept.length === 0;
  }

  /** For people. */
  get where(): string {
    return this.folder;
  }

  /** Writes the files, each with its backup first. @throws UnclearFile */
  apply(files: readonly PlannedFile[]): void {
    for (const { now, after, isSecret } of files) {
      const mode = isSecret ? 0o600 : (now.mode ?? 0o644);
      const entry = this.keep(now, hash(after));
      this.save();
      const made = writeFile(now.path, after, mode);
      if (made.length > 0) {
        this.replace({ ...entry, folders: [...entry.folders, ...made] });
        this.save();
      }
    }
  }

  /**
   * Puts every file back, to the byte, and removes those that were not there.
   * @param force What somebody edited since is overwritten, and kept beside the file.
   * @returns sentences on what was done.
   * @throws UnclearFile where somebody edited one; nothing was changed then.
   */
  undo(force: boolean): string[] {
    const files = this.kept.map((kept) => ({ kept, now: readFile(kept.path), before: this.bytes(kept) }));
    const touched = files.filter(
      ({ kept, now, before }) => !isAs(now, before) && (kept.edited || !isWritten(now, kept)),
    );
    const [first] = touched;
    if (first !== undefined && !force) {
      throw new UnclearFile(
        `${first.kept.path} has been edited since lmk configure wrote it, and --undo would lose that. Take the settings out by hand, or use --undo --force: the file becomes what it was, and the edited one is kept beside it.`,
      );
    }
    const done: string[] = [];
    for (const { kept, now, before } of files) {
      if (touched.some((one) => one.kept === kept) && now.text !== undefined) {
        const aside = freeName(`${kept.path}.edited`);
        writeFile(aside, now.text, 0o600);
        done.push(`The edited one is ${aside}.`);
      }
      if (before === undefined) {
        rmSync(kept.path, { force: true });
        done.push(`Removed ${kept.path}, which was not there before.`);
      } else {
        writeFile(kept.path, before, kept.mode ?? 0o600);
        done.push(`${kept.path} is what it was.`);
      }
    }
    const made = files.flatMap(({ kept }) => kept.folders);
    // The innermost first.
    for (const folder of made.sort((a, b) => b.length - a.length)) removeIfEmpty(folder);
    rmSync(this.folder, { recursive: true, force: true });
    removeIfEmpty(dirname(this.folder));
    removeIfEmpty(dirname(dirname(this.folder)));
    this.kept = [];
    return done;
  }

  private keep(now: Stored, written: string): Kept {
    const known = this.kept.find(({ path }) => path === now.path);
    const before = known && this.bytes(known);
    if (known !== undefined && !isAs(now, before)) {
      const edited = known.edited || !isWritten(now, known);
      return this.replace({ ...known, written, edited });
    }
    const backup = now.text === undefined ? null : (known?.backup ?? String(this.kept.length));
    if (backup !== null) writeFile(join(this.folder, backup), now.text ?? "", 0o600);
    return this.replace({
      path: now.path,
      backup,
      mode: now.mode ?? null,
      written,
      folders: known?.folders ?? [],
      edited: false,
    });
  }

  private replace(entry: Kept): Kept {
    this.kept = [...this.kept.filter(({ path }) => path !== entry.path), entry];
    return entry;
  }

  private bytes({ backup }: Kept): Buffer | undefined {
    return backup === null ? undefined : readFileSync(join(this.folder, backup));
  }

  private read(): Kept[] {
    const file = join(this.folder, "files.json");
    if (!existsSync(file)) return [];
    try {
      return JSON.parse(readFileSync(file, "utf8")).files;
    } catch {
      throw new UnclearFile(`${file} is broken: what the files were before cannot be told from it.`);
    }
  }

  private save(): void {
    writeFile(join(this.folder, "files.json"), `${JSON.stringify({ files: this.kept }, null, 2)}\n`, 0o600);
  }
}

function isAs({ text }: Stored, before: Buffer | undefined): boolean {
  return text === undefined || before === undefined ? text === before : hash(text) === hash(before);
}

/** A file that somebody removed holds nothing that could be lost. */
function isWritten({ text }: Stored, { written }: Kept): boolean {
  return text === undefined || hash(text) === written;
}

function freeName(wanted: string): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted}.${count}`;
    if (!existsSync(name)) return name;
  }
}

function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}
