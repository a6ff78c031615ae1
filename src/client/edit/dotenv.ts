import { parseEnv } from "node:util";
import { shells } from "../shells.ts";
import { type Setting, UnclearFile } from "./setting.ts";

/** Lines of `NAME=value`. @throws UnclearFile */
export function setDotenv(text: string, settings: readonly Setting[]): string {
  let edited = text;
  for (const { path, value, unlessSet } of settings) {
    const [name = ""] = path;
    const line = shells.dotenv.assign(name, String(value));
    const present = new RegExp(`^([ \\t]*(?:export[ \\t]+)?)${name}[ \\t]*=.*$`, "gm");
    const last = [...edited.matchAll(present)].at(-1);
    if (last !== undefined) {
      if (unlessSet) continue;
      // Of a name that is given twice, the last one counts.
      edited =
        edited.slice(0, last.index) +
        (last[1] ?? "") +
        line +
        edited.slice(last.index + last[0].length).replace(/^\r(?=\n)/, "");
    } else edited += `${edited === "" || edited.endsWith("\n") ? "" : "\n"}${line}\n`;
  }
  const after = parseEnv(edited);
  for (const { path, value, unlessSet } of settings) {
    if (!unlessSet && after[path[0] ?? ""] !== String(value))
      throw new UnclearFile(`its ${path[0]} stands where it cannot be changed (in a text of several lines?)`);
  }
  return edited;
}
