/**
 * `npm run build`: the product as one executable, dist/lmk.
 *
 *   npm run build                            for this machine
 *   npm run build -- --target=linux-aarch64  for another, as dist/lmk-linux-aarch64
 *   npm run build -- --target=all            for every platform that Bun has a package for
 */
import { buildFor, buildHere, targets } from "./executable.ts";

const asked = process.argv.find((arg) => arg.startsWith("--target="))?.slice("--target=".length);
if (asked !== undefined && asked !== "all" && !targets.includes(asked)) {
  console.error(`No target ${asked}. There are: all, ${targets.join(", ")}`);
  process.exit(1);
}
if (asked === undefined) await buildHere();
else for (const target of asked === "all" ? targets : [asked]) await buildFor(target);
