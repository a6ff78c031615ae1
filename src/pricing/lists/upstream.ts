import { createHash } from "node:crypto";
import { readGenaiPrices } from "./genai-read.ts";
import { makeSnapshot } from "./make-snapshot.ts";
import { modelsDev } from "./models-dev.ts";
import { PROVIDERS } from "./origins.ts";

/**
 * The text of a snapshot, from one or from the data that genai-prices publishes: those are converted as the bundled
 * ones were, with the same additions and limits.
 * @throws {Error} What is wrong with it.
 */
export function snapshotTextOf(text: string): string {
  const value = parsed(text);
  // A snapshot of ours is an object; theirs is a list.
  if (!Array.isArray(value)) return text;
  const genai = readGenaiPrices(value);
  const sold = new Set(genai.filter(({ models }) => models.length > 0).map(({ id }) => id));
  const wanted = Object.values(PROVIDERS).flatMap(({ genai: id }) => id ?? []);
  const missing = wanted.filter((id) => !sold.has(id));
  // One that is gone is shown as gone; a list that is broken off would take most prices away.
  if (missing.length * 2 > wanted.length) throw new Error(`it has no models of ${missing.join(", ")}`);
  const version = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return makeSnapshot(genai, modelsDev(), { version });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("it is no JSON");
  }
}
