/** Master keys that are seen in prompts and URLs: who is told, what is frozen, and that no text of a key is anywhere. */

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { type Gateway, type Named, startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { poll } from "../support/poll.ts";

const SECRET = "fake-webhook-secret-0123456789";

/** What a client does once so much of its body has come through. */
let awaited = { length: Number.POSITIVE_INFINITY, rest: () => {} };

/** Not recorded: that keys reach it is what these tests are about. */
const upstream = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    let length = 0;
    for await (const piece of request.body ?? []) {
      length += piece.length;
      if (length === awaited.length) awaited.rest();
    }
    return Response.json({ length, choices: [], usage: null });
  },
});

interface Told {
  type: string;
  data: Record<string, unknown>;
  isSigned: boolean;
}
const told: Told[] = [];
const receiver = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const body = await request.text();
    const [, time, signature] =
      /^t=(\d+),v1=(\w+)$/.exec(request.headers.get("x-llamakey-signature") ?? "") ?? [];
    const expected = createHmac("sha256", SECRET).update(`${time}.${body}`).digest("hex");
    told.push({ ...(JSON.parse(body) as Told), isSigned: signature === expected });
    return new Response();
  },
});

let gateway: Gateway;
const secrets: string[] = [];
beforeAll(async () => {
  gateway = await startGateway({
    env: {
      OPENAI_API_KEY: "sk-test-fake-leak-0123456789",
      LMK_OPENAI_UPSTREAM: `http://127.0.0.1:${upstream.port}/v1`,
    },
  });
  const webhook = { url: `http://127.0.0.1:${receiver.port}/hook`, secret: SECRET, allowPrivate: true };
  await gateway.api("PATCH", "/settings", { webhook });
});
afterAll(async () => {
  await upstream.stop(true);
  await receiver.stop(true);
});

async function user(name: string) {
  const made = await gateway.addUser(name);
  secrets.push(made.secret);
  return made;
}

function chat(secret: string, content: string, path = "/openai/v1/chat/completions"): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content }] }),
  });
}

interface KeyView extends Named {
  state: string;
  frozenWhy: string | null;
  leak: { at: string; place: string; requestId: string } | null;
}

const keyOf = (id: string) => gateway.api<KeyView>("GET", `/keys/${id}`);
const leaked = (id: string) =>
  poll(`leak of ${id}`, async () => {
    const key = await keyOf(id);
    return key.leak === null ? undefined : key;
  });
const auditOf = async (id: string) =>
  (await gateway.api<{ items: Record<string, unknown>[] }>("GET", `/audit?action=key.leak&target=${id}`))
    .items;
const eventsOf = (id: string) => told.filter(({ data }) => data["keyId"] === id);
const eventOf = (id: string) => poll(`event of ${id}`, async () => eventsOf(id)[0]);

/** Whatever was sent before this is answered has been looked at, and noted if it was a leak. */
async function noLeak(id: string): Promise<void> {
  const marker = await user(`after-${id}`);
  await chat(marker.secret, marker.secret);
  await leaked(marker.key.id);
  expect([(await keyOf(id)).leak, await auditOf(id)]).toEqual([null, []]);
}

test("one in somebody else's prompt is reported to its owner and to administrators, and works on", async () => {
  const owner = await user("owner");
  const caller = await user("caller");
  const answer = await chat(caller.secret, `my .env: LMK_KEY=${owner.secret}\n`);
  const requestId = answer.headers.get("x-llamakey-request-id") ?? "";
  expect(answer.status).toBe(200);
  const { leak, state } = await leaked(owner.key.id);
  expect([leak, state]).toEqual([{ at: expect.any(String), place: "prompt", requestId }, "active"]);

  expect(await eventOf(owner.key.id)).toMatchObject({
    type: "key.leaked",
    isSigned: true,
    data: {
      key: `lmk_${owner.key.id}_...`,
      user: "owner",
      group: "default",
      place: "prompt",
      requestId,
      frozen: false,
    },
  });
  expect(await auditOf(owner.key.id)).toMatchObject([
    {
      actor: { kind: "system", name: "leak watch" },
      target: { kind: "key", id: owner.key.id },
      before: { leakedAt: null },
      after: {
        masked: `lmk_${owner.key.id}_...`,
        leakedIn: "prompt",
        leakedRequest: requestId,
        frozenAt: null,
      },
    },
  ]);
  const list = await gateway.api<{ items: KeyView[] }>("GET", "/keys?leaked=true");
  expect(list.items.map(({ id }) => id)).toContain(owner.key.id);
  expect(list.items.map(({ id }) => id)).not.toContain(caller.key.id);

  const me = async (secret: string) => {
    const response = await fetch(`${gateway.url}/lmk/me`, { headers: { authorization: `Bearer ${secret}` } });
    return ((await response.json()) as { leaks: unknown[] }).leaks;
  };
  expect(await me(owner.secret)).toMatchObject([{ key: owner.key.id, place: "prompt", frozen: false }]);
  expect(await me(caller.secret)).toEqual([]);
  const shown = await runLmk(gateway, ["me"], { LMK_KEY: owner.secret });
  const listed = await runLmk(gateway, ["key", "list", "--leaked"]);
  expect(listed.out).toMatch(new RegExp(`^${owner.key.id} .* active, seen in a prompt`, "m"));
  expect(listed.out).not.toContain(caller.key.id);
  expect(shown.out).toContain(`${owner.key.id} (key) was seen in a prompt`);

  // Once for each secret, however often it is seen.
  await chat(owner.secret, owner.secret);
  await chat(owner.secret, "nothing");
  expect([(await auditOf(owner.key.id)).length, eventsOf(owner.key.id).length]).toEqual([1, 1]);
});

test("it is frozen where any scope says so, says why, and is no leak any more once it is rotated", async () => {
  const { key, secret, user: owner } = await user("frozen");
  await gateway.api("PATCH", `/policies/user:${owner.name}`, { leakedKeys: "freeze" });
  await gateway.api("PATCH", `/policies/key:${key.id}`, { leakedKeys: "report" });
  expect((await chat(secret, secret)).status).toBe(200);
  const seen = await leaked(key.id);
  expect([seen.state, seen.frozenWhy]).toEqual(["frozen", "it was seen in a prompt"]);
  expect((await eventOf(key.id)).data["frozen"]).toBe(true);
  const refused = await chat(secret, "hello");
  expect([refused.status, await refused.text()]).toEqual([
    401,
    expect.stringContaining("is frozen for the time being: it was seen in a prompt. Ask your administrator."),
  ]);

  await gateway.api("POST", `/keys/${key.id}/unfreeze`);
  expect((await chat(secret, secret)).status).toBe(200);
  const renewed = await gateway.api<{ secret: string }>("POST", `/keys/${key.id}/rotate`, {
    overlapSeconds: 0,
  });
  secrets.push(renewed.secret);
  expect((await keyOf(key.id)).leak).toBeNull();
  expect((await chat(renewed.secret, `the old one was ${secret}`)).status).toBe(200);
  await noNews(key.id, 1);
  // What replaced it is a secret of its own.
  await chat(renewed.secret, renewed.secret);
  await leaked(key.id);
  await noNews(key.id, 2);
});

async function noNews(id: string, count: number): Promise<void> {
  await poll(`${count} rows of ${id}`, async () => ((await auditOf(id)).length >= count ? true : undefined));
  expect((await auditOf(id)).length).toBe(count);
}

test("the keys that were made with it end with it, and one of those that is seen ends alone", async () => {
  const { key, secret } = await user("parent");
  await gateway.api("PATCH", `/policies/key:${key.id}`, { leakedKeys: "freeze" });
  const child = async () => {
    const answer = await fetch(`${gateway.url}/lmk/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
      body: "{}",
    });
    const made = (await answer.json()) as { key: { id: string }; secret: string };
    secrets.push(made.secret);
    return made;
  };
  const [first, second] = [await child(), await child()];
  await chat(second.secret, first.secret);
  await eventOf(first.key.id);
  const statuses = async () =>
    Promise.all([first, second, { secret }].map(async (one) => (await chat(one.secret, "hello")).status));
  expect(await statuses()).toEqual([401, 200, 200]);
  await chat(secret, secret);
  await eventOf(key.id);
  expect(await statuses()).toEqual([401, 401, 401]);
  const said = await (await chat(second.secret, "hello")).text();
  expect(said).toContain(
    "The key that this key was made with is frozen for the time being: it was seen in a prompt",
  );
});

test("one in a compressed prompt is seen", async () => {
  const { key, secret } = await user("compressed");
  const body = Bun.gzipSync(
    JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: secret }] }),
  );
  const answer = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${secret}`,
      "content-type": "application/json",
      "content-encoding": "gzip",
    },
    body,
  });
  expect(answer.status).toBe(200);
  await leaked(key.id);
});

test("the command line freezes a key and lets it work again", async () => {
  const { key, secret } = await user("by-hand");
  const frozen = await runLmk(gateway, ["key", "freeze", key.id, "--reason", "lost laptop"]);
  expect(frozen.err).toContain(`lmk key unfreeze ${key.id}`);
  expect(await (await chat(secret, "hello")).text()).toContain("is frozen for the time being: lost laptop.");
  expect((await runLmk(gateway, ["key", "show", key.id])).out).toMatch(/frozen because +lost laptop/);
  expect((await runLmk(gateway, ["key", "unfreeze", key.id])).err).toContain(`Key ${key.id} is active.`);
  expect((await chat(secret, "hello")).status).toBe(200);
});

test("scopes that only count freeze nothing", async () => {
  const { key, secret, user: owner } = await user("shadow");
  await gateway.api("PATCH", `/policies/user:${owner.name}`, { leakedKeys: "freeze", shadow: true });
  await chat(secret, secret);
  expect((await leaked(key.id)).state).toBe("active");
});

test("one in a URL is reported, and where keys may stand in a URL there is none", async () => {
  const inPath = await user("in-path");
  await chat(inPath.secret, "hello", `/openai/v1/files/x-${inPath.secret}-y`);
  expect((await leaked(inPath.key.id)).leak?.place).toBe("url");
  const inQuery = await user("in-query");
  await chat(inQuery.secret, "hello", `/openai/v1/chat/completions?note=is+${inQuery.secret}`);
  expect((await leaked(inQuery.key.id)).leak?.place).toBe("url");
  const rows = await gateway.rowsOf("in-path", 1);
  expect(rows.map(({ endpoint }) => endpoint)).toEqual([`/files/x-lmk_${inPath.key.id}_...-y`]);

  const right = await user("right");
  for (const path of [
    `/openai/${right.secret}/v1/chat/completions`,
    `/openai/v1/chat/completions?key=${right.secret}`,
  ]) {
    const answer = await fetch(`${gateway.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"model":"gpt-5","messages":[]}',
    });
    expect(answer.status).toBe(200);
  }
  await noLeak(right.key.id);
});

test("what is no key of this installation, or only looks like one, is no leak", async () => {
  const { key, secret } = await user("careful");
  const wrong = secret.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
  await chat(secret, `lmk_${key.id}_... and ${wrong} and ${secret.slice(0, -1)}`);
  await noLeak(key.id);
});

test("one in a body that passes as a stream is seen, in two pieces too", async () => {
  const { key, secret } = await user("streaming");
  const filling = "x".repeat(200_000);
  const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="log.txt"\r\n\r\n';
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sent = httpRequest(
      `${gateway.url}/openai/v1/files`,
      {
        method: "POST",
        headers: { authorization: `Bearer ${secret}`, "content-type": "multipart/form-data; boundary=b" },
      },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode));
      },
    );
    sent.on("error", reject);
    const first = head + filling + secret.slice(0, 30);
    const rest = () => void sent.end(`${secret.slice(30)}${filling}\r\n--b--\r\n`);
    awaited = { length: first.length, rest };
    sent.write(first);
  });
  expect(status).toBe(200);
  expect((await leaked(key.id)).leak?.place).toBe("prompt");
});

test("a policy file says it, and explain shows it", async () => {
  const { key } = await user("explained");
  await gateway.api("POST", "/policies/apply", {
    document: { keys: { [key.id]: { leakedKeys: "freeze" } } },
    dryRun: false,
    prune: false,
  });
  const call = { method: "POST", provider: "openai", path: "/v1/chat/completions", key: key.id };
  expect(await gateway.api("POST", "/policies/explain", call)).toMatchObject({ leakedKeys: "freeze" });
  const set = await runLmk(gateway, ["policy", "set", `key:${key.id}`, "--leaked-keys", "report"]);
  expect(set.err).toContain("leakedKeys: freeze -> none");
  expect(await gateway.api("POST", "/policies/explain", call)).toMatchObject({ leakedKeys: "report" });
});

test("no key's text is in the database, in what the gateway says, or in what the webhook was told", async () => {
  await gateway.stop();
  const database = new Database(join(gateway.dataDir, "llamakey.db"), { readonly: true });
  const tables = database.query("SELECT name FROM sqlite_master WHERE type = 'table'").all() as Named[];
  const everything = tables.map(({ name }) =>
    JSON.stringify(database.query(`SELECT * FROM "${name}"`).all()),
  );
  database.close();
  const said = [...everything, gateway.stderr(), JSON.stringify(told)].join("\n");
  expect(said).toContain("key.leaked");
  for (const secret of secrets) expect(said.includes(secret.slice(15, 47))).toBe(false);
});
