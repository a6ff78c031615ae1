import { browserUrl } from "../domain/loopback.ts";
import type { Upstream, Upstreams } from "../gateway/upstreams.ts";
import { isUsable } from "./usable.ts";

export interface Greeting {
  readonly version: string;
  readonly publicUrl: string;
  readonly upstreams: Upstreams;
  /** The user that this start made, where it was the first. */
  readonly firstUser: { readonly name: string } | undefined;
  /** Where that user's exports are; undefined where there is no such file. */
  readonly exportsFile: string | undefined;
  /** Where browsers reach the console, without a trailing slash. */
  readonly consoleUrl: string;
  /** Signs the first user in, once; undefined at later starts. */
  readonly consoleLink: string | undefined;
  /** Where it is a forward proxy; undefined where it is none. */
  readonly proxyUrl: string | undefined;
  /** Of the certificate that clients must trust, SHA-256; undefined where they need none of ours. */
  readonly fingerprint: string | undefined;
}

/** What a start prints: where it listens, the providers with their keys masked, and what to do next. */
export function greeting(facts: Greeting): string {
  const { version, publicUrl, upstreams, firstUser, exportsFile } = facts;
  const usable = [...upstreams.values()].filter(isUsable);
  const parts = [`LlaMaKey ${version} is listening on ${publicUrl}`, providerTable(upstreams)];
  if (usable.length === 0) parts.push(NO_CREDENTIAL_HELP);
  if (exportsFile !== undefined) parts.push(whereExportsAre(exportsFile, firstUser));
  if (exportsFile !== undefined && firstUser !== undefined && usable[0] !== undefined) {
    parts.push(`Try it:\n\n  ${firstCall(usable[0], exportsFile)}`);
  }
  parts.push(...tlsLines(facts));
  parts.push(whereConsoleIs(facts));
  return `${parts.join("\n\n")}\n`;
}

/** The link is for whoever reads this: it signs them in as owner. */
export function whereConsoleIs({ consoleUrl, consoleLink }: Greeting): string {
  return consoleLink === undefined
    ? `Console: ${browserUrl(consoleUrl)}/console/ (a link that signs you in: npm start -- admin link)`
    : `Console, by a link that signs you in once, within 15 minutes:\n\n  ${consoleLink}\n\nAnother one: npm start -- admin link`;
}

/** What clients need beside the address. */
function tlsLines({ publicUrl, proxyUrl, fingerprint }: Greeting): string[] {
  if (fingerprint === undefined) return [];
  const proxy =
    proxyUrl === undefined ? "" : `Proxy mode at ${proxyUrl}, for SDKs that read no base address.\n`;
  return [
    `${proxy}Clients trust it by lmk env --proxy: ${publicUrl}/lmk/ca.pem, whose SHA-256 fingerprint is\n  ${fingerprint}`,
  ];
}

function providerTable(upstreams: Upstreams): string {
  const all = [...upstreams.values()];
  const rows = all
    .filter(isUsable)
    .map((upstream) => [upstream.provider.id, upstream.base, keyColumn(upstream)]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(
    ([id = "", base = "", key = ""]) =>
      `  ${id.padEnd(widths[0] ?? 0)}  ${base.padEnd(widths[1] ?? 0)}  ${key}`,
  );
  const others = all.filter((upstream) => !isUsable(upstream)).map(({ provider }) => provider.id);
  if (others.length > 0) lines.push(...wrapped(`  No key yet: ${others.join(", ")}`));
  return lines.join("\n");
}

/** Lines of at most 100 characters, the further ones indented. */
function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(/ (?=[a-z])/)) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + word.length < 100) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`    ${word}`);
  }
  return lines;
}

function keyColumn({ pool }: Upstream): string {
  const credential = pool.members[0]?.credential;
  if (credential === undefined) return "needs no key";
  const more = pool.size > 1 ? ` and ${pool.size - 1} more` : "";
  return `${credential.masked} (${credential.name})${more}`;
}

function whereExportsAre(file: string, firstUser: Greeting["firstUser"]): string {
  if (firstUser === undefined) return `The first user's exports, kept up to date, are in ${file}`;
  return `First user "${firstUser.name}": its exports, with the only copy of its master key, are in ${file}`;
}

/** A line that answers when it is pasted into a shell; the key stays in the file. */
function firstCall({ provider }: Upstream, exportsFile: string): string {
  const { probe, firstCall: path = probe, probeHeaders = {} } = provider.credential;
  const extra = Object.entries(probeHeaders).map(([name, value]) => ` -H '${name}: ${value}'`);
  const url = `$LMK_URL/${provider.id}${path.replace(/\?.*$/, "")}`;
  return `. '${exportsFile.replaceAll("'", "'\\''")}' && curl -s "${url}" -H "authorization: Bearer $LMK_KEY"${extra.join("")}`;
}

const NO_CREDENTIAL_HELP = [
  "No provider key is set up yet, so no call can be answered. Any of these gives it one:",
  "  the console link below                add and test a key in the browser",
  "  OPENAI_API_KEY=sk-... npm start       a key from the environment, or from a file .env in this folder",
  "  npm start -- credential add openai    a stored key, sealed; in another terminal, while this runs",
  "  LMK_OLLAMA_UPSTREAM=http://127.0.0.1:11434 npm start    a server of your own, which needs none",
  "  npm run demo                          no key at all: simulated providers, in a folder of their own",
].join("\n");
