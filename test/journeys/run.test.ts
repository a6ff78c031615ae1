/** `lmk run`: any command with a key of its own, of which nothing is left when it has ended, whichever way. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCentProvider } from "../support/cent-provider.ts";
import { root, startGateway } from "../support/gateway.ts";
import { Run, type RunOptions, runTmp } from "../support/lmk-run.ts";
import { poll } from "../support/poll.ts";
import { noteKeys } from "../support/record-gateway.ts";
import { serviceAccountFile } from "../support/token-server.ts";

const provider = await startCentProvider();
const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789",
    LMK_OPENAI_UPSTREAM: provider.base,
    HF_TOKEN: "hf_fakeExampleOfAToken0123456789",
    LMK_HUGGINGFACE_UPSTREAM: await provider.another(),
    MISTRAL_API_KEY: "fake-example-of-a-key-0123456789",
    LMK_MISTRAL_UPSTREAM: await provider.another(),
    GEMINI_API_KEY: "fake-example-of-a-gemini-key-0123456789",
    LMK_GEMINI_UPSTREAM: await provider.another(),
    GOOGLE_APPLICATION_CREDENTIALS: serviceAccountFile(`${await provider.another()}/token`).file,
    LMK_VERTEX_UPSTREAM: await provider.another(),
  },
});

let users = 0;
async function newUser() {
  const name = `user${users++}`;
  return { name, ...(await gateway.addUser(name)) };
}

async function lmkRun(secret: string, words: readonly string[], options: RunOptions = {}) {
  return new Run(gateway, secret, words, options).ended;
}

interface ListedKey {
  id: string;
  name: string;
  state: string;
  parent: { id: string } | null;
  expiresAt: string | null;
}

async function childrenOf(keyId: string): Promise<ListedKey[]> {
  return (await gateway.api<{ items: ListedKey[] }>("GET", `/keys?parent=${keyId}&children=all`)).items;
}

async function standingOf(keyId: string): Promise<{ posted: string; reserved: string } | undefined> {
  const { items } = await gateway.api<{ items: { scope: string; posted: string; reserved: string }[] }>(
    "GET",
    "/budgets",
  );
  return items.find(({ scope }) => scope === `key:${keyId}`);
}

/** A script for Bun, which every checkout has. */
function script(name: string, text: string): string[] {
  const file = join(runTmp, `${name}.ts`);
  writeFileSync(file, text);
  return [process.execPath, "--no-env-file", file];
}

/** Calls until the budget says no for good; prints how many were answered. */
const spender = script(
  "spend",
  `let answered = 0;
   for (let no = 0; no < 3; ) {
     const response = await fetch(process.env.OPENAI_BASE_URL + "/chat/completions", {
       method: "POST",
       headers: { authorization: "Bearer " + process.env.OPENAI_API_KEY, "content-type": "application/json" },
       body: JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: "hello" }], max_completion_tokens: 1024 }),
     });
     await response.text();
     if (response.ok) answered++;
     else if (response.status === 402) no++;
   }
   console.log(answered);`,
);

/** Calls on and on, whatever is answered; prints each status. */
const caller = script(
  "call",
  `for (;;) {
     const response = await fetch(process.env.OPENAI_BASE_URL + "/chat/completions", {
       method: "POST",
       headers: { authorization: "Bearer " + process.env.OPENAI_API_KEY, "content-type": "application/json" },
       body: JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: "hello" }], max_completion_tokens: 1024 }),
     }).catch(() => ({ status: 0, text() {} }));
     await response.text();
     console.log(process.pid, response.status);
     await Bun.sleep(20);
   }`,
);

describe("the command", () => {
  test("finds every variable set to a key of its own, and the administrator's secrets gone", async () => {
    const { key, secret } = await newUser();
    const { code, out, err } = await lmkRun(
      secret,
      [
        ...script(
          "env",
          "console.log(JSON.stringify({ ...process.env, adc: require('fs').readFileSync(process.env.GOOGLE_APPLICATION_CREDENTIALS, 'utf8'), mode: require('fs').statSync(process.env.GOOGLE_APPLICATION_CREDENTIALS).mode & 0o777 }))",
        ),
      ],
      {
        env: {
          LMK_ADMIN_TOKEN: "fake-operator-token",
          OPENAI_API_KEY: "sk-own",
          HF_TOKEN: "hf_own",
          OTHER: "stays",
        },
      },
    );
    expect([code, err]).toEqual([0, expect.stringContaining("MISTRAL_API_KEY, HF_TOKEN")]);
    noteKeys(out);
    const env = JSON.parse(out) as Record<string, string | number>;
    const own = String(env["LMK_KEY"]);
    expect(own).toStartWith("lmk_");
    expect(out).not.toContain(secret);
    expect(env).toMatchObject({
      LMK_URL: gateway.url,
      OPENAI_API_KEY: own,
      OPENAI_BASE_URL: `${gateway.url}/openai/v1`,
      GEMINI_API_KEY: own,
      GOOGLE_API_KEY: own,
      GOOGLE_GENAI_USE_VERTEXAI: "true",
      GOOGLE_VERTEX_BASE_URL: `${gateway.url}/vertex`,
      OTHER: "stays",
      // Its SDK would send the key to Hugging Face itself.
      HF_TOKEN: "hf_own",
      mode: 0o600,
    });
    expect(env["LMK_ADMIN_TOKEN"]).toBeUndefined();
    expect(JSON.parse(String(env["adc"]))).toMatchObject({
      refresh_token: own,
      token_url: `${gateway.url}/vertex/oauth2/token`,
    });
    expect(existsSync(String(env["GOOGLE_APPLICATION_CREDENTIALS"]))).toBe(false);
    const [child] = await childrenOf(key.id);
    expect(child).toMatchObject({ state: "revoked", parent: { id: key.id } });

    const all = await lmkRun(secret, ["sh", "-c", "echo $HF_TOKEN"], { options: ["--all"] });
    expect(all.out).toStartWith("hf_lmk_");
    noteKeys(all.out);
  });

  test("has its standard input and output, and its exit code is kept", async () => {
    const { secret } = await newUser();
    expect(await lmkRun(secret, ["cat"], { stdin: "through\n" })).toMatchObject({
      code: 0,
      out: "through\n",
    });
    expect((await lmkRun(secret, ["sh", "-c", "exit 7"])).code).toBe(7);
    expect((await lmkRun(secret, ["sh", "-c", "kill -KILL $$"])).code).toBe(137);
    expect((await lmkRun(secret, ["sh", "-c", "echo $1 $2", "sh", "--", "--only"])).out).toBe("-- --only\n");
    const missing = await lmkRun(secret, ["no-such-command"]);
    expect([missing.code, missing.err]).toEqual([
      127,
      expect.stringContaining("no-such-command was not found"),
    ]);
    const file = join(runTmp, "not-executable");
    writeFileSync(file, "");
    chmodSync(file, 0o644);
    expect((await lmkRun(secret, [file])).code).toBe(126);
  });

  test("does not start where there can be no key for it; that is told from its own failures", async () => {
    const { key, secret } = await newUser();
    const marker = join(runTmp, "started");
    const cases: [env: Record<string, string>, options: string[], says: string][] = [
      [{ LMK_URL: "http://127.0.0.1:9" }, [], "No gateway answers"],
      [{ LMK_KEY: "lmk_cut_short" }, [], "mistyped or cut short"],
      [{}, ["--only", "nowhere"], 'There is no provider "nowhere" here'],
      [{}, ["--ttl", "30d"], "ttlSeconds"],
    ];
    for (const [env, options, says] of cases) {
      const { code, err } = await lmkRun(secret, ["touch", marker], { env, options });
      expect([says, code, err]).toEqual([says, 125, expect.stringContaining(says)]);
    }
    expect((await lmkRun(secret, ["touch", marker], { options: ["--budget", "0"] })).code).toBe(2);
    expect(existsSync(marker)).toBe(false);
    expect(await childrenOf(key.id)).toEqual([]);
  });

  test("is sent the signals that we are sent, once each, and decides how it ends", async () => {
    const { key, secret } = await newUser();
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const) {
      const run = new Run(
        gateway,
        secret,
        script(
          "signals",
          `process.on("${signal}", () => { console.log("got"); setTimeout(() => process.exit(9), 150); });
           setInterval(() => {}, 1000); console.log("ready");`,
        ),
      );
      await poll("ready", () => (run.out.includes("ready") ? true : undefined), 15_000);
      run.child.kill(signal);
      expect([signal, (await run.ended).code, run.out]).toEqual([signal, 9, "ready\ngot\n"]);
    }
    const run = new Run(gateway, secret, ["sleep", "60"]);
    await poll(
      "child key",
      async () => ((await childrenOf(key.id)).some(({ state }) => state === "active") ? true : undefined),
      15_000,
    );
    await Bun.sleep(300);
    run.child.kill("SIGTERM");
    expect((await run.ended).code).toBe(143);
    const children = await childrenOf(key.id);
    expect(children.map(({ state }) => state)).toEqual(children.map(() => "revoked"));
    expect(readdirSync(runTmp).filter((name) => name.startsWith("lmk-run-"))).toEqual([]);
  }, 60_000);

  test("reads from the terminal that we are started from, and gets its Ctrl-C once", async () => {
    const { secret } = await newUser();
    const python = join(runTmp, "terminal.py");
    writeFileSync(
      python,
      `import os, pty, sys, time, select
pid, fd = pty.fork()
if pid == 0:
    os.execvp("node", ["node", ${JSON.stringify(`${root}/bin/lmk.mjs`)}, "run", "--", sys.executable, "-c", """
import os, signal, sys, time
n = 0
def got(*_):
    global n
    n += 1
signal.signal(signal.SIGINT, got)
print("tty", sys.stdin.isatty(), flush=True)
print("read", input(), flush=True)
while n == 0: time.sleep(0.02)
time.sleep(0.5)
print("interrupts", n, flush=True)
sys.exit(5)
"""])
text = b""
def until(what):
    global text
    end = time.time() + 30
    while what not in text and time.time() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try: text += os.read(fd, 4096)
            except OSError: break
until(b"tty True")
os.write(fd, b"hello\\n")
until(b"read hello")
os.write(fd, b"\\x03")
until(b"interrupts")
_, status = os.waitpid(pid, 0)
print(text.decode().replace("\\r", ""))
print("code", os.waitstatus_to_exitcode(status))
`,
    );
    const child = Bun.spawn(["python3", python], {
      env: {
        PATH: process.env["PATH"] ?? "",
        TMPDIR: runTmp,
        LMK_URL: gateway.url,
        LMK_KEY: secret,
        LMK_BUN: process.execPath,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    const out = await new Response(child.stdout).text();
    expect(out).toContain("tty True");
    expect(out).toContain("read hello");
    expect(out).toContain("interrupts 1");
    expect(out).toContain("code 5");
  }, 60_000);

  test("may open only what --only names", async () => {
    const { secret } = await newUser();
    const status = (path: string) =>
      `fetch(process.env.LMK_URL + "${path}", { headers: { authorization: "Bearer " + process.env.LMK_KEY } }).then((r) => console.log(r.status, r.headers.get("x-llamakey-refusal")))`;
    const words = script(
      "only",
      `await ${status("/openai/v1/models")}; await ${status("/mistral/v1/models")}; await ${status("/huggingface/v1/models")};`,
    );
    const { out } = await lmkRun(secret, words, { options: ["--only", "openai,hf"] });
    expect(out.split("\n").slice(0, 3)).toEqual(["200 null", "403 provider_not_allowed", "200 null"]);
  });
});

describe("where the gateway is a proxy", () => {
  const curl =
    'curl -s -o /dev/null -w "%{http_code}" https://api.mistral.ai/v1/models -H "authorization: Bearer $MISTRAL_API_KEY"; echo " $HTTPS_PROXY $CURL_CA_BUNDLE"';

  test("what reads no base address comes to it, too, and nothing of its trust is left behind", async () => {
    await using proxying = await startGateway({
      env: {
        MISTRAL_API_KEY: "fake-example-of-a-key-0123456789",
        LMK_MISTRAL_UPSTREAM: await provider.another(),
        LMK_PROXY_LISTEN: "127.0.0.1:0",
      },
    });
    const { secret } = await proxying.addUser("ann");
    const { code, out, err } = await new Run(proxying, secret, ["sh", "-c", curl]).ended;
    const [status, proxy, bundle] = out.trim().split(" ");
    expect([code, status, proxy, err]).toEqual([0, "200", expect.stringMatching(/^http/), ""]);
    expect(bundle).toStartWith(`${runTmp}/lmk-run-`);
    expect(existsSync(bundle ?? "")).toBe(false);
    const [row] = await proxying.rowsOf("ann", 1);
    expect(row).toMatchObject({ provider: "mistral", status: 200, keyName: "sh" });
    const without = await new Run(proxying, secret, ["sh", "-c", "echo $HTTPS_PROXY"], {
      options: ["--no-proxy"],
    }).ended;
    expect([without.out, without.err]).toEqual(["\n", expect.stringContaining("MISTRAL_API_KEY")]);
  });

  test("--proxy insists on it", async () => {
    const { key, secret } = await newUser();
    const { code, err } = await lmkRun(secret, ["true"], { options: ["--proxy"] });
    expect([code, err]).toEqual([125, expect.stringContaining("is no proxy")]);
    expect((await childrenOf(key.id)).map(({ state }) => state)).toEqual(["revoked"]);
  });
});

describe("what is left", () => {
  test("nothing, where the command started others: their streams are cut and their key is refused", async () => {
    const { secret } = await newUser();
    const log = join(runTmp, "orphan.log");
    const { code } = await lmkRun(secret, [
      "sh",
      "-c",
      `${caller.join(" ")} > ${log} 2>&1 & until [ -s ${log} ]; do sleep 0.1; done`,
    ]);
    expect(code).toBe(0);
    const lines = await poll("refusal of the orphan", () => {
      const text = readFileSync(log, "utf8").trim().split("\n");
      return text.at(-1)?.endsWith(" 401") ? text : undefined;
    });
    expect(lines[0]).toEndWith(" 200");
    process.kill(Number(lines[0]?.split(" ")[0]), "SIGKILL");
  });

  test("after SIGKILL: the key dies at its time to live, its holds are settled, and the budget is not exceeded", async () => {
    const { key, secret } = await newUser();
    await gateway.api("PUT", "/budgets", { scope: `key:${key.id}`, name: "all", amount: "5", per: "month" });
    const log = join(runTmp, "killed.log");
    provider.delayMs = 40;
    const run = new Run(gateway, secret, ["sh", "-c", `exec ${caller.join(" ")} > ${log}`], {
      options: ["--ttl", "8s", "--budget", "4"],
    });
    const read = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
    await poll("calls", () => (read().length > 3 ? true : undefined), 15_000);
    run.child.kill("SIGKILL");
    await run.child.exited;
    const [child] = await childrenOf(key.id);
    // Nobody revoked it: what it started lives on with it, until its time is over.
    expect(child?.state).toBe("active");
    const before = read().length;
    await poll("a further call", () => (read().length > before ? true : undefined));
    await poll("the key's end", () => (read().at(-1)?.endsWith(" 401") ? true : undefined));
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(child?.expiresAt ?? ""));
    // By the gateway's own clock: what came later was refused, all of it.
    const late = await poll("rows of refused calls", async () => {
      const rows = (await gateway.requests()).filter(({ keyId }) => keyId === child?.id);
      const after = rows.filter(({ at }) => at >= (child?.expiresAt ?? ""));
      return after.length > 0 ? after : undefined;
    });
    expect(late.filter(({ status }) => status !== 401)).toEqual([]);
    process.kill(Number(read()[0]?.split(" ")[0]), "SIGKILL");
    provider.delayMs = 0;
    const settled = await poll("settled holds", async () => {
      const [own, ofParent] = [await standingOf(child?.id ?? ""), await standingOf(key.id)];
      return own?.reserved === "0.00" && ofParent?.reserved === "0.00" ? { own, ofParent } : undefined;
    });
    // What both say is what was answered: a cent for each, and what was cut at the end for what it wrote.
    expect(settled.own?.posted).toBe(settled.ofParent?.posted as string);
    const answered = read().filter((line) => line.endsWith(" 200")).length;
    expect(Number(settled.own?.posted)).toBeGreaterThanOrEqual(answered / 100);
    expect(Number(settled.own?.posted)).toBeLessThanOrEqual(4);

    // The files that it could not remove are of no use any more, and the next run of this user takes them away.
    mkdirSync(join(runTmp, "lmk-run-1000-999999999-stale"));
    await lmkRun(secret, ["true"]);
    expect(readdirSync(runTmp).filter((name) => name.startsWith("lmk-run-"))).toEqual([]);
  }, 60_000);
});

describe("the budget", () => {
  test("of a key holds for all its runs together, each of which has its own", async () => {
    const { key, secret } = await newUser();
    await gateway.api("PUT", "/budgets", {
      scope: `key:${key.id}`,
      name: "all",
      amount: "0.30",
      per: "month",
    });
    const before = provider.calls;
    const budgets = ["0.06", "0.06", "0.06", "5"];
    const runs = await Promise.all(
      budgets.map((budget) => lmkRun(secret, spender, { options: ["--budget", budget] })),
    );
    const answered = runs.map(({ out }) => Number(out));
    const total = answered.reduce((sum, one) => sum + one, 0);
    for (const one of answered.slice(0, 3)) expect(one).toBeLessThanOrEqual(5);
    expect([total, provider.calls - before]).toEqual([29, 29]);
    expect(await standingOf(key.id)).toMatchObject({ posted: "0.29", reserved: "0.00" });
  }, 60_000);

  test("of a run holds for the runs that it starts itself", async () => {
    const { secret } = await newUser();
    const lmk = `${process.execPath} --no-env-file --config=${root}/bunfig.toml ${root}/src/main.ts`;
    const { out, code } = await lmkRun(
      secret,
      ["sh", "-c", `${lmk} run --budget 5 -- ${spender.join(" ")}; ${spender.join(" ")}`],
      { options: ["--budget", "0.04"] },
    );
    expect([code, out]).toEqual([0, "3\n0\n"]);
  }, 60_000);
});
