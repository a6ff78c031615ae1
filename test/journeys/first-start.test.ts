import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChatUpstream } from "../support/chat-upstream.ts";
import { startGateway } from "../support/gateway.ts";

const fakeKey = "sk-test-fake-first-start-0123456789";

/** Runs a line in a shell that has nothing but a path. */
async function shell(line: string, cwd: string): Promise<string> {
  const child = Bun.spawn(["sh", "-c", line], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "" },
    stderr: "inherit",
  });
  return new Response(child.stdout).text();
}

describe("the first start", () => {
  test("prints one line that answers when it is pasted into a shell", async () => {
    const upstream = await startChatUpstream();
    await using gateway = await startGateway({
      env: { OPENAI_API_KEY: fakeKey, LMK_OPENAI_UPSTREAM: upstream.base },
    });
    const line = /^ {2}(\. .*curl .*)$/m.exec(gateway.stdout())?.[1] ?? "";
    expect(await shell(line, gateway.cwd)).toBe('{"ok":true}');
    expect(upstream.authorizations).toEqual([`Bearer ${fakeKey}`]);
  });

  test("shows credentials masked, and keeps its secrets to its own user", async () => {
    await using gateway = await startGateway({ env: { OPENAI_API_KEY: fakeKey } });
    expect(gateway.stdout()).toContain("sk-tes...6789 (env)");
    expect(gateway.stdout()).not.toContain(fakeKey);
    expect(gateway.stdout()).not.toContain(gateway.key);
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(mode(gateway.dataDir)).toBe("700");
    expect(mode(join(gateway.dataDir, "admin.token"))).toBe("600");
    expect(mode(join(gateway.dataDir, "vault.key"))).toBe("400");
    expect(mode(join(gateway.dataDir, "llamakey.db"))).toBe("600");
    expect(mode(join(gateway.cwd, "llamakey_local.env"))).toBe("600");
  });

  test("without any credential says so, and how to add one", async () => {
    await using gateway = await startGateway();
    expect(gateway.stdout()).toContain("No provider key is set up yet");
    expect(gateway.stdout()).toContain("credential add openai");
    const response = await fetch(`${gateway.url}/openai/v1/models`, { headers: gateway.bearer });
    expect(response.status).toBe(403);
    expect(response.headers.get("x-llamakey-refusal")).toBe("no_credential");
  });

  test("names in the exports only what is configured, and follows when that changes", async () => {
    const upstream = await startChatUpstream();
    await using gateway = await startGateway({ env: { LMK_OPENAI_UPSTREAM: upstream.base } });
    expect(Object.keys(gateway.exports)).toEqual(["LMK_URL", "LMK_KEY"]);
    const { key } = gateway;
    await gateway.api("POST", "/credentials", { provider: "openai", secret: fakeKey });
    expect(gateway.exports["OPENAI_BASE_URL"]).toBe(`${gateway.url}/openai/v1`);
    expect(gateway.exports["OPENAI_API_KEY"]).toBe(key);
  });

  test("where the folder already has a file of that name that is somebody's own, leaves it alone", async () => {
    const cwd = mkdtempSync(join(tmpdir(), "lmk-test-"));
    writeFileSync(join(cwd, "llamakey_local.env"), "MINE=1\n");
    await using gateway = await startGateway({ cwd });
    expect(await Bun.file(join(cwd, "llamakey_local.env")).text()).toBe("MINE=1\n");
    expect(existsSync(join(gateway.dataDir, "llamakey_local.env"))).toBe(true);
  });

  test("a later start makes no second user and tells where the first one's exports are", async () => {
    await using gateway = await startGateway({ env: { OPENAI_API_KEY: fakeKey } });
    const { key } = gateway;
    await gateway.restart();
    expect(gateway.key).toBe(key);
    expect(gateway.stdout()).toContain(`are in ${join(gateway.cwd, "llamakey_local.env")}`);
    const { items } = await gateway.api<{ items: unknown[] }>("GET", "/users");
    expect(items).toHaveLength(1);
  });

  test("lmk env and /lmk/env give the same exports as the file", async () => {
    await using gateway = await startGateway({ env: { OPENAI_API_KEY: fakeKey } });
    expect(await gateway.exportsOf(gateway.key)).toEqual(gateway.exports);
    const json = await fetch(`${gateway.url}/lmk/env?format=json`, {
      headers: { "x-api-key": `sk-${gateway.key}` },
    });
    expect(await json.json()).toEqual(gateway.exports);
  });
});
