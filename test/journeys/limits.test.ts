import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { LimitedScope } from "../../src/domain/limits.ts";
import type { Limits } from "../../src/domain/policy.ts";
import { startGateway } from "../support/gateway.ts";
import { startLimitedGateway } from "../support/limited-gateway.ts";
import { poll } from "../support/poll.ts";
import { serveRecorded } from "../support/record.ts";

/** Answers when a test lets it, in OpenAI's and Anthropic's shape at once, and counts what it has. */
const provider = { seen: 0, running: 0, most: 0, tokens: 10, status: 200, gate: Promise.resolve() };
const server = await serveRecorded({
  async fetch(request) {
    provider.seen++;
    provider.running++;
    provider.most = Math.max(provider.most, provider.running);
    await request.bytes();
    await provider.gate;
    provider.running--;
    const { status, tokens } = provider;
    if (status !== 200) return Response.json({ error: { message: "no" } }, { status });
    return Response.json(
      {
        id: "x",
        type: "message",
        role: "assistant",
        content: [{ type: "text", text: "Hello" }],
        choices: [{ index: 0, message: { role: "assistant", content: "Hello" } }],
        usage: { prompt_tokens: 0, completion_tokens: tokens, input_tokens: 0, output_tokens: tokens },
      },
      { headers: { "x-ratelimit-remaining-requests": "4999" } },
    );
  },
});
const gateway = startLimitedGateway({
  openai: `${server.origin}/v1`,
  anthropic: await server.another(),
  huggingface: await server.another(),
  cohere: await server.another(),
});

beforeEach(() => {
  gateway.rows.length = 0;
  Object.assign(provider, { seen: 0, running: 0, most: 0, tokens: 10, status: 200, gate: Promise.resolve() });
});

let scopes = 0;

/** A scope that nothing was counted of yet. */
function fresh(limits: Limits): LimitedScope {
  scopes++;
  return { id: `key:${scopes}`, label: `key laptop (${scopes})`, limits };
}

function ask(path = "/openai/v1/chat/completions", signal?: AbortSignal): Promise<Response> {
  return fetch(gateway.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
    // A model of its own: how long its answers are is learnt.
    body: JSON.stringify({ model: `m${scopes}`, messages: [] }),
    ...(signal === undefined ? {} : { signal }),
  });
}

const statuses = async (calls: Promise<Response>[]) => (await Promise.all(calls)).map(({ status }) => status);
const count = (all: readonly number[], status: number) => all.filter((one) => one === status).length;

describe("requests per minute", () => {
  test("of 200 calls at once 50 pass", async () => {
    gateway.limits = [fresh({ requestsPerMinute: 50 })];
    const all = await statuses(Array.from({ length: 200 }, () => ask()));
    expect([count(all, 200), count(all, 429), provider.seen]).toEqual([50, 150, 50]);
  });

  test("a refused call counts nowhere", async () => {
    const wide = fresh({ requestsPerMinute: 3 });
    gateway.limits = [wide, fresh({ requestsPerMinute: 1 })];
    // What is asked at once need not come in that order.
    expect((await statuses([ask(), ask(), ask(), ask(), ask()])).sort()).toEqual([200, 429, 429, 429, 429]);
    gateway.limits = [wide];
    expect((await statuses([ask(), ask(), ask()])).sort()).toEqual([200, 200, 429]);
  });

  test("the refusal says whose limit it is, which, and when to come again", async () => {
    gateway.limits = [fresh({ requestsPerMinute: 1 })];
    const passed = await ask();
    // What the provider says of its own limits stays as it is.
    expect(passed.headers.get("x-ratelimit-remaining-requests")).toBe("4999");
    expect(passed.headers.has("retry-after")).toBe(false);
    const refused = await ask();
    const body = (await refused.json()) as { error: { message: string; code: string } };
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-llamakey-refusal")).toBe("rate_limited");
    expect(refused.headers.has("x-should-retry")).toBe(false);
    expect(body.error.code).toBe("rate_limited");
    expect(body.error.message).toMatch(
      /^The limit of key laptop \(\d+\) is 1 requests per minute, of which 0 are left now; try again in \d+ s, or ask your administrator for more\.$/,
    );
    const seconds = Number(refused.headers.get("retry-after"));
    const ms = Number(refused.headers.get("retry-after-ms"));
    expect(seconds).toBe(Math.ceil(ms / 1000));
    expect(ms).toBeGreaterThan(55_000);
    expect(ms).toBeLessThanOrEqual(60_000);
    expect(refused.headers.get("x-ratelimit-limit-requests")).toBe("1");
    expect(refused.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(refused.headers.get("x-ratelimit-reset-requests")).toBe(`${ms / 1000}s`);
  });

  test("each provider's SDKs are told in the headers that they read", async () => {
    gateway.limits = [fresh({ requestsPerMinute: 0 })];
    const headersOf = async (path: string) => {
      const { status, headers } = await ask(path);
      expect([path, status, headers.get("retry-after")]).toEqual([path, 429, "60"]);
      return headers;
    };
    const anthropic = await headersOf("/anthropic/v1/messages");
    expect(anthropic.get("anthropic-ratelimit-requests-limit")).toBe("0");
    expect(anthropic.get("anthropic-ratelimit-requests-remaining")).toBe("0");
    const reset = Date.parse(anthropic.get("anthropic-ratelimit-requests-reset") ?? "");
    expect(Math.abs(reset - Date.now() - 60_000)).toBeLessThan(10_000);
    const huggingface = await headersOf("/huggingface/v1/chat/completions");
    expect(huggingface.get("ratelimit")).toBe('"requests";r=0;t=60');
    expect(huggingface.get("ratelimit-policy")).toBe('"sliding window";"requests";q=0;w=60');
    const cohere = await headersOf("/cohere/v2/chat");
    expect(Math.abs(Number(cohere.get("x-ratelimit-reset")) - Date.now() / 1000 - 60)).toBeLessThan(10);
  });
});

describe("concurrent requests", () => {
  test("never more than allowed are at the provider, and every end gives its place back", async () => {
    gateway.limits = [fresh({ concurrentRequests: 8 })];
    for (let round = 0; round < 5; round++) {
      const open = Promise.withResolvers<void>();
      provider.gate = open.promise;
      const asked = Array.from({ length: 40 }, () => ask());
      await poll("8 calls at the provider", () => (provider.running === 8 ? true : undefined));
      await poll("32 refusals", () => (gateway.rows.length === 32 + round * 40 ? true : undefined));
      open.resolve();
      const all = await statuses(asked);
      expect([count(all, 200), count(all, 429)]).toEqual([8, 32]);
    }
    expect(provider.most).toBe(8);
  });

  test("a place is given back by failures, by clients that leave, and before they are answered", async () => {
    gateway.limits = [fresh({ concurrentRequests: 1 })];
    provider.status = 500;
    expect((await ask()).status).toBe(500);
    provider.status = 200;
    const open = Promise.withResolvers<void>();
    provider.gate = open.promise;
    const client = new AbortController();
    const left = ask("/openai/v1/chat/completions", client.signal).catch(() => "left");
    await poll("the call at the provider", () => (provider.running === 1 ? true : undefined));
    expect((await ask()).status).toBe(429);
    client.abort();
    expect(await left).toBe("left");
    open.resolve();
    await poll("a call that passes", async () => ((await ask()).status === 200 ? true : undefined));
  });

  test("a client that leaves while it sends holds nothing", async () => {
    gateway.limits = [fresh({ concurrentRequests: 1 })];
    for (let n = 0; n < 5; n++) {
      const socket = await Bun.connect({
        hostname: "127.0.0.1",
        port: Number(new URL(gateway.url).port),
        socket: { data() {} },
      });
      socket.write(
        `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"model"`,
      );
      await Bun.sleep(20);
      socket.terminate();
    }
    await poll("5 rows", () => (gateway.rows.length >= 5 ? true : undefined));
    expect((await ask()).status).toBe(200);
  });
});

describe("tokens per minute", () => {
  test("what a call really used counts, and what failed counts nothing", async () => {
    gateway.limits = [fresh({ tokensPerMinute: 1000 })];
    provider.status = 500;
    for (let n = 0; n < 5; n++) expect((await ask()).status).toBe(500);
    provider.status = 200;
    provider.tokens = 400;
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(200);
    // 800 are gone; the next is taken for as long as the last ones.
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-ratelimit-limit-tokens")).toBe("1000");
    expect(refused.headers.get("x-ratelimit-remaining-tokens")).toBe("200");
  });

  test("calls that use none pass", async () => {
    gateway.limits = [fresh({ tokensPerMinute: 0 })];
    expect((await ask()).status).toBe(429);
    const headers = { authorization: `Bearer ${gateway.key}` };
    expect((await fetch(`${gateway.url}/openai/v1/models`, { headers })).status).toBe(200);
  });
});

describe("an SDK that is refused", () => {
  // A minute is long for a test: the limit is lifted while the SDK waits, which was told to wait for a second.
  const waits = { concurrentRequests: 1 };
  let release: () => void;

  async function occupied(): Promise<void> {
    const open = Promise.withResolvers<void>();
    provider.gate = open.promise;
    release = open.resolve;
    gateway.limits = [fresh(waits)];
    void ask().then((response) => response.text());
    await poll("the call that is in the way", () => (provider.running === 1 ? true : undefined));
  }

  afterEach(() => release());

  const sdks = {
    openai: () =>
      new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/openai/v1` }).chat.completions.create({
        model: "m",
        messages: [],
      }),
    anthropic: () =>
      new Anthropic({ apiKey: gateway.key, baseURL: `${gateway.url}/anthropic` }).messages.create({
        model: "m",
        max_tokens: 10,
        messages: [],
      }),
  };
  for (const [name, call] of Object.entries(sdks)) {
    test(`${name} waits as long as it is told, and succeeds`, async () => {
      await occupied();
      const startedAt = performance.now();
      const answer = call();
      await poll("the refusal", () => (gateway.rows.length > 0 ? true : undefined));
      release();
      expect(JSON.stringify(await answer)).toContain("Hello");
      expect(performance.now() - startedAt).toBeGreaterThan(950);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      const mine = gateway.rows.map(({ status, refusal }) => [status, refusal]);
      expect(mine).toContainEqual([429, "rate_limited"]);
      expect(
        count(
          mine.map(([status]) => status as number),
          429,
        ),
      ).toBe(1);
    });
  }
});

test("an administrator's limits are in force at once, keep what was counted when they change, and can be tried out", async () => {
  await using real = await startGateway({
    env: { OPENAI_API_KEY: "sk-test-fake-limits-0123456789", LMK_OPENAI_UPSTREAM: `${server.origin}/v1` },
  });
  const passed = async (calls: number) => {
    const body = JSON.stringify({ model: "m", messages: [] });
    const headers = { ...real.bearer, "content-type": "application/json" };
    const url = `${real.url}/openai/v1/chat/completions`;
    const asked = Array.from({ length: calls }, () => fetch(url, { method: "POST", headers, body }));
    return count(await statuses(asked), 200);
  };
  const limit = (requestsPerMinute: number, shadow = false) =>
    real.api("PUT", "/policies/group:default", { limits: { requestsPerMinute }, shadow });
  await limit(50);
  expect(await passed(200)).toBe(50);
  expect(provider.seen).toBe(50);
  await limit(60);
  expect(await passed(100)).toBe(10);
  await limit(1, true);
  expect(await passed(5)).toBe(5);
  const shadowed = await poll("5 rows in the shadow", async () => {
    const rows = (await real.requests()) as unknown as { shadowRefusal: string | null }[];
    const found = rows.filter(({ shadowRefusal }) => shadowRefusal !== null);
    return found.length === 5 ? found : undefined;
  });
  expect(shadowed[0]?.shadowRefusal).toBe("group default: rate_limited");
  expect(
    (await real.rowsOf("first-user", 305)).filter(({ refusal }) => refusal === "rate_limited").length,
  ).toBe(240);
});
