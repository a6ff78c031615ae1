import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DemoSettings } from "./demo.ts";
import type { Io } from "./io.ts";
import { runProgram } from "./program.ts";
import type { ServeSettings } from "./serve.ts";
import type { Verify } from "./verify.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lmk-commands-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  code: number;
  out: string;
  err: string;
  served: ServeSettings | undefined;
  demonstrated?: DemoSettings;
  verified?: { settings: ServeSettings; heads: readonly string[] };
}

async function lmk(
  args: readonly string[],
  environment: Record<string, string> = {},
  stdin = "",
  report: Awaited<ReturnType<Verify>> = { problems: ["there is nothing"] },
): Promise<Run> {
  const run: Run = { code: -1, out: "", err: "", served: undefined };
  const io: Io = {
    environment,
    folder,
    platform: "linux",
    print: async (text) => {
      run.out += text;
    },
    note: (line) => {
      run.err += `${line}\n`;
    },
    readSecret: async () => stdin,
    confirm: async () => undefined,
  };
  const serve = async (settings: ServeSettings) => {
    run.served = settings;
    return 7;
  };
  const demo = async (settings: DemoSettings) => {
    run.demonstrated = settings;
    return 8;
  };
  const verify = async (settings: ServeSettings, heads: readonly string[]) => {
    run.verified = { settings, heads };
    return report;
  };
  run.code = await runProgram(args, { serve, demo, verify, version: "1.2.3" }, io);
  return run;
}

describe("lmk verify", () => {
  const report = {
    blocks: 3,
    holds: 2,
    entries: 1,
    open: 1,
    total: "0.10",
    recomputed: 1,
    notRecomputable: 0,
    requests: 2,
    changes: 4,
    heads: ["3.abc.def", "lmkaudit_4_x_y"],
    findings: [],
    more: 0,
  };

  test("ends with 0 where nothing is wrong, and with 1 where something is, naming block and hold", async () => {
    const fine = await lmk(["verify", "--data-dir", "/d", "--head", "2.x.y", "--head", "z"], {}, "", report);
    expect([fine.code, fine.verified]).toEqual([
      0,
      { settings: { LMK_DATA_DIR: "/d" }, heads: ["2.x.y", "z"] },
    ]);
    expect(fine.out).toContain("Nothing is wrong.");
    expect(fine.out).toContain("3.abc.def");
    const findings = [{ block: 2, hold: 7, what: "hold 7 is odd" }];
    const wrong = await lmk(["verify"], {}, "", { ...report, findings, more: 4 });
    expect(wrong.code).toBe(1);
    expect(wrong.out).toMatch(/^2 +7 +hold 7 is odd\nand 4 more$/m);
    const json = await lmk(["verify", "--json"], {}, "", { ...report, findings });
    expect([json.code, JSON.parse(json.out)]).toEqual([1, { ...report, findings }]);
  });

  test("says why it cannot read", async () => {
    expect(await lmk(["verify"])).toMatchObject({ code: 1, out: "", err: "lmk: there is nothing\n" });
  });
});

describe("lmk serve", () => {
  const cases: [args: string[], settings: ServeSettings][] = [
    [[], {}],
    [["serve"], {}],
    [["--port", "9000"], { LMK_LISTEN: "127.0.0.1:9000" }],
    [["serve", "--listen", "0.0.0.0:80"], { LMK_LISTEN: "0.0.0.0:80" }],
    [["--data-dir", "/data"], { LMK_DATA_DIR: "/data" }],
  ];
  for (const [args, settings] of cases) {
    test(`"lmk ${args.join(" ")}" starts the gateway and ends as it does`, async () => {
      expect(await lmk(args)).toMatchObject({ code: 7, served: settings });
    });
  }

  test("--port keeps the host of LMK_LISTEN", async () => {
    const { served } = await lmk(["--port", "0"], { LMK_LISTEN: "[::1]:8000" });
    expect(served).toEqual({ LMK_LISTEN: "[::1]:0" });
  });
});

test("lmk demo takes its own settings, and neither keys nor addresses of providers", async () => {
  const environment = {
    LMK_DEMO_DIR: "tour",
    LMK_DATA_DIR: "/data",
    LMK_DRAIN: "1s",
    LMK_VAULT_KEY: "k",
    LMK_OPENAI_UPSTREAM: "http://elsewhere",
    OPENAI_API_KEY: "sk-real",
  };
  expect(await lmk(["demo", "--no-traffic", "--listen", "127.0.0.1:1"], environment)).toMatchObject({
    code: 8,
    served: undefined,
    demonstrated: {
      environment: { LMK_LISTEN: "127.0.0.1:1", LMK_DRAIN: "1s" },
      dataDir: join(folder, "tour"),
      hasTraffic: false,
    },
  });
});

describe("what is not understood ends with 2, says why, and starts nothing", () => {
  const cases: [args: string[], why: string][] = [
    [["usr", "list"], "unknown command 'usr'"],
    [["--prot", "1"], "--prot"],
    [["--port", "x"], "0 to 65535"],
    [["--port", "1", "--listen", "a:1"], "cannot be used with"],
    [["user"], "Usage: lmk user"],
    [["user", "add"], "missing required argument 'name'"],
    [["user", "revoke", "a", "--now", "--undo"], "contradict"],
    [["key", "expire", "a", "soon"], "It must be a date"],
    [["logs", "--limit", "0"], "from 1 to 1000"],
    [["env", "--format", "tcsh"], "Allowed choices"],
    [["prices", "update", "--from", "x", "--reset"], "cannot be used with"],
    [["credential", "add", "openai", "sk-on-the-command-line"], "standard input"],
  ];
  for (const [args, why] of cases) {
    test(`lmk ${args.join(" ")}`, async () => {
      const run = await lmk(args);
      expect(run.err).toContain(why);
      expect(run.err).not.toContain("sk-on-the-command-line");
      expect(run).toMatchObject({ code: 2, out: "", served: undefined });
    });
  }
});

test("--version and --help are no errors", async () => {
  expect((await lmk(["--version"])).code).toBe(0);
  expect((await lmk(["--help"])).code).toBe(0);
  expect((await lmk(["user", "add", "--help"])).code).toBe(0);
});

describe("what cannot be done ends with 1 and one line", () => {
  const token = { LMK_ADMIN_TOKEN: "t".repeat(24) };

  async function failure(
    args: string[],
    environment: Record<string, string>,
    stdin?: string,
  ): Promise<string> {
    const run = await lmk(args, environment, stdin);
    expect(run).toMatchObject({ code: 1, out: "" });
    expect(run.err).toMatch(/^lmk: [^\n]+\n$/);
    return run.err;
  }

  /** What `lmk user list` says of something at the gateway's address that answers like this. */
  async function failureAt(answer: (request: Request) => Response): Promise<string> {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
    try {
      return await failure(["user", "list"], { ...token, LMK_URL: server.url.href });
    } finally {
      await server.stop(true);
    }
  }

  test("no operator token", async () => {
    const said = await failure(["user", "list"], {});
    expect(said).toContain(join(folder, "llamakey-data", "admin.token"));
    expect(said).toContain("LMK_ADMIN_TOKEN");
  });

  test("no gateway", async () => {
    const said = await failure(["user", "list"], { ...token, LMK_URL: "http://127.0.0.1:1" });
    expect(said).toContain("No gateway answers at http://127.0.0.1:1 (ECONNREFUSED)");
  });

  test("no master key", async () => {
    expect(await failure(["me"], {})).toContain("LMK_KEY");
  });

  test("a token that is not taken", async () => {
    const said = await failureAt(() =>
      Response.json({ detail: "Send the operator token." }, { status: 401 }),
    );
    expect(said).toContain("does not take the token from LMK_ADMIN_TOKEN");
  });

  test("what the gateway says is wrong", async () => {
    const taken = {
      type: "about:blank",
      title: "Conflict",
      status: 409,
      detail: 'There is a user "a" already.',
    };
    expect(await failureAt(() => Response.json(taken, { status: 409 }))).toBe(
      'lmk: There is a user "a" already.\n',
    );
  });

  test("what a gateway says cannot steer the terminal", async () => {
    const said = await failureAt(() => Response.json({ detail: "a\u001b[2Jb\nc" }, { status: 404 }));
    expect(said).toBe("lmk: a\ufffd[2Jb\ufffdc\n");
  });

  const strangers: [what: string, answer: () => Response][] = [
    ["a web page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["other JSON", () => Response.json({ items: [{ surprise: true }] })],
    ["a 404 page", () => new Response("nope", { status: 404 })],
    ["a redirect", () => Response.redirect("http://127.0.0.1:1/")],
  ];
  for (const [what, answer] of strangers) {
    test(`${what} instead of a gateway`, async () => {
      expect(await failureAt(answer)).toContain("is not a LlaMaKey gateway");
    });
  }

  test("exports are never taken from a web page: a shell would run it", async () => {
    const page = () => new Response("<html>", { headers: { "content-type": "text/html" } });
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: page });
    expect(await failure(["env"], { LMK_URL: server.url.href, LMK_KEY: "lmk_x" })).toContain(
      "not a LlaMaKey gateway",
    );
  });

  test("a whole key where an id belongs, and it is not repeated", async () => {
    const key = "lmk_0123456789_abcdefghijklmnopqrstuvwxyzABCDEF_000000";
    expect(await failure(["key", "revoke", key], token)).not.toContain(key);
  });

  test("a credential that is not there", async () => {
    expect(await failure(["credential", "add", "openai"], token, " \n")).toContain("No key was given");
    expect(await failure(["credential", "add", "openai", "--env", "NOPE"], token)).toContain(
      "NOPE is not set",
    );
  });
});

test("a loopback gateway is reached past any proxy", async () => {
  let proxied = 0;
  const count = () => {
    proxied++;
    return new Response("from the proxy");
  };
  using proxy = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: count });
  using gateway = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => Response.json({ items: [], next: null }),
  });
  const before = {
    HTTP_PROXY: process.env["HTTP_PROXY"],
    NO_PROXY: process.env["NO_PROXY"],
    no_proxy: process.env["no_proxy"],
  };
  delete process.env["NO_PROXY"];
  delete process.env["no_proxy"];
  process.env["HTTP_PROXY"] = proxy.url.href;
  try {
    const environment = { LMK_ADMIN_TOKEN: "t".repeat(24), LMK_URL: gateway.url.href };
    expect(await lmk(["user", "list"], environment)).toMatchObject({ code: 0, out: "No users.\n" });
    expect(proxied).toBe(0);
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});

describe("settings", () => {
  test("come from .env where the environment has none, and the environment goes first", async () => {
    const tokens: (string | null)[] = [];
    const note = (request: Request) => {
      tokens.push(request.headers.get("authorization"));
      return Response.json({ items: [], next: null });
    };
    using gateway = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: note });
    const file = join(folder, ".env");
    writeFileSync(file, `LMK_URL=${gateway.url.href}\nLMK_ADMIN_TOKEN="from the file"\n`);
    try {
      await lmk(["user", "list"]);
      await lmk(["user", "list"], { LMK_ADMIN_TOKEN: "from the environment" });
      await lmk(["user", "list"], { LMK_ADMIN_TOKEN: "" });
    } finally {
      rmSync(file);
    }
    expect(tokens).toEqual(["Bearer from the file", "Bearer from the environment", "Bearer from the file"]);
  });

  test("a key from the exports file goes to the address in that file and nowhere else", async () => {
    let strayed = 0;
    const count = () => {
      strayed++;
      return new Response(null, { status: 404 });
    };
    using stranger = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: count });
    const answer = (request: Request) => new Response(`# ${request.headers.get("authorization")}\n`);
    using gateway = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
    const file = join(folder, "llamakey_local.env");
    writeFileSync(file, `export LMK_URL='${gateway.url.href}'\nexport LMK_KEY='lmk_mine'\n`);
    try {
      const run = await lmk(["env"], { LMK_URL: stranger.url.href });
      expect(run.out).toBe("# Bearer lmk_mine\n");
      expect(strayed).toBe(0);
    } finally {
      rmSync(file);
    }
  });
});

describe("a secret is never lost half-way", () => {
  const key = (id: string) => ({
    id,
    name: "laptop",
    state: "active",
    user: { id: "usr_1", name: "alice" },
    group: { id: "grp_1", name: "default" },
    role: "member",
    createdAt: "2026-11-23T12:00:00Z",
    revokedAt: null,
    expiresAt: null,
    previousSecretExpiresAt: null,
  });
  const { user: _user, previousSecretExpiresAt: _previous, ...alice } = { ...key("usr_1"), name: "alice" };

  test("keys that were rotated before one failed have been printed", async () => {
    const answer = (request: Request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/api/v1/users/alice") return Response.json(alice);
      if (pathname === "/api/v1/keys") return Response.json({ items: [key("k1"), key("k2")], next: null });
      if (pathname.includes("k1")) return Response.json({ key: key("k1"), secret: "lmk_new_k1" });
      return Response.json({ detail: "The database cannot be used." }, { status: 503 });
    };
    using gateway = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
    const run = await lmk(["user", "rotate", "alice"], { LMK_ADMIN_TOKEN: "t", LMK_URL: gateway.url.href });
    expect(run).toMatchObject({ code: 1, out: "alice  k1  laptop  lmk_new_k1\n" });
    expect(run.err).toContain("The database cannot be used.");
  });

  test("a key that cannot be used at once is printed all the same", async () => {
    const answer = (request: Request) => {
      if (request.method === "POST")
        return Response.json({ key: key("k1"), secret: "lmk_new_k1" }, { status: 201 });
      return Response.json({ error: { message: "The group has expired." } }, { status: 401 });
    };
    using gateway = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
    const run = await lmk(["key", "add", "alice"], { LMK_ADMIN_TOKEN: "t", LMK_URL: gateway.url.href });
    expect(run).toMatchObject({ code: 0, out: "lmk_new_k1\n" });
    expect(run.err).toContain("It cannot be used now: The group has expired.");
  });

  test("a user whose first key could not be made is said to be there", async () => {
    const answer = (request: Request) =>
      request.url.endsWith("/users")
        ? Response.json(alice, { status: 201 })
        : Response.json({ detail: "The database cannot be used." }, { status: 503 });
    using gateway = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
    const run = await lmk(["user", "add", "alice"], { LMK_ADMIN_TOKEN: "t", LMK_URL: gateway.url.href });
    expect(run.code).toBe(1);
    expect(run.err).toContain("lmk key add usr_1");
  });
});

test("lmk env takes the format from the shell", async () => {
  const answer = (request: Request) => new Response(new URL(request.url).searchParams.get("format"));
  using gateway = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  const environment = { LMK_URL: gateway.url.href, LMK_KEY: "lmk_x" };
  expect((await lmk(["env"], { ...environment, SHELL: "/usr/bin/fish" })).out).toBe("fish");
  expect((await lmk(["env"], { ...environment, SHELL: "/bin/zsh" })).out).toBe("sh");
  expect((await lmk(["env", "--format", "cmd"], environment)).out).toBe("cmd");
});
