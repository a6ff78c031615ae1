/**
 * Makes src/pricing/snapshot.json, the list prices that the product comes with:
 *
 *   node scripts/bun.mjs scripts/price-snapshot.ts [--prices=<directory of the package>] [--check]
 *
 * Prices are those of the npm package @pydantic/genai-prices; where it does not know a model, those of models.dev,
 * which also gives the limits; see src/pricing/lists/. The same input makes the same bytes; `--check` fails if the file
 * has others.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { GenaiProvider } from "../src/pricing/lists/genai-prices.ts";
import { makeSnapshot } from "../src/pricing/lists/make-snapshot.ts";
import { modelsDev } from "../src/pricing/lists/models-dev.ts";

/** When each version of the package was published. */
const PUBLISHED: Record<string, string> = { "0.1.8": "2026-09-23" };

/** @param directory Of the unpacked package; without it, the installed one. */
export async function readSources(directory?: string): Promise<Parameters<typeof makeSnapshot>> {
  const entry =
    directory === undefined ? import.meta.resolve("@pydantic/genai-prices") : `${directory}/dist/index.js`;
  // Its package gives the bundled data so, as long as nobody updates.
  const { waitForUpdate } = (await import(entry)) as { waitForUpdate(): Promise<GenaiProvider[]> };
  const root = entry.slice(0, entry.lastIndexOf("/dist/")).replace(/^file:\/\//, "");
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as { version: string };
  const date = PUBLISHED[version];
  return [await waitForUpdate(), modelsDev(), { version, ...(date !== undefined && { date }) }];
}

if (import.meta.main) {
  const directory = process.argv.find((arg) => arg.startsWith("--prices="))?.slice("--prices=".length);
  const text = makeSnapshot(...(await readSources(directory)));
  const target = new URL("../src/pricing/snapshot.json", import.meta.url);
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (readFileSync(target, "utf8") !== text) {
    console.error("src/pricing/snapshot.json is not what the sources make");
    process.exit(1);
  }
}
