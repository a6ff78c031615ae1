/** What the disk takes for what a hold waits for at least: a piece of a file, written over and forced out. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

const BYTES = 16 * 1024;
/** The file is this many pieces long and there before it is measured: a log that is used again does not grow either. */
const PIECES = 64;
const WRITES = 500;

/** Microseconds. */
export function durableWrite(folder: string): { p50: number; p99: number } {
  const file = openSync(join(folder, "disk"), "w");
  const piece = new Uint8Array(BYTES).fill(1);
  for (let n = 0; n < PIECES; n++) writeSync(file, piece, 0, BYTES, n * BYTES);
  fdatasyncSync(file);
  const times: number[] = [];
  for (let n = 0; n < WRITES; n++) {
    const startedAt = performance.now();
    writeSync(file, piece, 0, BYTES, (n % PIECES) * BYTES);
    fdatasyncSync(file);
    times.push((performance.now() - startedAt) * 1000);
  }
  closeSync(file);
  times.sort((one, other) => one - other);
  return { p50: times[Math.floor(WRITES / 2)] ?? 0, p99: times[Math.floor(WRITES * 0.99)] ?? 0 };
}
