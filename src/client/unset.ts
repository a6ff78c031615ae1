import { looksLikeKey } from "../domain/key.ts";
import { type ExportFormat, FURTHER_NAMES } from "./exports.ts";
import { shells } from "./shells.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables that exports have set here: those that hold a master key or point at the gateway. A variable of the
 * same name with a value of somebody's own is not among them.
 */
export function exportedNames(environment: Environment): string[] {
  const url = environment["LMK_URL"];
  const further = new Set([FURTHER_NAMES, ...(environment[FURTHER_NAMES] ?? "").split(",")]);
  const isOurs = (value: string) =>
    looksLikeKey(value) || (!!url && (value === url || value.startsWith(`${url}/`)));
  return Object.entries(environment)
    .filter(
      ([name, value]) =>
        /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && value !== undefined && (further.has(name) || isOurs(value)),
    )
    .map(([name]) => name)
    .sort();
}

/** The text that removes these variables from the shell again; as JSON, their names. */
export function renderUnset(format: ExportFormat, names: readonly string[]): string {
  if (format === "json") return `${JSON.stringify(names)}\n`;
  return names.map((name) => `${shells[format].unset(name)}\n`).join("");
}
