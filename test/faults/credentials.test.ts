import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import OpenAI from "openai";
import { type LedgerRecord, parseRecords } from "../../src/ledger/records.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";
import { type Recorded, recorded } from "../support/record.ts";
import { recordingUpstream } from "../support/recording-upstream.ts";

const secretOf = (name: string) => `sk-test-fake-${name}-0123456789`;

interface View {
  id: string;
  name: string;
  weight: number;
  state: string;
  coolingUntil: string | null;
  lastError: { status: number | null; message: string } | null;
  inFlight: number;
  share: number;
}

type Behaviour = (request: Request) => Response | Promise<Response>;

/** A provider that treats each credential as a test says, and logs what it was asked and what it would bill. */
class Provider implements AsyncDisposable {
  /** By credential's name; without one it answers 200. */
  readonly behaviours = new Map<string, Behaviour>();
  /** Every call but probes: credential, and whether it was answered with a 200. */
  readonly log: { name: string; path: string; billed: boolean }[] = [];
  probes = 0;
  delayMs = 0;
  private readonly server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => this.answer(request),
  });
  private front: Recorded | undefined;

  /** Nothing listens any more. */
  async stop(): Promise<void> {
    await this.front?.stop();
  }

  /** At the address that it had before, if it had one. */
  async start(): Promise<this> {
    this.front = await recorded(this.server.port ?? 0, this.front?.port);
    return this;
  }

  get base(): string {
    return `${this.front?.origin}/v1`;
  }

  private async answer(request: Request): Promise<Response> {
    const secret = request.headers.get("authorization") ?? "";
    const name = /sk-test-fake-(.+)-0123456789/.exec(secret)?.[1] ?? "none";
    const path = new URL(request.url).pathname;
    const isProbe = path === "/v1/models";
    if (isProbe) this.probes++;
    if (this.delayMs > 0) await Bun.sleep(this.delayMs);
    const behave = this.behaviours.get(name);
    const reply = behave === undefined ? await served(request) : await behave(request);
    if (!isProbe) this.log.push({ name, path, billed: reply.ok && request.method === "POST" });
    return reply;
  }

  count(name: string): number {
    return this.log.filter((one) => one.name === name).length;
  }

  get billed(): number {
    return this.log.filter(({ billed }) => billed).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.server.stop(true);
  }
}

let objects = 0;

async function served(request: Request): Promise<Response> {
  await request.bytes();
  objects++;
  return Response.json({
    id: `made_${objects}`,
    choices: [{ index: 0, message: { role: "assistant", content: "Hello" } }],
    usage: { prompt_tokens: 1, completion_tokens: 1 },
  });
}

const answers = (status: number, headers: Record<string, string> = {}): Behaviour => {
  return async (request) => {
    await request.bytes();
    return Response.json({ error: { message: `no: ${status}` } }, { status, headers });
  };
};

/** With these weights, by credential's name. */
async function behind(provider: Provider, weights: Record<string, number>): Promise<Gateway> {
  const gateway = await startGateway({ env: { LMK_OPENAI_UPSTREAM: provider.base } });
  for (const [name, weight] of Object.entries(weights)) {
    await gateway.api("POST", "/credentials", { provider: "openai", name, secret: secretOf(name), weight });
  }
  return gateway;
}

const equal = { a: 1, b: 1, c: 1 };

async function views(gateway: Gateway): Promise<Record<string, View>> {
  const { items } = await gateway.api<{ items: View[] }>("GET", "/credentials");
  return Object.fromEntries(items.map((item) => [item.name, item]));
}

function chat(
  gateway: Gateway,
  extra: Record<string, unknown> = {},
  path = "/chat/completions",
): Promise<Response> {
  return fetch(`${gateway.url}/openai/v1${path}`, {
    method: "POST",
    headers: { ...gateway.bearer, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [], ...extra }),
  });
}

function get(gateway: Gateway, path: string): Promise<Response> {
  return fetch(`${gateway.url}/openai/v1${path}`, { headers: gateway.bearer });
}

/** The statuses of this many calls, some of them at a time. */
async function calls(gateway: Gateway, count: number, atOnce: number): Promise<number[]> {
  const statuses: number[] = [];
  let left = count;
  const work = async () => {
    while (left-- > 0) {
      const response = await chat(gateway);
      await response.bytes();
      statuses.push(response.status);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return statuses;
}

describe("calls follow the weights", () => {
  for (const atOnce of [1, 2, 16]) {
    test(`${atOnce} at a time`, async () => {
      await using provider = await new Provider().start();
      await using gateway = await behind(provider, { a: 5, b: 3, c: 2 });
      if (atOnce > 1) provider.delayMs = 2;
      expect(new Set(await calls(gateway, 1000, atOnce))).toEqual(new Set([200]));
      for (const [name, share] of [
        ["a", 500],
        ["b", 300],
        ["c", 200],
      ] as const) {
        expect(Math.abs(provider.count(name) - share)).toBeLessThanOrEqual(50);
      }
    });
  }

  test("one that is slow carries no more of what runs than its share", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, { a: 1, b: 1 });
    const open = Promise.withResolvers<void>();
    provider.behaviours.set("a", async (request) => {
      await open.promise;
      return served(request);
    });
    const all = calls(gateway, 200, 10);
    await poll("all but the slow calls", () => (provider.count("b") >= 190 ? true : undefined));
    const running = await views(gateway);
    expect(running["a"]?.inFlight).toBeLessThanOrEqual(5);
    open.resolve();
    expect(new Set(await all)).toEqual(new Set([200]));
    expect((await views(gateway))["a"]?.inFlight).toBe(0);
  });

  test("a changed weight is in force at once", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, { a: 1, b: 1 });
    const { a } = await views(gateway);
    await gateway.api("PATCH", `/credentials/${a?.id}`, { weight: 9 });
    await calls(gateway, 200, 1);
    expect(Math.abs(provider.count("a") - 180)).toBeLessThanOrEqual(5);
    expect((await views(gateway))["a"]).toMatchObject({ weight: 9, share: 0.9, state: "ready" });
  });
});

describe("one of three credentials", () => {
  test("that is limited is left alone for as long as the provider says, and nobody notices", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    provider.behaviours.set("b", answers(429, { "retry-after": "6" }));
    expect(new Set(await calls(gateway, 60, 4))).toEqual(new Set([200]));
    expect(provider.count("b")).toBeLessThanOrEqual(4);
    expect(provider.billed).toBe(60);
    const { b } = await views(gateway);
    expect(b).toMatchObject({ state: "limited", share: 0, lastError: { status: 429 } });
    provider.behaviours.delete("b");
    await Bun.sleep(Math.max(0, Date.parse(b?.coolingUntil ?? "") - Date.now()) + 50);
    const before = provider.count("b");
    await calls(gateway, 60, 1);
    expect(Math.abs(provider.count("b") - before - 20)).toBeLessThanOrEqual(2);
  });

  test("that is rejected gets no more traffic until the provider takes it again, and nobody notices", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    provider.behaviours.set("b", answers(401));
    expect(new Set(await calls(gateway, 60, 1))).toEqual(new Set([200]));
    expect(provider.count("b")).toBe(1);
    expect(provider.billed).toBe(60);
    expect((await views(gateway))["b"]).toMatchObject({
      state: "rejected",
      share: 0,
      lastError: { status: 401 },
    });
    await poll("a probe", () => (provider.probes > 0 ? true : undefined));
    await calls(gateway, 20, 1);
    expect(provider.count("b")).toBe(1);
    provider.behaviours.delete("b");
    await poll("b in service", async () =>
      (await views(gateway))["b"]?.state === "ready" ? true : undefined,
    );
    await calls(gateway, 30, 1);
    expect(Math.abs(provider.count("b") - 11)).toBeLessThanOrEqual(1);
  });

  test("comes back at once where an administrator's test shows that it works", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    provider.behaviours.set("b", answers(401));
    await calls(gateway, 10, 1);
    provider.behaviours.delete("b");
    const { b } = await views(gateway);
    await gateway.api("POST", `/credentials/${b?.id}/test`);
    expect((await views(gateway))["b"]?.state).toBe("ready");
  });

  test("that fails is seen once, as the provider said it, and an SDK's own retry is served by another", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    provider.behaviours.set("b", answers(500));
    const client = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/openai/v1` });
    for (let n = 0; n < 12; n++) await client.chat.completions.create({ model: "m", messages: [] });
    expect(provider.count("b")).toBeGreaterThanOrEqual(1);
    // It is tried again when it has rested, which it may have on a slow machine.
    expect(provider.count("b")).toBeLessThanOrEqual(4);
    expect(provider.billed).toBe(12);
    expect((await views(gateway))["b"]).toMatchObject({ lastError: { status: 500 } });
  });

  test("that has rested is tried with one call at a time", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    provider.behaviours.set("b", answers(500));
    await calls(gateway, 3, 1);
    expect(provider.count("b")).toBe(1);
    await Bun.sleep(1_100);
    provider.delayMs = 50;
    await calls(gateway, 12, 12);
    expect(provider.count("b")).toBe(2);
  });

  test("that breaks off without an answer is not asked again, and the call is not sent twice", async () => {
    await using provider = await new Provider().start();
    const broken = await recordingUpstream();
    broken.answer = (_, socket) => void socket.destroy();
    await using gateway = await behind(provider, equal);
    await gateway.restart({ LMK_OPENAI_UPSTREAM: `${broken.url}/v1` });
    for (const name of Object.keys(equal)) {
      await gateway.api("POST", "/credentials", {
        provider: "openai",
        name: `${name}2`,
        secret: secretOf(name),
      });
    }
    expect((await chat(gateway)).headers.get("x-llamakey-refusal")).toBe("upstream_unreachable");
    broken.close();
    expect(broken.requests.length).toBe(1);
  });
});

describe("where all of them", () => {
  test("are limited, the client gets the provider's own answer, after three of them at most", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, { ...equal, d: 1 });
    for (const name of ["a", "b", "c", "d"])
      provider.behaviours.set(name, answers(429, { "retry-after": "7" }));
    const response = await chat(gateway);
    expect([response.status, await response.text()]).toEqual([429, '{"error":{"message":"no: 429"}}']);
    expect(response.headers.get("retry-after")).toBe("7");
    expect(response.headers.has("x-llamakey-refusal")).toBe(false);
    expect(provider.log.length).toBe(3);
    // Cooling or not, what is asked is sent: they may have recovered.
    await chat(gateway);
    provider.behaviours.clear();
    expect((await chat(gateway)).status).toBe(200);
  });

  test("are rejected, that is said without asking the provider again", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    for (const name of Object.keys(equal)) provider.behaviours.set(name, answers(401));
    for (let n = 0; n < 5; n++) {
      const response = await chat(gateway);
      expect([response.status, response.headers.get("x-llamakey-refusal")]).toEqual([
        502,
        "credential_rejected",
      ]);
    }
    expect(provider.log.length).toBe(3);
  });

  test("cannot be connected, calls pass as soon as they can", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    await provider.stop();
    const response = await chat(gateway);
    expect(response.headers.get("x-llamakey-refusal")).toBe("upstream_unreachable");
    const all = Object.values(await views(gateway));
    expect(all.map(({ lastError }) => lastError?.message)).toEqual(
      Array(3).fill("could not be reached (ECONNREFUSED)"),
    );
    await provider.start();
    expect(new Set(await calls(gateway, 9, 1))).toEqual(new Set([200]));
  });
});

test("a body that streams is sent once", async () => {
  await using provider = await new Provider().start();
  await using gateway = await behind(provider, equal);
  for (const name of Object.keys(equal)) provider.behaviours.set(name, answers(429));
  const response = await fetch(`${gateway.url}/openai/v1/audio/unknown`, {
    method: "POST",
    headers: { ...gateway.bearer, "content-type": "application/octet-stream" },
    body: new Uint8Array(100_000),
  });
  expect(response.status).toBe(429);
  expect(provider.log.length).toBe(1);
  const states = Object.values(await views(gateway)).map(({ state }) => state);
  expect(states.toSorted()).toEqual(["limited", "ready", "ready"]);
});

test("a credential that is alone is always sent, and never probed", async () => {
  await using provider = await new Provider().start();
  await using gateway = await behind(provider, { a: 1 });
  provider.behaviours.set("a", answers(401));
  for (let n = 0; n < 3; n++) expect((await chat(gateway)).status).toBe(502);
  expect((await views(gateway))["a"]).toMatchObject({ state: "rejected", share: 0 });
  await Bun.sleep(3_000);
  provider.behaviours.delete("a");
  expect((await chat(gateway)).status).toBe(200);
  expect([provider.count("a"), provider.probes]).toEqual([4, 0]);
  expect((await views(gateway))["a"]).toMatchObject({ state: "ready", share: 1 });
});

describe("where the provider keeps state", () => {
  test("a user's files go with one credential", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    for (let n = 0; n < 10; n++) await chat(gateway, {}, "/files");
    await get(gateway, "/files");
    expect(new Set(provider.log.map(({ name }) => name)).size).toBe(1);
  });

  test("what was made with a credential is found with it, by path or by reference", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    for (let n = 0; n < 6; n++) {
      const { id } = (await (await chat(gateway, {}, "/responses")).json()) as { id: string };
      const made = provider.log.at(-1)?.name;
      await chat(gateway, { previous_response_id: id }, "/responses");
      await get(gateway, `/responses/${id}`);
      await get(gateway, `/responses/${id}/input_items`);
      expect(provider.log.slice(-3).map(({ name }) => name)).toEqual([made, made, made] as string[]);
    }
    // Whose answer nobody comes back to is served by any.
    expect(new Set(provider.log.map(({ name }) => name)).size).toBe(3);
  });

  test("what was made by another credential before is looked for", async () => {
    await using provider = await new Provider().start();
    await using gateway = await behind(provider, equal);
    // Nobody here has made them.
    await gateway.api("PUT", "/policies/organisation", { sharing: "all" });
    for (const name of Object.keys(equal)) {
      provider.behaviours.clear();
      for (const other of Object.keys(equal))
        if (other !== name) provider.behaviours.set(other, answers(404));
      expect((await get(gateway, "/files/file-made-long-ago")).status).toBe(200);
    }
    for (const name of Object.keys(equal)) provider.behaviours.set(name, answers(404));
    const response = await get(gateway, "/files/file-of-nobody");
    expect([response.status, await response.text()]).toEqual([404, '{"error":{"message":"no: 404"}}']);
  });
});

/** All records of a gateway that has stopped. */
function recordsOf(gateway: Gateway): LedgerRecord[] {
  using database = new Database(join(gateway.dataDir, "llamakey.db"), { readonly: true });
  const blocks = database.query<{ text: string }, []>("SELECT text FROM ledger_blocks ORDER BY seq").all();
  return blocks.flatMap(({ text }) => parseRecords(text));
}

test("every attempt has a hold of its own, and only the one that was served costs anything", async () => {
  await using provider = await new Provider().start();
  await using gateway = await behind(provider, equal);
  await gateway.api("PUT", "/budgets", {
    scope: "organisation",
    name: "all",
    amount: "100",
    per: "total",
  });
  provider.behaviours.set("a", answers(401));
  provider.behaviours.set("b", answers(429, { "retry-after": "1" }));
  for (let n = 0; n < 20; n++) {
    const response = await chat(gateway, { model: "gpt-4o", max_tokens: 10 });
    expect(response.status).toBe(200);
    await response.bytes();
  }
  await gateway.stop();
  const records = recordsOf(gateway);
  const holds = records.filter((one) => one.kind === "hold").map(({ hold }) => hold);
  const ends = records.filter((one) => one.kind === "end").map(({ entry }) => entry);
  // What the provider saw is what the ledger has, one hold an attempt, each ended once.
  expect(holds.length).toBe(provider.log.length);
  expect(holds.length).toBeGreaterThan(20);
  expect(ends.map(({ holdId }) => holdId).toSorted()).toEqual(holds.map(({ id }) => id).toSorted());
  const attempts = new Set(holds.map(({ requestId, attempt }) => `${requestId} ${attempt}`));
  expect(attempts.size).toBe(holds.length);
  expect(holds.every(({ accounts }) => accounts.length === 1)).toBe(true);
  const cost = ends.filter(({ amount }) => amount !== 0n);
  expect(cost.length).toBe(20);
  expect(provider.billed).toBe(20);
  expect(new Set(cost.map(({ kind, evidence }) => `${kind} ${evidence}`))).toEqual(
    new Set(["settled reported"]),
  );
});
