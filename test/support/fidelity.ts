/** What a suite has shown of an SDK, for docs/fidelity.md; see `scripts/fidelity.mjs`. */
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cell } from "../../scripts/fidelity.mjs";
import { knownProviders } from "../../src/providers/catalogue.ts";
import { root } from "./gateway.ts";

export interface Tried {
  /** Its package's name. */
  sdk: string;
  /** Whose API it was tried with: its id, or a name that says more. */
  provider: string;
  language: "Python" | "TypeScript" | "shell";
  /** Folders with packages, the first of which has it. */
  from?: readonly string[];
}

/**
 * Returns what a test calls as its last step, so that only what has passed is written down.
 */
export function fidelity({ from = [root], ...about }: Tried): (...cells: Cell[]) => void {
  const file = process.env["FIDELITY_RECORD"];
  if (!file) return () => {};
  const provider = knownProviders.find(({ id }) => id === about.provider)?.name ?? about.provider;
  const tried = { ...about, provider };
  const version = tried.language === "shell" ? "any" : versionOf(tried.sdk, from, tried.language);
  return (...cells) => {
    for (const cell of cells) appendFileSync(file, `${JSON.stringify({ ...tried, version, cell })}\n`);
  };
}

/** Of a package of npm's, or of Python's in an environment. */
function versionOf(name: string, folders: readonly string[], language: Tried["language"]): string {
  for (const folder of folders) {
    const manifest = join(folder, "node_modules", name, "package.json");
    if (language === "TypeScript" && existsSync(manifest))
      return JSON.parse(readFileSync(manifest, "utf8")).version;
    const lib = join(folder, "lib");
    for (const python of existsSync(lib) ? readdirSync(lib) : []) {
      const beginning = `${name.replaceAll("-", "_")}-`;
      const infos = readdirSync(join(lib, python, "site-packages"));
      const info = infos.find((one) => one.startsWith(beginning) && one.endsWith(".dist-info"));
      if (info !== undefined) return info.slice(beginning.length, -".dist-info".length);
    }
  }
  throw new Error(`${name} is not installed.`);
}
