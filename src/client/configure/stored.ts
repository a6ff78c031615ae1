import { createHash, randomUUID } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { UnclearFile } from "../edit/setting.ts";

/** A file as it lies there; `text` and `mode` are undefined where there is none. */
export interface Stored {
  /** Of the file itself, where the name that was asked for is a link. */
  readonly path: string;
  readonly text: string | undefined;
  /** Its permissions. */
  readonly mode: number | undefined;
}

/** @throws UnclearFile where it is no text, or may not be read. */
export function readFile(asked: string): Stored {
  const path = followed(asked);
  if (!existsSync(path)) return { path, text: undefined, mode: undefined };
  try {
    const bytes = readFileSync(path);
    const text = bytes.toString("utf8");
    if (!Buffer.from(text).equals(bytes)) throw new UnclearFile("it is no UTF-8 text");
    return { path, text, mode: statSync(path).mode & 0o777 };
  } catch (error) {
    if (error instanceof UnclearFile) throw error;
    throw new UnclearFile(`it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Where a path leads to, even if nothing is there yet. */
function followed(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat?.isSymbolicLink() ? followed(resolve(dirname(path), readlinkSync(path))) : resolve(path);
  }
}

/**
 * Writes a file whole or not at all: whoever reads it meanwhile sees the old one.
 * @param mode Its permissions.
 * @returns the folders that had to be made, outermost first.
 */
export function writeFile(path: string, content: string | Uint8Array, mode: number): string[] {
  const made = makeFolder(dirname(path));
  const draft = `${path}.${randomUUID().slice(0, 8)}`;
  try {
    writeFileSync(draft, content, { mode: 0o600, flag: "wx" });
    chmodSync(draft, mode);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new UnclearFile(`${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
  return made;
}

function makeFolder(folder: string): string[] {
  const missing: string[] = [];
  for (let at = folder; !existsSync(at); at = dirname(at)) missing.unshift(at);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UnclearFile(`${folder} cannot be made (${(error as NodeJS.ErrnoException).code}).`);
  }
  return missing;
}

export function hash(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
