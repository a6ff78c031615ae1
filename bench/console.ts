/**
 * `npm run bench:console`: what each page of the console takes with 2,000 users, 5,000 keys and 10 million requests.
 *
 *   npm run bench:console -- 1000000     another number of requests
 */
import { Database } from "bun:sqlite";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startGateway } from "../test/support/gateway.ts";
import { fillConsole } from "./console-data.ts";
import { rolledUp, timePages } from "./console-pages.ts";

/** What a page may take; nothing fails on a slow day. */
const LIMIT_MS = 300;
const rows = Number(process.argv[2] ?? 10_000_000);
const root = resolve(import.meta.dir, "..");
const now = Date.UTC(2026, 10, 28, 12);
const cached = join(root, `.cache/console/${rows}`);
const folder = mkdtempSync(join(tmpdir(), "lmk-console-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const env = { LMK_LOG_RETENTION: "3650d", OPENAI_API_KEY: "sk-test-fake-console-0123456789" };
if (!existsSync(join(cached, "llamakey.db"))) {
  const first = await startGateway({ env, cwd: folder });
  await first.stop();
  const startedAt = performance.now();
  fillConsole(join(first.dataDir, "llamakey.db"), { users: 2000, keys: 5000, rows }, now);
  console.error(`${rows} rows in ${seconds(startedAt)} s`);
  const rolling = performance.now();
  await first.start();
  const database = new Database(join(first.dataDir, "llamakey.db"), { readonly: true });
  const seq = () => (database.query("SELECT seq FROM rolled_up").get() as { seq: number }).seq;
  await rolledUp(seq, rows, 1_800_000);
  console.error(`added up in ${seconds(rolling)} s`);
  database.close();
  await first.stop();
  mkdirSync(cached, { recursive: true });
  cpSync(first.dataDir, cached, { recursive: true });
}
rmSync(join(cached, "lock"), { force: true });
await using gateway = await startGateway({ env, dataDir: cached });
const timings = await timePages(gateway, now, 5);
for (const { page, median, worst } of timings)
  console.log(
    `${page.padEnd(42)} ${median.toFixed(0).padStart(5)} ms  worst ${worst.toFixed(0).padStart(5)} ms`,
  );
const slow = timings.filter(({ median }) => median > LIMIT_MS).map(({ page }) => page);
console.log(
  `${timings.length} queries with ${rows} requests; over ${LIMIT_MS} ms: ${slow.join(", ") || "none"}`,
);
await gateway.stop();
process.exit(0);

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(0);
}
