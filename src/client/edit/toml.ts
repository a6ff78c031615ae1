import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";
import { type Setting, UnclearFile } from "./setting.ts";

type Table = { [name: string]: unknown };

/**
 * TOML, changed line by line: no library writes it back with its comments. What comes out is read again, and must say
 * what it said before and the settings, nothing else.
 * @throws UnclearFile
 */
export function setToml(text: string, settings: readonly Setting[]): string {
  const before = read(text);
  let edited = text;
  for (const setting of settings) {
    const { path, value } = setting;
    const there = path.reduce<unknown>((at, name) => (at as Table | undefined)?.[name], before);
    if (there === value || (there !== undefined && setting.unlessSet)) continue;
    edited = setLine(edited, path.slice(0, -1), path.at(-1) ?? "", JSON.stringify(value));
    put(before, path, value);
  }
  if (!isDeepStrictEqual(plain(safely(edited)), plain(before)))
    throw new UnclearFile(
      `its ${settings.map(({ path }) => path.join(".")).join(", ")} cannot be set without touching the rest of it; set it by hand`,
    );
  return edited;
}

function read(text: string): Table {
  try {
    return parse(text);
  } catch (error) {
    throw new UnclearFile(`it is no valid TOML: ${(error as Error).message.split("\n")[0]}`);
  }
}

/** What was edited into something that cannot be read equals nothing. */
function safely(text: string): Table | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function put(table: Table, path: readonly string[], value: unknown): void {
  const [name = "", ...rest] = path;
  if (rest.length === 0) table[name] = value;
  else {
    table[name] ??= {};
    if (typeof table[name] !== "object") throw new UnclearFile(`its ${name} is no table`);
    put(table[name] as Table, rest, value);
  }
}

/** Sets a value in a table's own section, which is added at the end of the file where there is none. */
function setLine(text: string, table: readonly string[], name: string, value: string): string {
  const lines = text.split("\n");
  const isHeader = (line: string) => /^\s*\[/.test(line);
  const start = table.length === 0 ? 0 : lines.findIndex((line) => headerOf(line) === table.join("\0")) + 1;
  const assignment = `${name} = ${value}`;
  if (table.length > 0 && start === 0) {
    const before = text === "" ? "" : `${text.trimEnd()}\n\n`;
    return `${before}[${table.join(".")}]\n${assignment}\n`;
  }
  const next = lines.findIndex((line, at) => at >= start && isHeader(line));
  const end = next === -1 ? lines.length : next;
  for (let at = start; at < end; at++) {
    const line = lines[at] ?? "";
    const match = new RegExp(
      `^(\\s*(?:${name}|"${name}"|'${name}')\\s*=\\s*)(?:"(?:[^"\\\\]|\\\\.)*"|'[^']*'|[^\\s#,\\[\\]{}"']+)`,
    ).exec(line);
    if (match === null) continue;
    lines[at] = (match[1] ?? "") + value + line.slice(match[0].length);
    return lines.join("\n");
  }
  // Behind the section's last line: blank lines and comments above the next header are the next section's.
  let at = end;
  while (at > start && /^\s*(#.*)?$/.test(lines[at - 1] ?? "")) at--;
  // Above a file that begins with a table.
  if (at === 0 && next !== -1) lines.splice(0, 0, assignment, "");
  else lines.splice(at, 0, assignment);
  const joined = lines.join("\n");
  return joined.endsWith("\n") ? joined : `${joined}\n`;
}

/** The names in `[a."b c"]`, joined by NUL. */
function headerOf(line: string): string | undefined {
  const inner = /^\s*\[([^[\]]+)\]\s*(#.*)?$/.exec(line)?.[1];
  if (inner === undefined) return undefined;
  const names = inner.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+/g) ?? [];
  return names.map((name) => name.replace(/^["']|["']$/g, "")).join("\0");
}
