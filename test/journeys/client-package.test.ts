/** The client that the gateway serves: one file, on Node alone, from wherever the gateway runs. */
import { beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "../support/cleanup.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";

let gateway: Gateway;
let folder: string;
beforeAll(async () => {
  gateway = await startGateway({
    env: { ANTHROPIC_API_KEY: "sk-ant-test-fake-0123456789abcdefghijklmnopqrstuv" },
  });
  folder = mkdtempSync(join(tmpdir(), "lmk-client-"));
});
atEnd(async () => {
  rmSync(folder, { recursive: true, force: true });
  await gateway.end();
});

async function fetched(of = gateway): Promise<Buffer> {
  const response = await fetch(`${of.url}/lmk/cli.tgz`);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/gzip"]);
  return Buffer.from(await response.arrayBuffer());
}

describe("/lmk/cli.tgz", () => {
  test("is the same whenever it is made, small, and without a secret", async () => {
    const first = await fetched();
    await gateway.restart();
    const second = await fetched();
    expect(second.equals(first)).toBe(true);
    expect(first.length).toBeLessThan(400_000);
    const text = Buffer.from(Bun.gunzipSync(new Uint8Array(first))).toString("latin1");
    for (const secret of [gateway.key, gateway.adminToken, "sk-ant-test-fake"])
      expect(text).not.toContain(secret);
    // Not the text itself: a test that fails would print all of it.
    expect(text.match(/\bBun\.(?!stringWidth)\w+/)).toBeNull();
  }, 60_000);

  test("npx runs it on Node without an installation, and it knows its gateway", async () => {
    // No address given: it is the one that it was fetched from.
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      LMK_KEY: gateway.key,
      npm_config_cache: join(folder, "npm"),
      // It needs no other package, and npm no registry: nobody is there.
      npm_config_registry: "http://127.0.0.1:9/",
      npm_config_update_notifier: "false",
    };
    const npx = async (...args: string[]) => {
      const child = Bun.spawn(["npx", "--yes", `${gateway.url}/lmk/cli.tgz`, ...args], {
        cwd: folder,
        env,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, err, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      return { out, err, code };
    };
    const me = await npx("me");
    expect(me.code, me.err).toBe(0);
    expect(me.out).toContain(`${gateway.url}/anthropic`);
    const run = await npx("run", "--budget", "1", "--", "node", "-p", "process.env.ANTHROPIC_API_KEY");
    expect([run.code, run.out]).toEqual([0, expect.stringMatching(/^lmk_\w{54,}|^lmk_/m)]);
    expect(run.out).not.toContain(gateway.key);
    // It was the command's, and has ended with it.
    const afterwards = await fetch(`${gateway.url}/anthropic/v1/models`, {
      headers: { "x-api-key": run.out.trim() },
    });
    expect([afterwards.status, afterwards.headers.get("x-llamakey-refusal")]).toEqual([401, "invalid_key"]);
    const configured = await npx("configure", "claude-code", "--yes");
    expect(configured.code).toBe(0);
    const settings = JSON.parse(readFileSync(join(folder, ".claude/settings.json"), "utf8"));
    expect(settings.env.ANTHROPIC_BASE_URL).toBe(`${gateway.url}/anthropic`);
    expect((await npx("configure", "claude-code", "--undo")).code).toBe(0);
    const wrong = await npx("serve");
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("unknown command")]);
  }, 120_000);

  test("where the gateway has a certificate of its own, it takes it by its fingerprint alone", async () => {
    await using secure = await startGateway({
      env: { ANTHROPIC_API_KEY: "sk-ant-test-fake-0123456789abcdefghijklmnopqrstuv" },
      args: ["--tls=local"],
    });
    const ca = readFileSync(join(secure.dataDir, "ca.pem"), "utf8");
    const home = mkdtempSync(join(folder, "home-"));
    const bytes = await (await fetch(`${secure.url}/lmk/cli.tgz`, { tls: { ca } })).bytes();
    await new Bun.Archive(bytes).extract(home);
    const node = async (...args: string[]) => {
      const child = Bun.spawn(["node", join(home, "package/lmk.mjs"), ...args], {
        cwd: home,
        env: { PATH: process.env["PATH"] ?? "", HOME: home, LMK_KEY: secure.key },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, err, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      return { out, err, code };
    };
    const command = ["--", "node", "-p", "process.env.ANTHROPIC_BASE_URL"];
    const untrusted = await node("me");
    expect([untrusted.code, untrusted.err]).toEqual([1, expect.stringContaining("is trusted by nothing")]);
    const refused = await node("run", ...command);
    expect([refused.code, refused.out]).toEqual([125, ""]);
    const fingerprint = /--fingerprint ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})/.exec(refused.err)?.[1] ?? "";
    expect(secure.stdout()).toContain(fingerprint);
    const run = await node("run", "--fingerprint", fingerprint, ...command);
    expect([run.code, run.out], run.err).toEqual([0, `${secure.url}/anthropic\n`]);
    const kept = await node("env", "--format", "json", "--fingerprint", fingerprint);
    expect(kept.code, kept.err).toBe(0);
    const variables = JSON.parse(kept.out) as Record<string, string>;
    expect(readFileSync(variables["NODE_EXTRA_CA_CERTS"] ?? "", "utf8")).toBe(ca);
  }, 60_000);

  test("what curl fetches sets a shell up", () => {
    const script = `eval "$(curl -fsS "$URL/lmk/env" -H "authorization: Bearer $KEY")" && printf %s "$ANTHROPIC_BASE_URL"`;
    const env = { PATH: process.env["PATH"] ?? "", URL: gateway.url, KEY: gateway.key };
    const ended = spawnSync("sh", ["-c", script], { env, encoding: "utf8" });
    expect([ended.status, ended.stdout]).toEqual([0, `${gateway.url}/anthropic`]);
  });
});
