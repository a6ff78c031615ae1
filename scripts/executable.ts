/**
 * The product as one executable.
 *
 * Another platform's Bun comes as its npm package, in the version and with the hash of package-lock.json.
 */
import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import lock from "../package-lock.json" with { type: "json" };
import { buildClient } from "../src/serve/build-client.ts";
import { bundleConsole } from "../src/serve/console-bundle.ts";
import { bunPackage } from "./bun.mjs";

/** The checkout, with a slash at its end. */
export const root = new URL("..", import.meta.url).pathname;

const prefix = "@oven/bun-";
const packages: Record<string, { version: string; integrity: string }> = Object.fromEntries(
  Object.entries(lock.packages).flatMap(([path, entry]) => {
    const name = path.replace("node_modules/", "");
    if (!name.startsWith(prefix) || !("integrity" in entry)) return [];
    return [[name.slice(prefix.length), { version: entry.version, integrity: entry.integrity }]];
  }),
);

/**
 * Entry points beside main.ts: the Workers. Flat names put every bundle into one directory, next to main's, so
 * that `new URL("./thread.ts", import.meta.url)` finds its Worker from source and in the executable alike.
 */
const workers = ["src/storage/sqlite/thread.ts", "src/storage/sqlite/commit-log-thread.ts"];

/** The platforms that Bun has a package for: `linux-x64`, `darwin-aarch64`... */
export const targets: readonly string[] = Object.keys(packages);

/** This machine's. */
export const ownTarget = bunPackage().slice(prefix.length);

/** Puts the web console, bundled, in the place of the module that says that there is none. */
function consolePlugin(bundled: unknown): Bun.BunPlugin {
  const contents = `export const bundledConsole = ${JSON.stringify(bundled)};`;
  return {
    name: "console",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]serve[\\/]bundled-console\.ts$/ }, () => ({ contents, loader: "js" }));
    },
  };
}

/** Makes it for another platform, one of `targets`; returns its path in the checkout. */
export async function buildFor(target: string): Promise<string> {
  const outfile = `dist/lmk-${target}${target.startsWith("windows") ? ".exe" : ""}`;
  await build(outfile, { target: `bun-${target}`, executablePath: await bunFor(target) });
  return outfile;
}

/** Makes it for this machine, dist/lmk; returns its path in the checkout. */
export async function buildHere(): Promise<string> {
  await build("dist/lmk");
  return "dist/lmk";
}

async function build(
  outfile: string,
  platform: { target?: string; executablePath?: string } = {},
): Promise<void> {
  const startedAt = performance.now();
  // Before the build that they go into: one inside another may wait for ever.
  const [bundled, client] = [await bundleConsole(root), await buildClient()];
  const result = await Bun.build({
    entrypoints: ["src/main.ts", ...workers].map((path) => root + path),
    naming: { entry: "[name].[ext]" },
    plugins: [consolePlugin(bundled)],
    // It has no sources beside it to make the client of.
    define: { LMK_CLIENT: JSON.stringify(client) },
    minify: true,
    // Inside the executable: a stack trace in somebody's bug report names our files and lines.
    sourcemap: "inline",
    compile: {
      outfile: root + outfile,
      // The executable reads what its own code reads, not what lies in the directory where it is started.
      autoloadDotenv: false,
      autoloadBunfig: false,
      ...platform,
    } as Bun.CompileBuildOptions,
  });
  if (!result.success) throw new AggregateError(result.logs, `${outfile} could not be built`);
  // Bun embeds the source maps and writes them beside the executable as well; those nobody needs.
  for await (const map of new Bun.Glob("dist/*.map").scan(root)) await rm(root + map);
  const megabytes = (Bun.file(root + outfile).size / 1e6).toFixed(0);
  console.log(`${outfile}: ${megabytes} MB in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** The path of another platform's Bun binary, fetched with npm and checked against the lock file. */
async function bunFor(target: string): Promise<string> {
  const name = prefix + target;
  const binary = target.startsWith("windows") ? "bin/bun.exe" : "bin/bun";
  if (name === bunPackage()) return process.execPath;
  const entry = packages[target];
  if (entry === undefined) throw new Error(`${name} is not in package-lock.json`);

  const cache = `${root}.cache/bun/${target}-${entry.version}`;
  const path = `${cache}/package/${binary}`;
  if (await Bun.file(path).exists()) return path;
  await rm(cache, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  const packed = Bun.spawnSync([
    "npm",
    "pack",
    "--silent",
    "--pack-destination",
    cache,
    `${name}@${entry.version}`,
  ]);
  const tarball = Bun.file(`${cache}/${packed.stdout.toString().trim()}`);
  if (packed.exitCode !== 0) throw new Error(`npm pack ${name} failed: ${packed.stderr}`);
  const bytes = await tarball.bytes();
  const hash = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (hash !== entry.integrity) throw new Error(`${name} is not what package-lock.json says it is`);
  await new Bun.Archive(bytes).extract(cache);
  await tarball.delete();
  return path;
}
