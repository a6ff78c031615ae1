/** Keys that users make with their own for a while: what they may, what they never may, and how they end. */
import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { startCentProvider } from "../support/cent-provider.ts";
import { startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { poll } from "../support/poll.ts";
import { noteKeys } from "../support/record-gateway.ts";

const provider = await startCentProvider();
const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789",
    LMK_OPENAI_UPSTREAM: provider.base,
    ANTHROPIC_API_KEY: "sk-ant-fake-example-of-a-key-0123456789",
    LMK_ANTHROPIC_UPSTREAM: await provider.another(),
  },
});

interface Child {
  key: { id: string; parent: string; expiresAt: string; budget: string | null; providers: string[] };
  secret: string;
}

function post(secret: string, wish: object = {}): Promise<Response> {
  return fetch(`${gateway.url}/lmk/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(wish),
  });
}

async function childOf(secret: string, wish: object = {}): Promise<Child> {
  const response = await post(secret, wish);
  const text = await response.text();
  expect([response.status, text]).toEqual([201, expect.any(String)]);
  noteKeys(text);
  return JSON.parse(text) as Child;
}

function end(id: string, secret: string): Promise<Response> {
  return fetch(`${gateway.url}/lmk/keys/${id}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${secret}` },
  });
}

function ask(secret: string, body: object = {}): Promise<Response> {
  return fetch(`${gateway.url}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "gpt-5",
      messages: [{ role: "user", content: "hello" }],
      max_completion_tokens: 1024,
      ...body,
    }),
  });
}

function stream(secret: string): Promise<Response> {
  return fetch(`${gateway.url}/openai/v1/endless`, { headers: { authorization: `Bearer ${secret}` } });
}

async function refusalOf(call: Promise<Response>): Promise<string | null> {
  const response = await call;
  await response.bytes();
  return response.headers.get("x-llamakey-refusal");
}

/** How a stream ends, or that it goes on: longer than the busiest machine takes to cut it. */
async function ending(response: Response, limitMs = 10_000): Promise<"whole" | "broken" | "goes on"> {
  const read = response.text().then(
    () => "whole" as const,
    () => "broken" as const,
  );
  return Promise.race([read, Bun.sleep(limitMs).then(() => "goes on" as const)]);
}

let users = 0;
async function newUser() {
  const name = `user${users++}`;
  return { name, ...(await gateway.addUser(name)) };
}

describe("a child key", () => {
  test("is its user's in the log, the usage, the audit log and the list of keys, as child of its parent", async () => {
    const { name, key, secret } = await newUser();
    const child = await childOf(secret, {
      name: "batch",
      ttlSeconds: 60,
      budget: "2",
      providers: ["openai"],
    });
    expect(child.key).toMatchObject({ parent: key.id, budget: "2.00", providers: ["openai"] });
    expect((await ask(child.secret)).status).toBe(200);

    const [row] = await gateway.rowsOf(name, 1);
    expect(row).toMatchObject({ keyId: child.key.id, keyName: "batch", parentKeyId: key.id, userName: name });
    expect((await runLmk(gateway, ["logs", "--key", key.id])).out).toContain(`${key.id}/batch`);

    const usage = await runLmk(gateway, ["usage", "--by", "key", "--user", name]);
    expect(usage.out).toContain(`${key.id}/${child.key.id}`);

    const listed = await runLmk(gateway, ["key", "list", "--user", name]);
    const lines = listed.out.split("\n");
    expect(lines[1]).toStartWith(key.id);
    expect(lines[2]).toStartWith(`└ ${child.key.id}`);

    const audit = await gateway.api<{ items: { action: string; actor: object; after: object }[] }>(
      "GET",
      `/audit?target=${child.key.id}`,
    );
    expect(audit.items[0]).toMatchObject({
      action: "key.add_child",
      actor: { kind: "user", name },
      after: { parentId: key.id, budgets: [{ amountNanos: "2000000000" }] },
    });

    const me = await (
      await fetch(`${gateway.url}/lmk/me`, { headers: { authorization: `Bearer ${child.secret}` } })
    ).json();
    expect(me).toMatchObject({
      user: name,
      key: { id: child.key.id, parent: key.id },
      providers: [{ id: "openai" }],
      budgets: [{ name: "run", amount: "2.00", per: "run", renewsAt: null, left: "1.99" }],
    });
    expect(me.providers).toHaveLength(1);
  });

  test("may do less than its parent, and nothing more: its parent's own policy holds for it", async () => {
    const { key, secret } = await newUser();
    await gateway.api("PUT", `/policies/key:${key.id}`, { models: ["gpt-5"], providers: ["openai"] });
    const child = await childOf(secret, { providers: ["openai", "anthropic"] });
    expect(await refusalOf(ask(child.secret))).toBeNull();
    expect(await refusalOf(ask(child.secret, { model: "gpt-4o" }))).toBe("model_not_allowed");
    const elsewhere = () =>
      fetch(`${gateway.url}/anthropic/v1/models`, { headers: { authorization: `Bearer ${child.secret}` } });
    expect(await refusalOf(elsewhere())).toBe("provider_not_allowed");
    // Whatever the parent's policy becomes, from then on.
    await gateway.api("PUT", `/policies/key:${key.id}`, { models: ["gpt-4o"] });
    expect(await refusalOf(ask(child.secret))).toBe("model_not_allowed");

    const narrower = await childOf(secret, { providers: ["anthropic"] });
    expect(await refusalOf(ask(narrower.secret, { model: "gpt-4o" }))).toBe("provider_not_allowed");
    // What a child lacks, its own child cannot have.
    const grandchild = await childOf(narrower.secret, { providers: ["openai"] });
    expect(await refusalOf(ask(grandchild.secret, { model: "gpt-4o" }))).toBe("provider_not_allowed");
  });

  test("counts against its parent's limits, together with all others of that parent", async () => {
    const { key, secret } = await newUser();
    await gateway.api("PUT", `/policies/key:${key.id}`, { limits: { requestsPerMinute: 4 } });
    const [one, two] = [await childOf(secret), await childOf(secret)];
    const refusals: (string | null)[] = [];
    for (const each of [one.secret, two.secret, one.secret, secret, two.secret])
      refusals.push(await refusalOf(ask(each)));
    expect(refusals).toEqual([null, null, null, null, "rate_limited"]);
  });

  test("has no way to widen itself: neither by itself, nor by an administrator's slip", async () => {
    const { secret } = await newUser();
    const child = await childOf(secret, { budget: "1", ttlSeconds: 60 });
    const { id } = child.key;
    const refused = async (work: Promise<unknown>) =>
      work.then(
        () => 200,
        (error: { status: number }) => error.status,
      );
    const later = new Date(Date.now() + 3_600_000).toISOString();
    expect(await refused(gateway.api("PATCH", `/keys/${id}`, { expiresAt: null }))).toBe(422);
    expect(await refused(gateway.api("PATCH", `/keys/${id}`, { expiresAt: later }))).toBe(422);
    expect(await refused(gateway.api("PATCH", `/keys/${id}`, { revoked: false }))).toBe(422);
    expect(await refused(gateway.api("POST", `/keys/${id}/rotate`, { overlapSeconds: 0 }))).toBe(422);
    expect(await refused(gateway.api("PUT", `/policies/key:${id}`, {}))).toBe(404);
    const budget = { scope: `key:${id}`, name: "run", amount: "100", per: "total" };
    expect(await refused(gateway.api("PUT", "/budgets", budget))).toBe(404);
    // A policy file neither holds it nor takes what it does not name away from it.
    expect(JSON.stringify(await gateway.api("GET", "/policies/export"))).not.toContain(id);
    const document = await gateway.api("GET", "/policies/export");
    await gateway.api("POST", "/policies/apply", { document, prune: true });
    const { items } = await gateway.api<{ items: { scope: string }[] }>("GET", "/budgets");
    expect(items.map(({ scope }) => scope)).toContain(`key:${id}`);
    // It may end sooner.
    await gateway.api("PATCH", `/keys/${id}`, { revoked: true });
    expect(await refusalOf(ask(child.secret))).toBe("invalid_key");
  });

  test("is not made of what makes no sense, nor where its calls would not be allowed", async () => {
    const { name, secret } = await newUser();
    const wishes = [
      { budget: "0" },
      { budget: "-1" },
      { budget: "much" },
      { ttlSeconds: 0 },
      { ttlSeconds: 8 * 86_400 },
      { providers: ["nowhere"] },
      { providers: ["hf"] },
      { policy: { providers: ["openai"] } },
      [],
    ];
    for (const wish of wishes) expect([wish, (await post(secret, wish)).status]).toEqual([wish, 400]);
    expect((await post("lmk_nobody")).status).toBe(401);
    await gateway.api("PUT", `/policies/user:${name}`, { networks: ["10.9.8.0/24"] });
    expect(await refusalOf(post(secret))).toBe("network_not_allowed");
  });
});

test("sees nothing of what else is its user's, and asks for nothing in their name", async () => {
  const { secret } = await newUser();
  const child = await childOf(secret);
  const api = async (key: string, path: string, body?: object) => {
    const response = await fetch(`${gateway.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    return response.status;
  };
  const wish = { kind: "other", reason: "more, please" };
  expect([await api(secret, "/me"), await api(secret, "/me/asks", wish)]).toEqual([200, 201]);
  for (const path of ["/me", "/me/keys", "/me/requests", "/me/usage"])
    expect([path, await api(child.secret, path)]).toEqual([path, 401]);
  expect(await api(child.secret, "/me/asks", wish)).toBe(401);
});

test("a wish that never ends is not listened to", async () => {
  const { secret } = await newUser();
  const socket = connect(gateway.port, "127.0.0.1");
  const head = [
    "POST /lmk/keys HTTP/1.1",
    "Host: localhost",
    `Authorization: Bearer ${secret}`,
    "Transfer-Encoding: chunked",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n8000\r\n${" ".repeat(0x8000)}\r\n`);
  expect(String(await once(socket, "data"))).toStartWith("HTTP/1.1 413 ");
  socket.destroy();
});

describe("a child key ends", () => {
  const refusal = (child: Child) => refusalOf(ask(child.secret));

  test("at its time to live, and its open streams with it", async () => {
    const { secret } = await newUser();
    const child = await childOf(secret, { ttlSeconds: 4 });
    const open = await stream(child.secret);
    expect(await refusal(child)).toBeNull();
    expect(await ending(open, 6000)).toBe("broken");
    expect(await refusal(child)).toBe("expired_key");
    expect(await refusalOf(ask(secret))).toBeNull();
  });

  test("when it, or whoever it descends from, says so; nobody else can", async () => {
    const { key, secret } = await newUser();
    const stranger = await newUser();
    const [one, two] = [await childOf(secret), await childOf(secret)];
    const grandchild = await childOf(two.secret);
    expect((await end(one.key.id, stranger.secret)).status).toBe(404);
    expect((await end(one.key.id, two.secret)).status).toBe(404);
    // A master key does not end itself, and no child its parent.
    expect((await end(key.id, secret)).status).toBe(404);
    expect((await end(key.id, one.secret)).status).toBe(404);
    const open = await Promise.all([one, grandchild].map(({ secret: held }) => stream(held)));
    expect((await end(one.key.id, one.secret)).status).toBe(204);
    expect((await end(two.key.id, secret)).status).toBe(204);
    expect(await Promise.all(open.map((one) => ending(one)))).toEqual(["broken", "broken"]);
    expect(await Promise.all([one, two, grandchild].map(refusal))).toEqual(Array(3).fill("invalid_key"));
    expect(await refusalOf(ask(secret))).toBeNull();
    const listed = await fetch(`${gateway.url}/lmk/keys`, { headers: { authorization: `Bearer ${secret}` } });
    expect(await listed.json()).toEqual({ items: [] });
  });

  test("with its parent: revoked, expired, or its user or group cut off", async () => {
    const { name, key, secret } = await newUser();
    const child = await childOf(secret);
    const grandchild = await childOf(child.secret);
    const both = () => Promise.all([child, grandchild].map(refusal));
    const open = await stream(grandchild.secret);
    const { cut } = await gateway.api<{ cut: number }>("PATCH", `/keys/${key.id}`, {
      revoked: true,
      now: true,
    });
    expect([cut, await ending(open)]).toEqual([1, "broken"]);
    expect(await both()).toEqual(["invalid_key", "invalid_key"]);
    await gateway.api("PATCH", `/keys/${key.id}`, { revoked: false, expiresAt: new Date().toISOString() });
    expect(await both()).toEqual(["expired_key", "expired_key"]);
    await gateway.api("PATCH", `/keys/${key.id}`, { expiresAt: null });
    expect(await both()).toEqual([null, null]);
    await gateway.api("PATCH", `/users/${name}`, { revoked: true });
    expect(await both()).toEqual(["invalid_key", "invalid_key"]);
  });

  test("no later than its parent does", async () => {
    const { key, secret } = await newUser();
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    await gateway.api("PATCH", `/keys/${key.id}`, { expiresAt });
    expect((await childOf(secret, { ttlSeconds: 3600 })).key.expiresAt).toBe(expiresAt);
  });

  test("with the very secret that made it: when its parent is rotated, and the overlap is over", async () => {
    const { key, secret } = await newUser();
    const child = await childOf(secret);
    const grandchild = await childOf(child.secret);
    const renewed = await gateway.api<{ secret: string }>("POST", `/keys/${key.id}/rotate`, {
      overlapSeconds: 3,
    });
    const younger = await childOf(renewed.secret);
    expect(await refusal(child)).toBeNull();
    await poll("end of the overlap", async () =>
      (await refusal(child)) === "invalid_key" ? true : undefined,
    );
    expect(await refusal(grandchild)).toBe("invalid_key");
    expect(await refusal(younger)).toBeNull();
  });

  test("and stays ended after a restart", async () => {
    const { secret } = await newUser();
    const [ended, alive] = [
      await childOf(secret, { budget: "0.05" }),
      await childOf(secret, { budget: "0.05" }),
    ];
    await end(ended.key.id, secret);
    await ask(alive.secret);
    await gateway.restart();
    expect(await refusal(ended)).toBe("invalid_key");
    const spent: (string | null)[] = [];
    for (let n = 0; n < 5; n++) spent.push(await refusal(alive));
    // One cent before the restart; the last cent has no room for a call of up to 1,024 tokens.
    expect(spent).toEqual([null, null, null, "budget_exhausted", "budget_exhausted"]);
  });
});

describe("how many", () => {
  test("generations there may be", async () => {
    let { secret } = await newUser();
    for (let n = 0; n < 3; n++) ({ secret } = await childOf(secret));
    const refused = await post(secret);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("3 generations");
  });

  test("children a parent may have at a time: of 60 asked for at once, 50 are made", async () => {
    const { name, secret } = await newUser();
    const answers = await Promise.all(Array.from({ length: 60 }, () => post(secret)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(50);
    const rest = answers.filter(({ status }) => status !== 201);
    expect(new Set(rest.map(({ headers }) => headers.get("x-llamakey-refusal")))).toEqual(
      new Set(["rate_limited"]),
    );
    const { items } = await gateway.api<{ items: unknown[] }>("GET", `/keys?user=${name}`);
    expect(items).toHaveLength(51);
  });
});

describe("money", () => {
  /** Calls until each is refused for good. @returns how many were answered, by key. */
  async function spendAll(secrets: readonly string[]): Promise<number[]> {
    return Promise.all(
      secrets.map(async (secret) => {
        let answered = 0;
        for (let refusals = 0; refusals < 3; ) {
          const code = await refusalOf(ask(secret));
          if (code === null) answered++;
          else if (code === "budget_exhausted") refusals++;
        }
        return answered;
      }),
    );
  }

  test("no run exceeds its budget, and all runs of a key together never exceed the key's", async () => {
    const { key, secret } = await newUser();
    await gateway.api("PUT", "/budgets", {
      scope: `key:${key.id}`,
      name: "all",
      amount: "0.30",
      per: "month",
    });
    const before = provider.calls;
    provider.delayMs = 5;
    const runs = await Promise.all(
      [..."0123456"].map(() => childOf(secret, { budget: "0.0800", ttlSeconds: 600 })),
    );
    const deep = await childOf((runs[0] as Child).secret, { budget: "100" });
    const answered = await spendAll([...runs.map((run) => run.secret), deep.secret]);
    provider.delayMs = 0;
    // A call may cost up to 1.03 cents, so the last cent of a budget stays.
    const [first = 0, ...others] = answered.slice(0, -1);
    expect(first + (answered.at(-1) ?? 0)).toBeLessThanOrEqual(7);
    for (const run of others) expect(run).toBeLessThanOrEqual(7);
    const total = answered.reduce((sum, one) => sum + one, 0);
    expect(total).toBe(29);
    expect(provider.calls - before).toBe(29);
    const { items } = await gateway.api<{ items: { scope: string; posted: string; reserved: string }[] }>(
      "GET",
      "/budgets",
    );
    const standing = (scope: string) => items.find((one) => one.scope === scope);
    expect(standing(`key:${key.id}`)).toMatchObject({ posted: "0.29", reserved: "0.00" });
    for (const { key: child } of runs) {
      const own = standing(`key:${child.id}`);
      expect(Number(own?.posted)).toBeLessThanOrEqual(0.08);
      expect(own?.reserved).toBe("0.00");
    }
    // The user's other keys have nothing to do with it.
    expect(await refusalOf(ask(secret))).toBe("budget_exhausted");
  }, 60_000);

  test("a call that a child's budget refuses reserves nothing of its parent's", async () => {
    const { key, secret } = await newUser();
    await gateway.api("PUT", "/budgets", { scope: `key:${key.id}`, name: "all", amount: "5", per: "month" });
    const child = await childOf(secret, { budget: "0.001" });
    expect(await refusalOf(ask(child.secret))).toBe("budget_exhausted");
    const { items } = await gateway.api<{ items: { scope: string; posted: string; reserved: string }[] }>(
      "GET",
      "/budgets",
    );
    expect(items.find(({ scope }) => scope === `key:${key.id}`)).toMatchObject({
      posted: "0.00",
      reserved: "0.00",
    });
  });
});
