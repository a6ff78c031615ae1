/** What registries take, installed as their users do, without a registry. */
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import lock from "../../package-lock.json" with { type: "json" };
import { pythonVersion, wheelTags } from "../../scripts/wheel.ts";
import { behindGateway } from "../support/behind-gateway.ts";
import { atEnd } from "../support/cleanup.ts";
import { root } from "../support/gateway.ts";

setDefaultTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), "lmk-packages-"));
atEnd(() => rmSync(folder, { recursive: true, force: true }));
const venv = join(folder, "venv");
const python = join(venv, "bin/python");

/** Fails with what it said where it does not end well. */
function run(file: string, args: readonly string[], cwd = folder): string {
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, npm_config_cache: join(folder, "npm") };
  const ended = spawnSync(file, args, { cwd, env, encoding: "utf8" });
  if (ended.status !== 0) throw new Error(`${file} ${args.join(" ")}: ${ended.stdout}${ended.stderr}`);
  return ended.stdout.trim();
}

/** Hashes of all packages, by name. */
function build(): Record<string, string> {
  run("npm", ["run", "--silent", "build:packages"], root);
  const names = readdirSync(join(root, "dist")).filter((name) => name.startsWith("llamakey-"));
  return Object.fromEntries(
    names.map((name) => [
      join(root, "dist", name),
      createHash("sha256")
        .update(readFileSync(join(root, "dist", name)))
        .digest("hex"),
    ]),
  );
}

let built: Record<string, string>;
let wheel: string;
let tarball: string;
beforeAll(() => {
  // As in a fresh checkout.
  rmSync(join(root, "dist"), { recursive: true, force: true });
  built = build();
  const named = (ending: string) => Object.keys(built).find((path) => path.endsWith(ending)) ?? "";
  [wheel, tarball] = [named(".whl"), named(".tgz")];
  run("python3", ["-m", "venv", venv]);
  run(python, ["-m", "pip", "install", "--no-index", "--disable-pip-version-check", wheel]);
}, 120_000);

test("the same sources make the same bytes", () => {
  expect(Object.keys(built)).toHaveLength(2);
  expect(build()).toEqual(built);
});

describe("the npm package", () => {
  test("is the client: npm install, npx lmk, npx llamakey", async () => {
    run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball]);
    for (const name of ["lmk", "llamakey"])
      expect(run("npx", ["--offline", name, "--version"])).toBe(manifest.version);
    expect(readdirSync(join(folder, "node_modules/llamakey")).sort()).toEqual([
      "LICENSE",
      "README.md",
      "lmk.mjs",
      "package.json",
    ]);
    const { gateway } = await behindGateway();
    const env = { ...process.env, LMK_URL: gateway.url, LMK_KEY: gateway.key };
    const child = Bun.spawn(["npx", "--offline", "lmk", "me"], { cwd: folder, env, stdout: "pipe" });
    expect(await new Response(child.stdout).text()).toContain(`${gateway.url}/openai`);
    expect(await gateway.stop()).toBe(0);
  });

  test("without a gateway it says what it wants", () => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: folder };
    const program = join(folder, "node_modules/llamakey/lmk.mjs");
    const ended = spawnSync("node", [program, "me"], { cwd: folder, env, encoding: "utf8" });
    expect([ended.status, ended.stdout]).toEqual([1, ""]);
    expect(ended.stderr).toContain("LMK_KEY");
  });
});

describe("the wheel", () => {
  test("is whole: each file is in its record, with its size and hash", () => {
    const script = `
import base64, csv, hashlib, io, json, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
names = wheel.namelist()
[record] = [name for name in names if name.endswith("/RECORD")]
rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(wheel.read(record).decode()))}
wrong = [name for name in names if name not in rows]
for name, (digest, size) in rows.items():
    if name == record: continue
    content = wheel.read(name)
    found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    if digest != "sha256=" + found or int(size) != len(content): wrong.append(name)
print(json.dumps({"wrong": wrong, "test": wheel.testzip(), "modes": {n: oct(wheel.getinfo(n).external_attr >> 16) for n in names}}))`;
    const { wrong, test: broken, modes } = JSON.parse(run(python, ["-c", script, wheel]));
    expect([wrong, broken]).toEqual([[], null]);
    const data = `llamakey-${pythonVersion(manifest.version)}.data/scripts/lmk`;
    expect(modes[data]).toBe("0o100755");
    expect(modes["llamakey/__init__.py"]).toBe("0o100644");
  });

  test("pip install gives lmk, llamakey and python -m llamakey", () => {
    for (const command of [
      [join(venv, "bin/lmk")],
      [join(venv, "bin/llamakey")],
      [python, "-m", "llamakey"],
    ]) {
      const [file = "", ...args] = command;
      expect(run(file, [...args, "--version"])).toBe(manifest.version);
    }
    const missing = spawnSync(join(venv, "bin/llamakey"), ["no-such-verb"], { cwd: folder });
    expect(missing.status).toBe(2);
    expect(run(python, ["-m", "pip", "show", "llamakey"])).toContain(
      `Version: ${pythonVersion(manifest.version)}`,
    );
  });

  test("lmk serve starts from it and answers", async () => {
    const behind = await behindGateway({ executable: join(venv, "bin/lmk") });
    const response = await fetch(`${behind.gateway.url}/openai/v1/models`, {
      headers: behind.gateway.bearer,
    });
    expect(response.status).toBe(200);
    expect(await behind.gateway.stop()).toBe(0);
  });

  test("has a tag for every platform that it is built for", () => {
    const prefix = "node_modules/@oven/bun-";
    const platforms = Object.keys(lock.packages).filter((path) => path.startsWith(prefix));
    expect(Object.keys(wheelTags).sort()).toEqual(platforms.map((path) => path.slice(prefix.length)).sort());
  });

  const isLinux = process.platform === "linux";
  test.skipIf(!isLinux)(
    "asks for no newer glibc than its tag says (allowed: other systems have none)",
    () => {
      const program = readFileSync(join(venv, "bin/lmk"), "latin1");
      const asked = [...program.matchAll(/\0GLIBC_2\.(\d+)(?=\0)/g)].map(([, minor]) => Number(minor));
      expect(asked.length).toBeGreaterThan(0);
      expect(Math.max(...asked)).toBeLessThanOrEqual(17);
    },
  );

  test("pip uninstall leaves nothing", () => {
    run(python, ["-m", "pip", "uninstall", "--yes", "llamakey"]);
    expect(readdirSync(join(venv, "bin")).filter((name) => /lmk|llamakey/.test(name))).toEqual([]);
  });
});

test("versions are written as Python writes them", () => {
  expect(["1.2.3", "1.2.3-rc.4", "0.1.0-alpha.1"].map(pythonVersion)).toEqual([
    "1.2.3",
    "1.2.3rc4",
    "0.1.0a1",
  ]);
  expect(() => pythonVersion("1.2.3-nightly")).toThrow("no way to write");
});
