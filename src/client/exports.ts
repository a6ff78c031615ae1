import type { KeyVariable, Provider } from "../providers/provider.ts";
import { type ProxySettings, proxyVariables } from "./proxy-exports.ts";
import { shells, UnquotableValue } from "./shells.ts";
import { trustVariables } from "./trust.ts";

export type ExportFormat = keyof typeof shells | "json";

export const exportFormats: readonly ExportFormat[] = ["sh", "fish", "powershell", "cmd", "dotenv", "json"];

/** What the exports of one user depend on. */
export interface ExportSettings {
  /** Where clients reach the gateway, without a trailing slash. */
  readonly publicUrl: string;
  /** The user's master key. */
  readonly key: string;
  readonly userName: string;
  /** Those that are configured; the others' variables stay as the user has them. */
  readonly providers: readonly Provider[];
  /** The folder on the user's machine with what `writeTrust` wrote, where the gateway's own certificate is from us. */
  readonly trust?: string;
  /** Where the user wants proxy mode, too. */
  readonly proxy?: ProxySettings;
}

/**
 * The text that makes unchanged SDKs come to the gateway: to be sourced, evaluated or kept as a file; it holds the
 * master key. `sh` can be read as a dotenv file as well.
 * @throws UnquotableValue where the format has no safe way to write one of the values.
 */
export function renderExports(format: ExportFormat, settings: ExportSettings): string {
  const variables = exportVariables(settings);
  if (format === "json") return `${JSON.stringify(Object.fromEntries(variables), null, 2)}\n`;
  const shell = shells[format];
  const lines = variables.map(([name, value]) => {
    if (value.includes("\0")) throw new UnquotableValue(`${name} holds a NUL, which no environment can.`);
    return shell.assign(name, value);
  });
  // Last, not first: `eval $(lmk env)` without quotes makes one line of all, and a comment would swallow what follows.
  const set = new Set(variables.map(([name]) => name));
  for (const { title, variables: optional } of optionalVariables(settings)) {
    // Behind a comment sign nothing can be quoted: what is not plain is left out.
    const plainOnes = optional.filter(([name, value]) => !set.has(name) && /^[A-Za-z0-9._-]+$/.test(value));
    if (plainOnes.length > 0) lines.push(shell.comment(title));
    for (const [name, value] of plainOnes) lines.push(shell.comment(shell.assign(name, value)));
  }
  lines.push(shell.comment(`LlaMaKey exports of ${plain(settings.userName)}: they hold a secret key.`));
  return `${lines.join("\n")}\n`;
}

/** The variables and their values, `LMK_URL` and `LMK_KEY` first, so that `lmk env` works where they are set. */
export function exportVariables({
  publicUrl,
  key,
  providers,
  trust,
  proxy,
}: Omit<ExportSettings, "userName">): [name: string, value: string][] {
  const variables: [string, string][] = [
    ["LMK_URL", publicUrl],
    ["LMK_KEY", key],
  ];
  for (const { id, client } of providers) {
    for (const name of client.keys) if (typeof name === "string") variables.push([name, key]);
    for (const [name, path] of client.bases) variables.push([name, `${publicUrl}/${id}${path}`]);
  }
  const further = [
    ...(trust === undefined ? [] : trustVariables(trust)),
    ...(proxy === undefined ? [] : proxyVariables(publicUrl, key, providers, proxy)),
  ];
  if (further.length > 0)
    variables.push(...further, [FURTHER_NAMES, further.map(([name]) => name).join(",")]);
  return variables;
}

/** Says which variables were set that neither hold the key nor lead to the gateway, so that they can be unset again. */
export const FURTHER_NAMES = "LMK_EXPORTED";

/** Variables that only their user can decide on, and why. */
export interface OptionalVariables {
  /** For a comment: letters, digits, spaces and `._@+-,:` only. */
  readonly title: string;
  readonly variables: [name: string, value: string][];
}

/** What is written down commented out, because it would do harm where it is not expected. */
export function optionalVariables({
  key,
  providers,
}: Pick<ExportSettings, "key" | "providers">): OptionalVariables[] {
  const keys = new Map<string, KeyVariable>();
  for (const { client } of providers) {
    for (const variable of client.keys) if (typeof variable !== "string") keys.set(variable.name, variable);
  }
  const byTitle = new Map<string, [string, string][]>();
  for (const { name, prefix = "", value = prefix + key, broad, title } of keys.values()) {
    const why = title ?? (broad === true ? BROAD : UNGUIDED);
    byTitle.set(why, [...(byTitle.get(why) ?? []), [name, value]]);
  }
  return [...byTitle].map(([title, variables]) => ({ title, variables }));
}

const BROAD = "Other programs read these, too:";
const UNGUIDED =
  "For code that names the base address itself, without which these keys would leave for the provider:";

/** A name as any shell's comment can carry it: line ends would end the comment, and cmd reads `%` and `&` even there. */
function plain(name: string): string {
  return name.replace(/[^\p{L}\p{N} ._@+-]/gu, "_");
}
