/**
 * An administrator's and a user's day on the command line, against the real gateway: every command is a process of
 * its own, in the gateway's folder.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { atEnd } from "../support/cleanup.ts";
import { type Gateway, root, startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";
import { serveRecorded } from "../support/record.ts";
import { noteSecret } from "../support/record-gateway.ts";

const realKey = "sk-test-fake-0123456789abcdefghijklmnop";

/** Takes the real key alone; `/slow` is a stream that does not end by itself. */
const upstream = await serveRecorded({
  idleTimeout: 60,
  fetch(request) {
    if (request.headers.get("authorization") !== `Bearer ${realKey}`)
      return Response.json({}, { status: 401 });
    if (!request.url.endsWith("/slow")) return Response.json({ data: [] });
    const body = new ReadableStream({ start: (controller) => controller.enqueue("data: 1\n\n") });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  },
});

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    env: { OPENAI_API_KEY: realKey, LMK_OPENAI_UPSTREAM: `${upstream.origin}/v1` },
  });
});

interface Run {
  code: number;
  out: string;
  err: string;
}

const command = [process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`];

interface Surroundings {
  env?: Record<string, string>;
  stdin?: string;
}

function spawn(args: readonly string[], { env = {}, stdin = "" }: Surroundings = {}) {
  return Bun.spawn([...command, ...args], {
    cwd: gateway.cwd,
    env: { PATH: process.env["PATH"] ?? "", LMK_URL: gateway.url, ...env },
    stdin: Buffer.from(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function lmk(args: readonly string[], surroundings?: Surroundings): Promise<Run> {
  const child = spawn(args, surroundings);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

/** What a command printed that must succeed. */
async function ok(args: readonly string[], surroundings?: Surroundings): Promise<string> {
  const run = await lmk(args, surroundings);
  expect(run).toMatchObject({ code: 0 });
  return run.out;
}

async function json<T>(args: readonly string[]): Promise<T> {
  return JSON.parse(await ok([...args, "--json"]));
}

/** The status of a call with this master key. */
async function call(key: string): Promise<number> {
  const response = await fetch(`${gateway.url}/openai/v1/models`, {
    headers: { authorization: `Bearer ${key}` },
  });
  await response.body?.cancel();
  return response.status;
}

interface Thing {
  id: string;
  name: string;
  state: string;
  group: { name: string };
}

test("a new user's key is all that is printed, and it works", async () => {
  const key = (await ok(["user", "add", "alice"])).trim();
  expect(key).toMatch(/^lmk_\w{10}_\w{32}_\w{6}$/);
  expect(await call(key)).toBe(200);
  expect(await ok(["me"], { env: { LMK_KEY: key } })).toMatch(/^user +alice$/m);
});

test("lmk env makes a shell that reaches the provider, and takes itself back", async () => {
  const key = (await ok(["user", "add", "envy"])).trim();
  const lmkInShell = command.map((part) => `'${part}'`).join(" ");
  const script = `
    eval "$(${lmkInShell} env)"
    printf '%s\\n' "$LMK_KEY" "$OPENAI_API_KEY" "$OPENAI_BASE_URL"
    eval "$(${lmkInShell} env --unset)"
    env | grep -E '^(LMK|OPENAI)_' || echo none left`;
  const env = { PATH: process.env["PATH"] ?? "", LMK_URL: gateway.url, LMK_KEY: key };
  const run = spawnSync("sh", ["-c", script], { cwd: gateway.cwd, env, encoding: "utf8" });
  expect(run.stderr).toBe("");
  expect(run.stdout).toBe(`${key}\n${key}\n${gateway.url}/openai/v1\nnone left\n`);
});

test("where the gateway was started, lmk env needs nothing: it takes the first user's exports", async () => {
  const out = await ok(["env", "--format", "json"], { env: { LMK_URL: "" } });
  expect(JSON.parse(out)).toMatchObject({ LMK_KEY: gateway.key, LMK_URL: gateway.url });
});

describe("cutting one user off", () => {
  test("revoking refuses within a second, touches nobody else, and can be undone", async () => {
    const [bad, good] = [
      (await ok(["user", "add", "bad"])).trim(),
      (await ok(["user", "add", "good"])).trim(),
    ];
    await ok(["user", "revoke", "bad"]);
    expect(await call(bad)).toBe(401);
    expect(await call(good)).toBe(200);
    await ok(["user", "revoke", "bad", "--undo"]);
    expect(await call(bad)).toBe(200);
  });

  test("--now cuts the open streams too, and says how many", async () => {
    const key = (await ok(["user", "add", "streamer"])).trim();
    const response = await fetch(`${gateway.url}/openai/v1/slow`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const reader = response.body?.getReader();
    await reader?.read();
    const run = await lmk(["user", "revoke", "streamer", "--now"]);
    expect(run).toMatchObject({ code: 0, err: "User streamer is revoked; 1 open stream cut.\n" });
    expect(
      await reader?.read().then(
        ({ done }) => done,
        () => true,
      ),
    ).toBe(true);
  });

  test("one key of two", async () => {
    const first = (await ok(["user", "add", "two"])).trim();
    const second = (await ok(["key", "add", "two", "--name", "laptop"])).trim();
    await ok(["key", "revoke", second.slice(4, 14)]);
    expect(await call(first)).toBe(200);
    expect(await call(second)).toBe(401);
  });

  test("a whole group, by its end", async () => {
    await ok(["group", "add", "interns"]);
    const key = (await ok(["user", "add", "ian", "--group", "interns"])).trim();
    expect(await call(key)).toBe(200);
    await ok(["group", "expire", "interns", "now"]);
    expect(await call(key)).toBe(401);
    await ok(["user", "move", "ian", "default"]);
    expect(await call(key)).toBe(200);
  });
});

describe("rotating", () => {
  test("the old secret works on for the overlap, or not at all", async () => {
    const first = (await ok(["user", "add", "rota"])).trim();
    const id = first.slice(4, 14);
    const second = (await ok(["key", "rotate", id])).trim();
    expect([await call(first), await call(second)]).toEqual([200, 200]);
    const third = (await ok(["key", "rotate", id, "--overlap", "0s"])).trim();
    expect([await call(first), await call(second), await call(third)]).toEqual([401, 401, 200]);
  });

  test("all keys of a user at once", async () => {
    await ok(["user", "add", "many"]);
    await ok(["key", "add", "many", "--name", "ci"]);
    const lines = (await ok(["user", "rotate", "many", "--overlap", "0s", "--json"])).trim().split("\n");
    expect(lines.length).toBe(2);
    for (const line of lines) expect(await call(JSON.parse(line).secret)).toBe(200);
  });
});

test("lists and details, for people and for programs", async () => {
  await ok(["group", "add", "eng", "--expires", "30d"]);
  await ok(["user", "add", "Ünal/O'Neil 100%?", "--group", "eng", "--no-key"]);
  const users = await json<Thing[]>(["user", "list", "--group", "eng"]);
  expect(users.map(({ name }) => name)).toEqual(["Ünal/O'Neil 100%?"]);
  expect(await json<Thing>(["user", "show", "Ünal/O'Neil 100%?"])).toMatchObject({
    id: users[0]?.id,
    keys: [],
  });
  expect(await ok(["group", "list"])).toMatch(/^eng +grp_\w+ +active +\d{4}-.*Z$/m);
  const keys = await json<Thing[]>(["key", "list", "--user", "alice"]);
  expect(await ok(["key", "show", keys[0]?.id ?? ""])).toMatch(/^user +alice$/m);
  expect(await ok(["providers"])).toMatch(/^openai +OpenAI .* yes$/m);
});

describe("real keys", () => {
  test("are stored from a pipe, tested and removed, and never shown", async () => {
    const added = await lmk(["credential", "add", "openai", "--name", "second"], { stdin: `${realKey}\n` });
    expect(added.code).toBe(0);
    const id = /crd_\w+/.exec(added.err)?.[0] ?? "";
    const listed = await ok(["credential", "list"]);
    expect(listed).toContain(id);
    expect(added.err + listed).not.toContain(realKey);
    expect(await lmk(["credential", "test", id])).toMatchObject({ code: 0 });
    await ok(["credential", "weight", id, "3"]);
    // Beside the one from the environment.
    expect(await ok(["credential", "list"])).toMatch(
      new RegExp(`second +${id} +stored .* 3 +75 % +0 +ready`),
    );
    expect((await lmk(["credential", "weight", id, "0"])).code).toBe(2);
    await ok(["credential", "remove", id]);
    expect(await ok(["credential", "list"])).not.toContain(id);
  });

  test("that the provider rejects fail their test", async () => {
    const env = { WRONG: "sk-wrong-0123456789abcdefghijkl" };
    noteSecret("openai", env.WRONG);
    const added = await lmk(["credential", "add", "openai", "--env", "WRONG", "--json"], { env });
    const { id } = JSON.parse(added.out) as { id: string };
    expect(await lmk(["credential", "test", id])).toMatchObject({ code: 1, out: "" });
    await ok(["credential", "remove", id]);
  });
});

describe("lmk logs", () => {
  test("shows who called, by filters, one JSON object a line", async () => {
    const key = (await ok(["user", "add", "logged"])).trim();
    await call(key);
    const rows = await poll("row", async () => {
      const out = await ok(["logs", "--user", "logged", "--status", "200", "--since", "1h", "--json"]);
      return out === "" ? undefined : out.trim().split("\n");
    });
    expect(rows.map((row) => JSON.parse(row))).toMatchObject([
      { userName: "logged", endpoint: "/models", status: 200 },
    ]);
    expect(await ok(["logs", "--user", "logged"])).toMatch(/logged .* 200 .* GET \/models$/m);
    expect(await ok(["logs", "--user", "logged", "--status", "500"])).toBe("");
  });

  test("--follow shows what comes, until its reader leaves", async () => {
    const key = (await ok(["user", "add", "followed"])).trim();
    const child = spawn(["logs", "--follow", "--user", "followed", "--json"]);
    atEnd(() => child.kill());
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    // The first may have been there already when it looked; the second comes while it follows.
    for (let n = 0; n < 2; n++) {
      await call(key);
      expect(JSON.parse((await lines.read()).value ?? "")).toMatchObject({ userName: "followed" });
    }
    await lines.cancel();
    await call(key);
    expect(await child.exited).toBe(0);
  });

  test("a long list arrives whole through a pipe", async () => {
    const calls = Array.from({ length: 400 }, () => call("lmk_nobody"));
    await Promise.all(calls);
    await poll("400 rows", async () => {
      const lines = (await ok(["logs", "--json", "--limit", "1000", "--refusal", "invalid_key"]))
        .trimEnd()
        .split("\n");
      for (const line of lines) JSON.parse(line);
      return lines.length >= 400 ? true : undefined;
    });
  });
});

describe("what goes wrong is one line on standard error and exit code 1", () => {
  const cases: [what: string, args: string[], env: Record<string, string>, said: RegExp][] = [
    ["no gateway", ["user", "list", "--url", "http://127.0.0.1:1"], {}, /No gateway answers/],
    ["another token", ["user", "list"], { LMK_ADMIN_TOKEN: "x".repeat(32) }, /LMK_ADMIN_TOKEN/],
    ["nobody of that name", ["user", "show", "nobody"], {}, /no user "nobody"/],
    ["a name that is taken", ["group", "add", "default"], {}, /default/],
    ["a group that is not there", ["user", "add", "x", "--group", "nope"], {}, /no group "nope"/],
    ["a master key that is mistyped", ["me"], { LMK_KEY: "lmk_0123456789_x" }, /mistyped or cut short/],
    [
      "a provider that is not there",
      ["credential", "add", "nope", "--env", "PATH"],
      {},
      /no provider "nope"/,
    ],
  ];
  for (const [what, args, env, said] of cases) {
    test(what, async () => {
      const run = await lmk(args, { env });
      expect(run).toMatchObject({ code: 1, out: "" });
      expect(run.err).toMatch(/^lmk: [^\n]+\n$/);
      expect(run.err).toMatch(said);
    });
  }
});
