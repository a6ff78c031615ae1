/**
 * `npm run bench`: the gateway beside HAProxy and the direct call, in one run on one machine.
 *
 * Nothing here is a limit that could fail on a slow day: it exits 0 whatever the numbers, and with 1 where an
 * answer was wrong, a connection broke, or the gateway's request log does not fit what was sent.
 *
 *   npm run bench -- --rounds 5 --seconds 10    more of it
 *   npm run bench -- --only requests,memory     of: requests, latency, events, memory
 *   npm run bench -- --executable               dist/lmk instead of the source
 *   npm run bench -- --markdown                 only the table, for the README
 *
 * Without `--only` it ends with the console's pages on a log of a million requests (bench/console.ts).
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { kinds, Measurements } from "./measure.ts";
import { machineLine, markdown } from "./report.ts";

const root = resolve(import.meta.dir, "..");
const executable = "dist/lmk";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "4" },
    only: { type: "string", default: kinds.join(",") },
    executable: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
  },
});
const rounds = positive("rounds", options.rounds);
const seconds = positive("seconds", options.seconds);
const only = options.only
  .split(",")
  .map(
    (name) =>
      kinds.find((kind) => kind === name) ??
      fail(`There is no measure ${name}; there are: ${kinds.join(", ")}.`),
  );

const searchPath = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
const programs = { haproxy: Bun.which("haproxy", searchPath) ?? "", wrk: Bun.which("wrk", searchPath) ?? "" };
const missing = [
  ...(existsSync("/proc/self/stat") ? [] : ["Linux's /proc"]),
  ...Object.entries(programs).flatMap(([name, found]) => (found === "" ? [name] : [])),
];
if (missing.length > 0)
  fail(
    `The bench needs ${missing.join(" and ")}, which this machine does not have (Debian: apt-get install haproxy wrk).`,
  );
if (options.executable && !existsSync(join(root, executable)))
  fail(`There is no ${executable}; make it with: npm run build`);

const folder = mkdtempSync(join(tmpdir(), "lmk-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const machine = machineLine(programs);
const startedAt = new Date().toISOString();
const settings = { seconds, folder, programs, executable: options.executable ? executable : undefined };
const measurements = await Measurements.start(settings);
for (let round = 1; round <= rounds; round++) {
  for (const kind of only) {
    note(`round ${round} of ${rounds}: ${kind}`);
    await measurements.take(kind);
  }
}
await measurements.finish();

const table = markdown(measurements.measures);
const about = `${machine} ${rounds === 1 ? "One round" : `Median of ${rounds} rounds`} of ${seconds} s.`;
mkdirSync(join(root, ".cache/bench"), { recursive: true });
const results = { startedAt, machine, rounds, seconds, measures: measurements.measures };
writeFileSync(join(root, ".cache/bench/latest.json"), `${JSON.stringify(results, null, 2)}\n`);
console.log(options.markdown ? table : `${about}\n\n${table}\n\n${measurements.notes.join("\n")}`);
if (options.only === kinds.join(",") && !options.markdown) {
  note("the console's pages");
  Bun.spawnSync([process.execPath, "--no-env-file", join(root, "bench/console.ts"), "1000000"], {
    stdout: "inherit",
    stderr: "inherit",
  });
}
process.exit(0);

function positive(name: string, text: string): number {
  const value = Number(text);
  return Number.isInteger(value) && value > 0
    ? value
    : fail(`--${name} is "${text}"; it must be a whole number from 1.`);
}

function note(text: string): void {
  console.error(text);
}

function fail(message: string): never {
  console.error(`bench: ${message}`);
  process.exit(1);
}
