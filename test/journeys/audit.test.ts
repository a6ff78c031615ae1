/** Who changed what, from where: every change through the admin API has its row, and the command line shows it. */
import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type Gateway, type Named, root, startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";
import { serveRecorded } from "../support/record.ts";

const realKey = "sk-test-fake-0123456789abcdefghijklmnop";

const upstream = await serveRecorded({ fetch: () => Response.json({ data: [] }) });
/** An address of its own, so that the record can tell the two apart. */
const labOrigin = await upstream.another();

interface Row {
  seq: number;
  at: string;
  actor: { kind: string; id: string | null; name: string };
  address: string | null;
  action: string;
  target: { kind: string; id: string; name: string };
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

interface Page {
  items: Row[];
  next: string | null;
}

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    env: { OPENAI_API_KEY: realKey, LMK_OPENAI_UPSTREAM: `${upstream.origin}/v1` },
  });
});

async function rowsSince(after: number): Promise<Row[]> {
  return (await gateway.api<Page>("GET", `/audit?after=${after}&limit=1000`)).items;
}

async function lastSeq(): Promise<number> {
  return (await gateway.api<Page>("GET", "/audit?limit=1")).items[0]?.seq ?? 0;
}

describe("the start", () => {
  test("is in it: the environment's keys, masked, the first user and the first key, by the system", async () => {
    const rows = await rowsSince(0);
    expect(rows.map(({ action }) => action)).toEqual([
      "group.add",
      "user.add",
      "key.add",
      "sign_in_link.add",
      "environment.change",
    ]);
    for (const row of rows)
      expect(row).toMatchObject({ actor: { kind: "system", name: "start" }, address: null });
    expect(rows[4]?.after).toEqual({
      openai: {
        variable: "OPENAI_API_KEY",
        masked: "sk-tes...mnop",
        upstream: `${upstream.origin}/v1`,
      },
    });
  });

  test("is not repeated, but for an environment that differs", async () => {
    await using other = await startGateway({ env: { OPENAI_API_KEY: realKey } });
    const actions = async () =>
      (await other.api<Page>("GET", "/audit")).items.map(({ action, before }) => [action, before !== null]);
    const before = await actions();
    await other.restart();
    expect(await actions()).toEqual(before);
    await other.restart({ OPENAI_API_KEY: `${realKey}x` });
    expect(await actions()).toEqual([["environment.change", true], ...before]);
  });
});

/** One call of an operation: its path's variable parts and body, what it does, and to what. */
interface Try {
  readonly path?: string;
  readonly body?: unknown;
  /** Null for an operation that only reads. */
  readonly action: string | null;
}

describe("every operation of the admin API that changes something", () => {
  const made: Record<string, string> = {};
  const snapshot = () => readFileSync(`${root}/src/pricing/snapshot.json`, "utf8");
  const described = { user: "ada", provider: "openai", path: "/v1/models", method: "GET" };

  /** In the order in which they can be made. */
  const tries: Readonly<Record<string, () => Try>> = {
    "POST /groups": () => ({ body: { name: "lab" }, action: "group.add" }),
    "PATCH /groups/{ref}": () => ({ path: "/groups/lab", body: { revoked: true }, action: "group.revoke" }),
    "POST /users": () => ({ body: { name: "ada" }, action: "user.add" }),
    "PATCH /users/{ref}": () => ({ path: "/users/ada", body: { group: "lab" }, action: "user.change" }),
    "POST /keys": () => ({ body: { user: "ada" }, action: "key.add" }),
    "PATCH /keys/{ref}": () => ({
      path: `/keys/${made["POST /keys"]}`,
      body: { revoked: true, now: true },
      action: "key.revoke",
    }),
    "POST /keys/{ref}/rotate": () => ({
      path: `/keys/${made["POST /keys"]}/rotate`,
      body: { overlapSeconds: 5 },
      action: "key.rotate",
    }),
    "POST /claims": () => ({ body: { user: "ada" }, action: "claim.add" }),
    "DELETE /claims/{ref}": () => ({ path: `/claims/${made["POST /claims"]}`, action: "claim.revoke" }),
    "POST /keys/{ref}/freeze": () => ({
      path: `/keys/${made["POST /keys"]}/freeze`,
      body: { reason: "lost laptop" },
      action: "key.freeze",
    }),
    "POST /keys/{ref}/unfreeze": () => ({
      path: `/keys/${made["POST /keys"]}/unfreeze`,
      action: "key.unfreeze",
    }),
    "POST /policies/explain": () => ({ body: described, action: null }),
    "POST /policies/apply": () => ({
      body: { document: { users: { ada: { models: ["gpt-*"] } } } },
      action: "policy.change",
    }),
    "PUT /policies/{scope}": () => ({
      path: "/policies/user:ada",
      body: { models: ["o*"] },
      action: "policy.change",
    }),
    "PATCH /policies/{scope}": () => ({
      path: "/policies/user:ada",
      body: { providers: ["openai"] },
      action: "policy.change",
    }),
    "DELETE /policies/{scope}": () => ({ path: "/policies/user:ada", action: "policy.change" }),
    "PUT /budgets": () => ({
      body: { scope: "user:ada", name: "own", amount: "5", per: "month" },
      action: "budget.change",
    }),
    "DELETE /budgets/{ref}": () => ({ path: `/budgets/${made["PUT /budgets"]}`, action: "budget.change" }),
    "PATCH /settings": () => ({ body: { timeZone: "Europe/Berlin" }, action: "settings.change" }),
    "POST /credentials": () => ({
      body: { provider: "openai", name: "second", secret: `${realKey}-2` },
      action: "credential.add",
    }),
    "POST /credentials/{ref}/test": () => ({
      path: `/credentials/${made["POST /credentials"]}/test`,
      action: "credential.test",
    }),
    "PATCH /credentials/{ref}": () => ({
      path: `/credentials/${made["POST /credentials"]}`,
      body: { weight: 2 },
      action: "credential.change",
    }),
    "DELETE /credentials/{ref}": () => ({
      path: `/credentials/${made["POST /credentials"]}`,
      action: "credential.remove",
    }),
    "POST /providers": () => ({
      body: { id: "lab", upstream: `${labOrigin}/v1`, allowPrivate: true },
      action: "provider.add",
    }),
    "POST /providers/{ref}/test": () => ({ path: "/providers/lab/test", action: "provider.test" }),
    "DELETE /providers/{ref}": () => ({ path: "/providers/lab", action: "provider.remove" }),
    "PUT /prices": () => ({
      body: { provider: "openai", model: "gpt-x", perCall: "0.5" },
      action: "price.set",
    }),
    "DELETE /prices": () => ({ path: "/prices?provider=openai&model=gpt-x", action: "price.unset" }),
    "PUT /prices/defaults/{provider}": () => ({
      path: "/prices/defaults/openai",
      body: { kind: "free" },
      action: "pricing_default.set",
    }),
    "DELETE /prices/defaults/{provider}": () => ({
      path: "/prices/defaults/openai",
      action: "pricing_default.unset",
    }),
    "POST /objects/assign": () => ({
      body: { provider: "openai", kind: "file", id: "file-fake", user: "ada" },
      action: "object.assign",
    }),
    "DELETE /objects": () => ({
      path: "/objects?provider=openai&kind=file&id=file-fake",
      action: "object.forget",
    }),
    "PUT /settings/sign-in": () => ({ body: { oidc: null, ssoOnly: false }, action: "sign_in.change" }),
    "POST /users/{ref}/sign-in-link": () => ({
      path: "/users/ada/sign-in-link",
      body: {},
      action: "sign_in_link.add",
    }),
    // There is nothing to correct; what is corrected has its row in ledger-face.test.ts.
    "POST /prices/reprice": () => ({ body: {}, action: null }),
    "POST /prices/snapshot/difference": () => ({ body: { text: snapshot() }, action: null }),
    "PUT /prices/snapshot": () => ({ body: { text: snapshot() }, action: "price_snapshot.pin" }),
    "DELETE /prices/snapshot": () => ({ action: "price_snapshot.unpin" }),
  };

  test("is tried here: the document has no other", async () => {
    const document = (await (await fetch(`${gateway.url}/api/openapi.json`)).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== "get")
        .map((method) => `${method.toUpperCase()} ${path.replace("/api/v1", "")}`),
    );
    const elsewhere = [
      // It needs a process that was killed: see ledger-face.test.ts.
      "POST /ledger/unresolved/{id}",
      // They are a person's own: see sign-in.test.ts in journeys/ and security/.
      "DELETE /me/passkeys/{ref}",
      "POST /me/passkeys",
      "POST /me/passkeys/options",
      "PUT /me/password",
      "POST /session/passkey",
      "POST /session/passkey/options",
      "POST /session/password",
      "POST /session/step-up",
      "DELETE /session",
      "POST /session/link",
      "DELETE /sessions/{ref}",
      "POST /tokens",
      "DELETE /tokens/{ref}",
      // They are what a user asked for: see asks.test.ts.
      "POST /asks/{ref}/deny",
      "POST /asks/{ref}/grant",
      ...operations.filter((operation) => operation.includes(" /me/")),
    ];
    expect(operations.sort()).toEqual([...new Set([...Object.keys(tries), ...elsewhere])].sort());
  });

  for (const [operation, next] of Object.entries(tries)) {
    test(`${operation} leaves exactly one row where it changes something`, async () => {
      const [method = "", itself = ""] = operation.split(" ");
      const { path = itself, body, action } = next();
      const before = await lastSeq();
      const answer = await gateway.api<Partial<Named> & { key?: Named; claim?: Named }>(method, path, body);
      made[operation] = answer?.key?.id ?? answer?.claim?.id ?? answer?.id ?? "";
      const rows = await rowsSince(before);
      expect(rows.map((row) => row.action)).toEqual(action === null ? [] : [action]);
      for (const row of rows) {
        expect(row).toMatchObject({
          seq: before + 1,
          actor: { kind: "operator", id: null, name: "operator" },
          address: "127.0.0.1",
        });
        expect(Math.abs(Date.parse(row.at) - Date.now())).toBeLessThan(60_000);
      }
    });
  }
});

test("what is refused or not there leaves no row", async () => {
  const before = await lastSeq();
  for (const [method, path, body] of [
    ["POST", "/users", { name: "ada" }],
    ["POST", "/users", { name: "" }],
    ["PATCH", "/users/nobody", { revoked: true }],
    ["DELETE", "/credentials/nobody", undefined],
    ["PUT", "/policies/user:nobody", {}],
  ] as const) {
    const failed = await gateway.api(method, path, body).then(
      () => false,
      () => true,
    );
    expect([method, path, failed]).toEqual([method, path, true]);
  }
  expect(await rowsSince(before)).toEqual([]);
});

test("50 changes at once are 50 rows one behind the other", async () => {
  const before = await lastSeq();
  const names = Array.from({ length: 50 }, (_, at) => `at-once-${at}`);
  await Promise.all(names.map((name) => gateway.api("POST", "/users", { name })));
  const rows = await rowsSince(before);
  expect(rows.map(({ seq }) => seq)).toEqual(names.map((_, at) => before + 1 + at));
  expect(rows.map(({ target }) => target.name).sort()).toEqual(names.sort());
});

test("pages follow each other without a gap or a row twice", async () => {
  const all = (await gateway.api<Page>("GET", "/audit?limit=1000")).items.map(({ seq }) => seq);
  const paged: number[] = [];
  for (let next: string | null = "", path = "/audit?limit=7"; next !== null; ) {
    const page: Page = await gateway.api<Page>("GET", path);
    paged.push(...page.items.map(({ seq }) => seq));
    next = page.next;
    path = `/audit?limit=7&cursor=${next}`;
  }
  expect(paged).toEqual(all);
});

describe("lmk audit", () => {
  const command = [
    process.execPath,
    "--no-env-file",
    `--config=${root}/bunfig.toml`,
    `${root}/src/main.ts`,
    "audit",
  ];
  const spawn = (args: readonly string[]) =>
    Bun.spawn([...command, ...args], {
      cwd: gateway.cwd,
      env: { PATH: process.env["PATH"] ?? "", LMK_URL: gateway.url },
      stdout: "pipe",
      stderr: "pipe",
    });
  const lmk = async (...args: string[]) => {
    const child = spawn(args);
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { out, err, code: await child.exited };
  };

  test("shows who, from where, what, and how it differs", async () => {
    await gateway.api("POST", "/users", { name: "eve" });
    await gateway.api("PATCH", "/users/eve", { name: "eva" });
    const { out, code } = await lmk("--target", "eva");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^TIME +WHO +FROM +ACTION +TARGET +CHANGE$/);
    expect(lines[1]).toMatch(/Z +operator +127\.0\.0\.1 +user\.change +eva +name: eve -> eva$/);
    expect(lines).toHaveLength(2);
    expect((await lmk("--action", "environment")).out).toContain("system (start)");
    expect((await lmk("--target", "nobody")).err).toBe("No changes.\n");
  });

  test("gives JSON and CSV for other programs, and all of it where more is asked for than a page", async () => {
    const { out } = await lmk("--json", "--limit", "100000");
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Row);
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: await lastSeq() }, (_, at) => at + 1));
    const lines = (await lmk("--csv", "--action", "user.add", "--limit", "2")).out.trimEnd().split("\r\n");
    expect(lines[0]).toBe(
      "seq,at,actor_kind,actor,address,action,target_kind,target_id,target,before,after,hash",
    );
    expect(lines).toHaveLength(3);
    expect(lines[2]).toContain(",operator,operator,127.0.0.1,user.add,user,usr_");
  });

  test("follows what comes", async () => {
    const child = spawn(["--follow", "--limit", "1", "--action", "user"]);
    const decoder = new TextDecoder();
    let seen = "";
    void (async () => {
      for await (const chunk of child.stdout) seen += decoder.decode(chunk);
    })();
    try {
      await poll("first row", async () => (/user\./.test(seen) ? true : undefined));
      await gateway.api("POST", "/groups", { name: "not-followed" });
      await gateway.api("POST", "/users", { name: "latecomer" });
      await poll("row that came", async () => (seen.includes("latecomer") ? true : undefined));
      expect(seen).not.toContain("not-followed");
    } finally {
      child.kill();
      await child.exited;
    }
  });

  test("--head prints the log's end, which grows with it", async () => {
    const { out } = await lmk("--head");
    expect(out).toMatch(new RegExp(`^lmkaudit_${await lastSeq()}_[0-9a-f]{64}_[0-9a-f]{64}\n$`));
    await gateway.api("POST", "/users", { name: "another" });
    expect((await lmk("--head")).out).not.toBe(out);
  });
});
