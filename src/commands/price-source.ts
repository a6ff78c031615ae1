import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { reasonOf } from "./settings.ts";

/** The live data of genai-prices, which its packages update themselves from. Its place is promised not to change. */
export const PRICE_SOURCE =
  "https://raw.githubusercontent.com/pydantic/genai-prices/main/prices/new_data/v2/data.json";

const TIMEOUT_MS = 60_000;
/** Ten times what is published today. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * @param from A file, or an http(s) address.
 * @throws Failure where it cannot be had, or is larger than any list of prices.
 */
export async function readPrices(from: string, { folder }: Io): Promise<string> {
  try {
    return await (/^https?:/i.test(from) ? download(from) : fromFile(resolve(folder, from), from));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${from} cannot be read (${reasonOf(error)}).`);
  }
}

async function fromFile(path: string, name: string): Promise<string> {
  if (statSync(path).size > MOST_BYTES) throw tooLarge(name);
  return readFile(path, "utf8");
}

async function download(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Failure(`${url} answered with status ${response.status}.`);
  const pieces: Uint8Array[] = [];
  let size = 0;
  // What is said to come may be less than what comes.
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > MOST_BYTES) throw tooLarge(url);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function tooLarge(name: string): Failure {
  return new Failure(`${name} is larger than ${MOST_BYTES / 1024 / 1024} MiB: no list of prices is.`);
}
