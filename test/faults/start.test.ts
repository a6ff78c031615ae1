/** Starts that cannot succeed say why in one line and end with code 1; settings that can be taken wrongly are not. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "../support/cleanup.ts";
import { type GatewayOptions, root, StartFailure, startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";
import { recordingUpstream, reply } from "../support/recording-upstream.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "lmk-fault-"));
  atEnd(() => {
    chmodSync(path, 0o700);
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** Starts what must not start. @returns the lines that it printed as errors */
async function failure(options: GatewayOptions): Promise<string[]> {
  const gateway = await startGateway(options).catch((error: unknown) => error);
  if (!(gateway instanceof StartFailure))
    throw new Error("It started, or failed otherwise.", { cause: gateway });
  expect(gateway.exitCode).toBe(1);
  expect(gateway.stdout).not.toContain("listening");
  expect(gateway.stderr).not.toMatch(/^\s+at /m);
  expect(gateway.stderr).not.toContain("node:");
  return gateway.stderr.trimEnd().split("\n");
}

/** The same, where there must be exactly one line. */
async function oneLine(options: GatewayOptions): Promise<string> {
  const lines = await failure(options);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^lmk: /);
  return lines[0] ?? "";
}

/** A data directory that was in use once. */
async function usedFolder(env: Record<string, string> = {}): Promise<string> {
  const cwd = folder();
  const gateway = await startGateway({ cwd, env });
  expect(await gateway.stop()).toBe(0);
  return cwd;
}

const isRoot = process.getuid?.() === 0;

/** A program that runs the gateway as nobody, for whom permissions count. */
function asNobody(where: string): string {
  const program = join(where, "as-nobody");
  const command = `${process.execPath} --no-env-file --config=${root}/bunfig.toml ${root}/src/main.ts`;
  writeFileSync(
    program,
    `#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups ${command} "$@"\n`,
  );
  chmodSync(program, 0o755);
  return program;
}

describe("one line and exit code 1 for", () => {
  test("a port that is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const line = await oneLine({ env: { LMK_LISTEN: `127.0.0.1:${port}` } });
    expect(line).toContain(`127.0.0.1:${port} is taken`);
    expect(line).toContain("LMK_LISTEN");
    server.close();
  });

  test("an address that is not this machine's", async () => {
    const env = { LMK_LISTEN: "192.0.2.1:8000", LMK_PUBLIC_URL: "http://192.0.2.1:8000" };
    expect(await oneLine({ env })).toContain("192.0.2.1:8000 cannot be opened");
  });

  test.skipIf(!isRoot)("a data directory that cannot be written (allowed: needs root)", async () => {
    const cwd = folder();
    chmodSync(cwd, 0o755);
    const dataDir = join(cwd, "data");
    mkdirSync(dataDir, { mode: 0o755 });
    const line = await oneLine({ cwd, dataDir, executable: asNobody(cwd) });
    expect(line).toContain(dataDir);
    expect(line).toContain("LMK_DATA_DIR");
  });

  test.skipIf(!isRoot)("a data directory that cannot be made (allowed: needs root)", async () => {
    const cwd = folder();
    chmodSync(cwd, 0o755);
    const line = await oneLine({ cwd, dataDir: join(cwd, "data"), executable: asNobody(cwd) });
    expect(line).toContain("LMK_DATA_DIR");
  });

  test("a data directory that is a file", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "data"), "");
    expect(await oneLine({ cwd, dataDir: join(cwd, "data") })).toContain("LMK_DATA_DIR");
  });

  test("a data directory from a newer version", async () => {
    const cwd = await usedFolder();
    const database = new Database(join(cwd, "llamakey-data/llamakey.db"));
    database.run("PRAGMA user_version = 999");
    database.close();
    expect(await oneLine({ cwd })).toMatch(/newer LlaMaKey \(schema 999/);
  });

  test("a database that is none", async () => {
    const cwd = await usedFolder();
    const data = join(cwd, "llamakey-data");
    for (const name of readdirSync(data)) if (name.startsWith("llamakey.db")) rmSync(join(data, name));
    writeFileSync(
      join(data, "llamakey.db"),
      "this is no database, and long enough to be seen as none".repeat(50),
    );
    expect(await oneLine({ cwd })).toContain("database");
  });

  test("another vault key than the one that sealed what is there", async () => {
    const env = { LMK_VAULT_KEY: Buffer.alloc(32, 1).toString("base64") };
    const cwd = await usedFolder(env);
    expect(await oneLine({ cwd, env: { LMK_VAULT_KEY: Buffer.alloc(32, 2).toString("base64") } })).toContain(
      "vault key",
    );
  });

  test("a vault key of the wrong size", async () => {
    expect(await oneLine({ env: { LMK_VAULT_KEY: "c2hvcnQ=" } })).toMatch(/LMK_VAULT_KEY.*32 bytes/);
  });

  test("a vault key file that is gone; no new one is made in its place", async () => {
    const cwd = await usedFolder();
    const file = join(cwd, "llamakey-data/vault.key");
    rmSync(file);
    expect(await oneLine({ cwd })).toContain("vault.key is missing");
    expect(existsSync(file)).toBe(false);
  });

  test("a second gateway on the same data directory", async () => {
    const cwd = folder();
    const first = await startGateway({ cwd });
    expect(await oneLine({ cwd, dataDir: first.dataDir })).toContain("in use by another LlaMaKey");
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    await first.kill();
    // The lock ends with the process that held it.
    const next = await startGateway({ cwd, dataDir: first.dataDir });
    expect(await next.stop()).toBe(0);
  });

  const malformed: Record<string, [Record<string, string>, RegExp]> = {
    "an address without a port": [{ LMK_LISTEN: "localhost" }, /LMK_LISTEN is "localhost"/],
    "a port beyond 65535": [{ LMK_LISTEN: "127.0.0.1:70000" }, /LMK_LISTEN/],
    "a public address that is no URL": [{ LMK_PUBLIC_URL: "gateway" }, /LMK_PUBLIC_URL is "gateway"/],
    "an address for other machines without a public URL": [{ LMK_LISTEN: "0.0.0.0:0" }, /LMK_PUBLIC_URL/],
    "an upstream that is no URL": [{ LMK_OPENAI_UPSTREAM: "api.openai.com" }, /LMK_OPENAI_UPSTREAM/],
    "an upstream of another scheme": [{ LMK_OPENAI_UPSTREAM: "ftp://x/v1" }, /https:\/\/ or http:\/\//],
    "an upstream with a query": [{ LMK_OPENAI_UPSTREAM: "https://x/v1?a=1" }, /query/],
    "a server that is no URL": [{ LMK_SERVER_GPU: "gpu box" }, /LMK_SERVER_GPU/],
    "a server with a provider's name": [{ LMK_SERVER_OPENAI: "http://127.0.0.1:1" }, /taken/],
    "a duration without a unit": [{ LMK_DRAIN: "30" }, /LMK_DRAIN is "30"/],
    "a timeout of no known kind": [{ LMK_OPENAI_TIMEOUTS: "first=1s" }, /first-byte/],
    "an operator token that can be guessed": [{ LMK_ADMIN_TOKEN: "admin" }, /24 characters/],
    "a key in quotation marks": [
      { OPENAI_API_KEY: '"sk-PLANTED-1234567890"' },
      /OPENAI_API_KEY.*quotation marks/,
    ],
    "a key with a space": [{ OPENAI_API_KEY: "sk-PLANTED 1234567890" }, /OPENAI_API_KEY contains spaces/],
    "a key that is too short": [{ OPENAI_API_KEY: "sk-" }, /OPENAI_API_KEY is too short/],
  };
  for (const [what, [env, message]] of Object.entries(malformed)) {
    test(what, async () => {
      const line = await oneLine({ env });
      expect(line).toMatch(message);
      expect(line).not.toContain("PLANTED");
    });
  }

  test("an upstream address with a password in it, which is not shown", async () => {
    const line = await oneLine({ env: { LMK_OPENAI_UPSTREAM: "https://ada:PLANTEDsecret@x/v1" } });
    expect(line).toContain("LMK_OPENAI_UPSTREAM");
    expect(line).not.toContain("PLANTED");
  });
});

test("several malformed settings are all named at once", async () => {
  const lines = await failure({ env: { LMK_LISTEN: "x", LMK_DRAIN: "y", LMK_PUBLIC_URL: "z" } });
  expect(lines).toHaveLength(3);
});

test("a folder with a .env that cannot be read is one line", async () => {
  const cwd = folder();
  mkdirSync(join(cwd, ".env"));
  expect(await oneLine({ cwd })).toContain(".env cannot be read");
});

describe("the environment", () => {
  /** What the table says of OpenAI's key. */
  async function keyOf(env: Record<string, string>, dotenv = ""): Promise<{ row: string; errors: string }> {
    const cwd = folder();
    writeFileSync(join(cwd, ".env"), dotenv);
    const gateway = await startGateway({ cwd, env });
    await gateway.stop();
    return { row: /^ +openai .*$/m.exec(gateway.stdout())?.[0] ?? "", errors: gateway.stderr() };
  }
  const real = "sk-proj-REALFAKEKEY012abcdefghijklmnopqr";
  const other = "sk-proj-OTHRFAKEKEY012abcdefghijklmnzzzz";
  const ours = "lmk_0123456789_0123456789ABCDEFGHIJ0123456789AB_000000";

  test("comes before .env", async () => {
    expect((await keyOf({ OPENAI_API_KEY: real }, `OPENAI_API_KEY=${other}`)).row).toContain("...opqr");
  });

  test("is completed by .env", async () => {
    expect((await keyOf({}, `OPENAI_API_KEY=${other}`)).row).toContain("...zzzz");
  });

  test("counts as unset where it is empty", async () => {
    expect((await keyOf({ OPENAI_API_KEY: "" }, `OPENAI_API_KEY=${other}`)).row).toContain("...zzzz");
    expect((await keyOf({ OPENAI_API_KEY: "  " })).row).toBe("");
  });

  test("that has sourced a client's exports is not taken for a provider's key", async () => {
    for (const poison of [ours, `sk-${ours}`, `sk-proj-${ours}`, `hf_${ours}`]) {
      const { row, errors } = await keyOf({ OPENAI_API_KEY: poison }, `OPENAI_API_KEY=${real}`);
      expect(row).toContain("...opqr");
      expect(errors).toContain("OPENAI_API_KEY holds a LlaMaKey master key");
      expect(errors).not.toContain(ours);
    }
  });

  test("with a misspelt setting is warned of", async () => {
    expect((await keyOf({ LMK_LISTN: "x" })).errors).toContain("LMK_LISTN is not a setting");
  });

  test("cannot send provider calls through a proxy of the developer's", async () => {
    const trap = await recordingUpstream();
    const upstream = await recordingUpstream();
    const cwd = folder();
    // Also from files that the platform reads by itself.
    for (const name of [".env", ".env.local", ".env.production"])
      writeFileSync(join(cwd, name), `HTTP_PROXY=${trap.url}\n`);
    writeFileSync(join(cwd, "bunfig.toml"), 'preload = ["./nowhere.ts"]\n');
    const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    const gateway = await startGateway({
      cwd,
      env: {
        ...Object.fromEntries(proxies.map((name) => [name, trap.url])),
        LMK_SERVER_BOX: upstream.url,
        OPENAI_API_KEY: real,
      },
    });
    upstream.answer = reply({ body: "direct" });
    const response = await fetch(`${gateway.url}/box/x`, { headers: gateway.bearer });
    expect(await response.text()).toBe("direct");
    expect(trap.requests).toHaveLength(0);
    await gateway.stop();
  });
});

describe.skipIf(process.platform !== "linux")("the process (allowed: needs Linux's /proc)", () => {
  test("collects garbage by its amount, unless it is told otherwise", async () => {
    await using gateway = await startGateway();
    const environment = (pid: number) => readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    expect(environment(gateway.pid)).toEqual(
      expect.arrayContaining([
        "BUN_JSC_largeHeapSize=67108864",
        "BUN_JSC_collectionTimerMaxPercentCPU=0.005",
      ]),
    );
    await using told = await startGateway({ env: { BUN_JSC_largeHeapSize: "33554432" } });
    expect(environment(told.pid)).toContain("BUN_JSC_largeHeapSize=33554432");
  });
});

describe("what is on the disk", () => {
  test("can be read by this user alone", async () => {
    const cwd = await usedFolder({ OPENAI_API_KEY: "sk-proj-REALFAKEKEY012abcdefghijklmnopqr" });
    const modeOf = (path: string) => statSync(join(cwd, path)).mode & 0o777;
    expect(modeOf("llamakey-data")).toBe(0o700);
    expect(modeOf("llamakey_local.env")).toBe(0o600);
    expect(modeOf("llamakey-data/vault.key")).toBe(0o400);
    for (const name of readdirSync(join(cwd, "llamakey-data")))
      expect(modeOf(`llamakey-data/${name}`) & 0o077).toBe(0);
  });

  test.skipIf(!isRoot)(
    "goes to the data directory where the current folder is read-only (allowed: needs root)",
    async () => {
      const cwd = folder();
      chmodSync(cwd, 0o755);
      const dataDir = join(cwd, "data");
      mkdirSync(dataDir);
      chownSync(dataDir, 65534, 65534);
      const gateway = await startGateway({ cwd, dataDir, executable: asNobody(cwd) });
      expect(gateway.key).toStartWith("lmk_");
      expect(existsSync(join(dataDir, "llamakey_local.env"))).toBe(true);
      await gateway.stop();
    },
  );

  test("a later start makes no second user, and says where the first one's exports are", async () => {
    const cwd = await usedFolder();
    const gateway = await startGateway({ cwd });
    expect(gateway.stdout()).toContain("llamakey_local.env");
    expect(gateway.stdout()).not.toContain("First user");
    expect((await gateway.api<{ items: unknown[] }>("GET", "/users")).items).toHaveLength(1);
    await gateway.stop();
  });

  test("no master key is printed", async () => {
    const gateway = await startGateway();
    await gateway.stop();
    expect(gateway.stdout() + gateway.stderr()).not.toContain(gateway.key.slice(15, 47));
  });
});

describe("a full disk", () => {
  const place = mkdtempSync(join(tmpdir(), "lmk-full-"));
  const mount = () =>
    isRoot && spawnSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", place]).status === 0;
  const unmount = () => spawnSync("umount", ["-l", place]);
  const canMount = mount();
  if (canMount) unmount();
  beforeAll(() => {
    if (canMount) mount();
  });
  afterAll(() => {
    if (canMount) unmount();
    rmSync(place, { recursive: true, force: true });
  });

  test.skipIf(!canMount)(
    "stops requests before one is forwarded unseen, and they go on when there is room again (allowed: needs a mount)",
    async () => {
      const upstream = await recordingUpstream();
      upstream.answer = reply({ body: "{}" });
      const gateway = await startGateway({
        dataDir: join(place, "data"),
        env: { LMK_SERVER_BOX: upstream.url },
      });
      const ask = () => fetch(`${gateway.url}/box/x`, { headers: gateway.bearer });
      expect((await ask()).status).toBe(200);
      const ballast = join(place, "ballast");
      spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=64k"]);
      let status = 200;
      for (let i = 0; i < 5000 && status === 200; i++) {
        const response = await ask();
        status = response.status;
        await response.arrayBuffer();
      }
      expect(status).toBe(503);
      const refused = await ask();
      expect(refused.headers.get("x-llamakey-refusal")).toBe("storage_unavailable");
      expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
      const asked = upstream.requests.length;
      await ask();
      expect(upstream.requests).toHaveLength(asked);

      rmSync(ballast);
      await poll("a request that is taken", async () => ((await ask()).status === 200 ? true : undefined));
      await gateway.stop();
      const database = new Database(join(gateway.dataDir, "llamakey.db"), { readonly: true });
      const { n } = database.query("SELECT count(*) AS n FROM requests WHERE status = 200").get() as {
        n: number;
      };
      database.close();
      expect(n).toBe(upstream.requests.length);
    },
    60_000,
  );

  test.skipIf(!canMount)("at the start is one line (allowed: needs a mount)", async () => {
    const ballast = join(place, "ballast2");
    spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=4k"]);
    expect(await oneLine({ dataDir: join(place, "other") })).toMatch(/disk|full|cannot be written|database/i);
    rmSync(ballast);
  });
});
