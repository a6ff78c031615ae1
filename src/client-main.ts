/**
 * The command line of a user's machine, on Node alone: the gateway serves it bundled into one file. It talks to the
 * gateway that it was fetched from, unless `--url` or `LMK_URL` says otherwise.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { addClientVerbs } from "./commands/client-verbs.ts";
import { processIo } from "./commands/io.ts";
import { runVerbs } from "./commands/run-verbs.ts";

// Node has it from 22 on.
Promise.withResolvers ??= function withResolvers<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void;
  let reject!: (reason?: unknown) => void;
  const promise = new Promise<T>((...both) => {
    [resolve, reject] = both;
  });
  return { promise, resolve, reject };
};

interface Manifest {
  readonly version: string;
  readonly llamakey?: { readonly url: string };
}

/** The package's own, beside the bundle. */
const file = join(dirname(fileURLToPath(import.meta.url)), "package.json");
const manifest: Manifest = JSON.parse(readFileSync(file, "utf8"));
const io = processIo();
const url = manifest.llamakey?.url;
const environment = url === undefined ? io.environment : { LMK_URL: url, ...io.environment };
const [first] = process.argv.slice(2);
const args = first === undefined ? ["--help"] : process.argv.slice(2);
process.exit(await runVerbs(args, manifest.version, { ...io, environment }, addClientVerbs));
