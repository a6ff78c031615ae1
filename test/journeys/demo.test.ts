/** The demo: everything to be seen without a key, and no key that is there used. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "../support/cleanup.ts";
import { startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";
import { serveRecorded } from "../support/record.ts";

const realKey = "sk-proj-RealKEYofDEVELOPERFAKEKEY012abcdef";
const heard: string[] = [];
/** Where the developer's own settings would send calls. */
const elsewhere = await serveRecorded({
  fetch(request) {
    heard.push(request.url);
    return Response.json({});
  },
});

const cwd = mkdtempSync(join(tmpdir(), "lmk-demo-"));
atEnd(() => rmSync(cwd, { recursive: true, force: true }));
writeFileSync(
  join(cwd, ".env"),
  `ANTHROPIC_API_KEY=${realKey}\nGROQ_API_KEY=${realKey}\nLMK_ANTHROPIC_UPSTREAM=${elsewhere.origin}\n`,
);
const gateway = await startGateway({
  verb: "demo",
  cwd,
  dataDir: "llamakey-demo",
  env: {
    OPENAI_API_KEY: realKey,
    LMK_OPENAI_UPSTREAM: `${elsewhere.origin}/v1`,
    LMK_DATA_DIR: join(cwd, "own"),
  },
});

interface Sums {
  items: { keys: Record<string, string>; requests: number; costNanos: string }[];
  total: { requests: number; costNanos: string; unpriced: number };
}

/** Runs a line in a shell that has nothing but a path. */
async function shell(line: string): Promise<string> {
  const child = Bun.spawn(["sh", "-c", line], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "" },
    stderr: "inherit",
  });
  return new Response(child.stdout).text();
}

function lineOf(pattern: RegExp): string {
  const line = pattern.exec(gateway.stdout())?.[1];
  if (line === undefined) throw new Error(`There is no such line: ${gateway.stdout()}`);
  return line;
}

describe("the demo", () => {
  test("says that it is simulated, and keeps to its own folder", () => {
    expect(gateway.stdout()).toContain("All of this is simulated");
    expect(gateway.stderr()).toBe("");
    // `.bun` is the platform's cache, which it keeps in the home directory.
    const made = readdirSync(cwd).filter((name) => name !== ".bun");
    expect(made.sort()).toEqual([".env", "llamakey-demo"]);
  });

  test("prints a line for curl and one for Python, and both answer, simulated", async () => {
    const answer = JSON.parse(await shell(lineOf(/^ {2}(\. .*curl .*)$/m)));
    expect(answer).toMatchObject({ object: "chat.completion", simulated: true });
    expect(await shell(lineOf(/^ {2}(\. .*python3 .*)$/m))).toStartWith("This answer is simulated");
  });

  test("has three users in two groups, whose calls are answered, metered and costed", async () => {
    const usage = (by: string) => gateway.api<Sums>("GET", `/usage?by=${by}`);
    const first = await usage("user");
    await poll(
      "usage that grows",
      async () => ((await usage("user")).total.requests > first.total.requests + 5 ? true : undefined),
      30_000,
    );
    const { items, total } = await usage("group,user");
    expect(items.map(({ keys }) => `${keys["group"]} ${keys["user"]}`).sort()).toEqual([
      "product cem",
      "research ann",
      "research ben",
    ]);
    expect([Number(total.costNanos) > 0, total.unpriced]).toEqual([true, 0]);
    const models = (await usage("model")).items.map(({ keys }) => keys["model"]);
    expect(models).toEqual(expect.arrayContaining(["gpt-4o-mini", "gpt-5-mini", "claude-haiku-4-5"]));
    for (const row of await gateway.requests()) expect([row.status, row.ending]).toEqual([200, "complete"]);
  });

  test("never uses a real key, nor an address of whoever starts it", async () => {
    expect(gateway.stdout()).not.toContain(realKey.slice(-4));
    const { items } = await gateway.api<{ items: { provider: string; masked: string }[] }>(
      "GET",
      "/credentials",
    );
    expect(items.map(({ provider }) => provider)).toEqual(["anthropic", "openai"]);
    for (const { masked } of items) expect(masked).toStartWith("sk-sim...");
    expect(heard).toEqual([]);
  });

  test("stops cleanly, and starts again where it stopped, with the key that was handed out still good", async () => {
    const { key } = gateway;
    const { total } = await gateway.api<Sums>("GET", "/usage?by=");
    expect(await gateway.stop()).toBe(0);
    await gateway.start();
    const again = await gateway.api<Sums>("GET", "/usage?by=");
    expect(again.total.requests).toBeGreaterThanOrEqual(total.requests);
    expect(gateway.key).not.toBe(key);
    const url = `${gateway.url}/anthropic/v1/messages`;
    const answer = await fetch(url, {
      method: "POST",
      headers: { "x-api-key": key, "anthropic-version": "2023-06-01", "content-type": "application/json" },
      body: JSON.stringify({ model: "claude-sonnet-5", max_tokens: 9, messages: [], stream: true }),
    });
    const text = await answer.text();
    expect(text).toContain("simulated");
    expect(text).toEndWith('data: {"type":"message_stop"}\n\n');
  });

  test("makes no calls of its own where it is told so", async () => {
    await using quiet = await startGateway({
      verb: "demo",
      dataDir: "llamakey-demo",
      args: ["--no-traffic", "--listen", "127.0.0.1:0"],
    });
    await Bun.sleep(500);
    expect(quiet.stdout()).toContain("simulated");
    expect(await quiet.requests()).toEqual([]);
    expect(await quiet.stop()).toBe(0);
  });
});
