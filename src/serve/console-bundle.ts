import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The web console as a browser gets it. */
export interface ConsoleBundle {
  /** Sets light or dark before the first paint. */
  readonly boot: string;
  readonly main: string;
  /** What `main` imports at once: a browser that is told so asks for all of it together. */
  readonly preload: readonly string[];
  readonly styles: readonly string[];
  /** By name, which changes whenever the content does; the content is gzip as base64. */
  readonly files: Readonly<Record<string, { readonly type: string; readonly gzip: string }>>;
}

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** A change of what this file does makes another bundle of the same sources. */
const EDITION = "1";

/**
 * The bundle of the checkout's `web/`, kept in `.cache/console` under the hash of what it was made of.
 * @param root The checkout.
 */
export async function bundleConsole(root: string): Promise<ConsoleBundle> {
  const path = join(root, ".cache/console", `${hashOf(root)}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as ConsoleBundle;
  const bundle = await build(root);
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Two gateways of one checkout may do this at once: neither reads half a file.
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(bundle));
    renameSync(draft, path);
  } catch {
    // A checkout that cannot be written to is bundled at each start.
  }
  return bundle;
}

/** Of all sources, and of the versions of all packages. */
function hashOf(root: string): string {
  const hash = createHash("sha256").update(EDITION);
  hash.update(readFileSync(join(root, "package-lock.json")));
  const sources = readdirSync(join(root, "web"), { recursive: true, encoding: "utf8" });
  for (const name of sources.filter((one) => /\.\w+$/.test(one)).sort()) {
    hash.update(`\0${name}\0`).update(readFileSync(join(root, "web", name)));
  }
  return hash.digest("hex").slice(0, 32);
}

async function build(root: string): Promise<ConsoleBundle> {
  const result = await Bun.build({
    entrypoints: [join(root, "web/main.tsx"), join(root, "web/boot.ts")],
    target: "browser",
    format: "esm",
    splitting: true,
    minify: true,
    naming: { entry: "[name]-[hash].[ext]", chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
    publicPath: "/console/assets/",
    define: { "process.env.NODE_ENV": '"production"' },
    jsx: { runtime: "automatic", development: false },
  } as Bun.BuildConfig);
  if (!result.success) throw new AggregateError(result.logs, "the web console could not be bundled");
  const files: Record<string, { type: string; gzip: string }> = {};
  const texts = new Map<string, string>();
  for (const output of result.outputs) {
    const name = output.path.replace(/^.*[\\/]/, "");
    const bytes = new Uint8Array(await output.arrayBuffer());
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    files[name] = { type, gzip: Buffer.from(Bun.gzipSync(bytes, { level: 9 })).toString("base64") };
    texts.set(name, new TextDecoder().decode(bytes));
  }
  const named = (pattern: RegExp) => [...texts.keys()].filter((name) => pattern.test(name));
  const [main = ""] = named(/^main-\w+\.js$/);
  const [boot = ""] = named(/^boot-\w+\.js$/);
  return { main, boot, preload: importsOf(main, texts), styles: named(/^main-\w+\.css$/), files };
}

/** The chunks that a chunk needs before it runs, and those that they need. */
function importsOf(entry: string, texts: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>();
  const walk = (name: string) => {
    const text = texts.get(name) ?? "";
    for (const [, imported = ""] of text.matchAll(/(?:from|import)\s*"[^"]*?([\w.-]+\.js)"/g)) {
      if (found.has(imported) || imported === entry || !texts.has(imported)) continue;
      found.add(imported);
      walk(imported);
    }
  };
  walk(entry);
  return [...found];
}
