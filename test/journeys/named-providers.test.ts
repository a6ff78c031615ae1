/** Servers and endpoints that administrators name while the gateway runs: in force at once, and over restarts. */
import { Database } from "bun:sqlite";
import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { poll } from "../support/poll.ts";
import { serveRecorded } from "../support/record.ts";
import { noteAddress } from "../support/record-gateway.ts";

const ENVIRONMENTS = "hf_fake_of_the_environment_0123456789";

interface Seen {
  path: string;
  authorization: string | null;
}

/** A server of one's own, as vLLM is, and what it was asked. */
async function startServer(key?: string): Promise<{ origin: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const { origin } = await serveRecorded({
    async fetch(request) {
      await request.bytes();
      const authorization = request.headers.get("authorization");
      seen.push({ path: new URL(request.url).pathname, authorization });
      if (key !== undefined && authorization !== `Bearer ${key}`) return new Response("no", { status: 401 });
      return Response.json({
        id: "chatcmpl-1",
        model: "llama",
        choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
      });
    },
  });
  return { origin, seen };
}

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { HF_TOKEN: ENVIRONMENTS } });
});

function chat(id: string, path = "/v1/chat/completions"): Promise<Response> {
  return fetch(`${gateway.url}/${id}${path}`, {
    method: "POST",
    headers: { ...gateway.bearer, "content-type": "application/json" },
    body: JSON.stringify({ model: "llama", messages: [{ role: "user", content: "hello" }] }),
  });
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${gateway.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${gateway.adminToken}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const refusalOf = async (id: string) => (await chat(id)).headers.get("x-llamakey-refusal");

test("a server is called, metered and offered to users from the moment that it is added, over restarts, until it is removed", async () => {
  const { origin, seen } = await startServer();
  expect(await refusalOf("lab")).toBe("unknown_provider");
  const upstream = `${origin}/v1`;
  const added = await gateway.api("POST", "/providers", {
    id: "lab",
    name: "The lab",
    upstream: `${upstream}/`,
    allowPrivate: true,
  });
  expect(added).toMatchObject({ id: "lab", name: "The lab", upstream, source: "stored", ready: true });

  const answer = await chat("lab");
  expect([answer.status, seen.map(({ path }) => path)]).toEqual([200, ["/v1/chat/completions"]]);
  // The master key does not travel on, and there is no other.
  expect(seen[0]?.authorization).toBeNull();
  const row = await gateway.requestRow(answer.headers.get("x-llamakey-request-id"));
  expect(row).toMatchObject({
    provider: "lab",
    usage: { input_tokens: 7, output_tokens: 3 },
    costNanos: "0",
  });
  expect((await gateway.exportsOf(gateway.key))["LAB_BASE_URL"]).toBe(`${gateway.url}/lab/v1`);
  await poll("exports file with the server", async () =>
    gateway.exports["LAB_BASE_URL"] === undefined ? undefined : true,
  );
  expect(await gateway.api("POST", "/providers/lab/test")).toMatchObject({ ok: true, status: 200 });
  expect(seen.at(-1)?.path).toBe("/v1/models");

  await gateway.restart();
  expect((await chat("lab")).status).toBe(200);
  await gateway.api("DELETE", "/providers/lab");
  expect(await refusalOf("lab")).toBe("unknown_provider");
  expect((await send("GET", "/providers/lab")).status).toBe(404);
  await gateway.restart();
  expect(await refusalOf("lab")).toBe("unknown_provider");
}, 60_000);

test("what a server wants to be called with is stored for its address, and for no other of that name", async () => {
  const key = "sk-fake-of-the-lab-0123456789";
  const { origin, seen } = await startServer(key);
  const server = { id: "locked", upstream: `${origin}/v1`, allowPrivate: true };
  await gateway.api("POST", "/providers", server);
  expect(await gateway.api("POST", "/providers/locked/test")).toMatchObject({
    ok: false,
    status: 401,
    message: "locked wants a credential (status 401).",
  });
  await gateway.api("POST", "/credentials", { provider: "locked", secret: key });
  expect(await gateway.api("POST", "/providers/locked/test")).toMatchObject({ ok: true });
  expect((await chat("locked")).status).toBe(200);

  const other = await startServer();
  await gateway.api("DELETE", "/providers/locked");
  await gateway.api("POST", "/providers", { ...server, upstream: `${other.origin}/v1` });
  expect((await chat("locked")).status).toBe(200);
  expect(other.seen.map(({ authorization }) => authorization)).toEqual([null]);
  const { items } = await gateway.api<{ items: { provider: string; problem: string | null }[] }>(
    "GET",
    "/credentials",
  );
  expect(items.find(({ provider }) => provider === "locked")?.problem).toContain("It was given for");
  expect(seen.length).toBeGreaterThan(0);
});

test("an endpoint of Hugging Face's is sent its own token alone, never the environment's", async () => {
  const { origin, seen } = await startServer();
  noteAddress("hf-mine", origin);
  const answer = await send("POST", "/providers", {
    kind: "huggingface_endpoint",
    id: "mine",
    upstream: `${origin}/v1`,
    allowPrivate: true,
  });
  expect(await answer.json()).toMatchObject({ id: "hf-mine", upstream: origin });
  expect((await chat("hf-mine", "/chat/completions")).status).toBe(200);
  expect(seen).toEqual([{ path: "/v1/chat/completions", authorization: null }]);
});

test("what policies say of a server's paths holds for one that is added later, too", async () => {
  const { origin } = await startServer();
  await gateway.api("PATCH", "/policies/organisation", { endpoints: ["POST /later/v1/chat/**"] });
  await gateway.api("POST", "/providers", { id: "later", upstream: `${origin}/v1`, allowPrivate: true });
  expect((await chat("later")).status).toBe(200);
  expect((await chat("later", "/v1/completions")).status).toBe(403);
  await gateway.api("DELETE", "/policies/organisation");
});

test.each([
  ["a provider's id", { id: "openai" }, 409],
  ["an id that is the gateway's own", { id: "claim" }, 409],
  ["an id that is not part of a path", { id: "a/b" }, 400],
  ["a private address, unless that is said", { upstream: "https://10.0.0.5/v1" }, 422],
  ["a metadata service, whatever is said", { upstream: "http://169.254.169.254", allowPrivate: true }, 422],
  ["this machine, unless that is said", { upstream: "https://localhost:8000/v1" }, 422],
  ["plain HTTP, unless that is said", { upstream: "http://8.8.8.8/v1" }, 422],
  ["a login", { upstream: "https://me:pw@8.8.8.8/v1", allowPrivate: true }, 400],
  ["a query", { upstream: "https://8.8.8.8/v1?key=x", allowPrivate: true }, 400],
  ["another scheme", { upstream: "file:///etc/passwd", allowPrivate: true }, 400],
])("is not added: %s", async (_, change, status) => {
  const answer = await send("POST", "/providers", { id: "wrong", upstream: "https://8.8.8.8/v1", ...change });
  expect([answer.status, await answer.text()]).toEqual([status, expect.not.stringContaining("pw@")]);
  expect((await send("GET", "/providers/wrong")).status).toBe(404);
});

test("what is built in or in the environment stays, and what was changed meanwhile is not removed", async () => {
  const { origin } = await startServer();
  expect((await send("DELETE", "/providers/openai")).status).toBe(409);
  expect((await send("DELETE", "/providers/none")).status).toBe(404);
  const once = { "idempotency-key": "named-once" };
  const body = { id: "twice", upstream: `${origin}/v1`, allowPrivate: true };
  const [first, second] = [
    await send("POST", "/providers", body, once),
    await send("POST", "/providers", body, once),
  ];
  expect([first.status, second.status, second.headers.get("idempotency-replayed")]).toEqual([
    201,
    201,
    "true",
  ]);
  expect((await send("POST", "/providers", body)).status).toBe(409);
  expect((await send("DELETE", "/providers/twice", undefined, { "if-match": '"other"' })).status).toBe(412);
  const etag = (await send("GET", "/providers/twice")).headers.get("etag") ?? "";
  expect((await send("DELETE", "/providers/twice", undefined, { "if-match": etag })).status).toBe(204);
});

test("one that was added as public is not called where its name leads into a private network", async () => {
  const { origin, seen } = await startServer();
  await gateway.stop();
  const database = new Database(join(gateway.dataDir, "llamakey.db"));
  // As if a name that was public when it was added led elsewhere now.
  database.run("INSERT INTO named_providers VALUES (?, 'server', 'moved', ?, 0, 1)", [
    "moved",
    `${origin}/v1`,
  ]);
  database.close();
  await gateway.start();
  const answer = await chat("moved");
  expect([answer.status, answer.headers.get("x-llamakey-refusal")]).toEqual([502, "upstream_unreachable"]);
  expect(await gateway.api("POST", "/providers/moved/test")).toMatchObject({ ok: false, status: null });
  expect(gateway.stderr()).toContain("its name leads to an address that is not public");
  expect(seen).toEqual([]);
});

test("the command line adds, tests and removes one", async () => {
  const { origin, seen } = await startServer();
  noteAddress("shell", `${origin}/v1`);
  const lmk = (...args: string[]) => runLmk(gateway, ["providers", ...args]);
  const refused = await lmk("add", "shell", `${origin}/v1`);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("must begin with https://")]);
  const added = await lmk("add", "shell", `${origin}/v1`, "--allow-private", "--name", "By hand");
  expect([added.code, added.err]).toEqual([0, expect.stringContaining("By hand can be called at /shell.")]);
  expect((await lmk("test", "shell")).err).toContain("By hand answers (status 200).");
  expect((await lmk()).out).toMatch(/^shell +By hand +http/m);
  expect((await lmk("remove", "shell")).err).toContain("Provider shell removed.");
  expect((await lmk("remove", "openai")).code).toBe(1);
  expect(seen).toHaveLength(1);
});
