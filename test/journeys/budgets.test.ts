/** Budgets as users and administrators meet them, with a provider that takes exactly one cent for a call. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";
import { serveRecorded } from "../support/record.ts";

/** $1.25 and $10 for a million: 8 and 999 tokens are one cent. */
const ONE_CENT = { prompt_tokens: 8, completion_tokens: 999, total_tokens: 1007 };

interface Provider {
  readonly base: string;
  /** The bodies that it was sent. */
  readonly bodies: Record<string, unknown>[];
  /** How long it takes for a call, milliseconds. */
  delayMs: number;
  /** What it waits for besides. */
  gate: Promise<void>;
}

async function startProvider(): Promise<Provider> {
  const { origin } = await serveRecorded({
    async fetch(request) {
      if (request.method === "GET") return Response.json({ data: [] });
      const text = await request.text();
      expect(Number(request.headers.get("content-length"))).toBe(Buffer.byteLength(text));
      const body = JSON.parse(text) as Record<string, unknown>;
      provider.bodies.push(body);
      await Promise.all([Bun.sleep(provider.delayMs), provider.gate]);
      const message = { role: "assistant", content: "fine" };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      return Response.json({
        id: "c",
        object: "chat.completion",
        model: body["model"],
        choices,
        usage: ONE_CENT,
      });
    },
  });
  const provider: Provider = { base: `${origin}/v1`, bodies: [], delayMs: 0, gate: Promise.resolve() };
  return provider;
}

let provider: Provider;
let gateway: Gateway;
let users = 0;

beforeAll(async () => {
  provider = await startProvider();
  gateway = await startGateway({
    env: { OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789", LMK_OPENAI_UPSTREAM: provider.base },
  });
});
afterAll(() => gateway.end());

interface User {
  name: string;
  secret: string;
}

async function userWith(amount: string, change: Record<string, unknown> = {}): Promise<User> {
  const name = `user${users++}`;
  const { secret } = await gateway.addUser(name);
  await setBudget(`user:${name}`, amount, change);
  return { name, secret };
}

function setBudget(scope: string, amount: string, change: Record<string, unknown> = {}) {
  return gateway.api("PUT", "/budgets", { scope, name: "month", amount, per: "month", ...change });
}

function ask(user: User, body: Record<string, unknown> = {}, path = "/chat/completions"): Promise<Response> {
  return fetch(`${gateway.url}/openai/v1${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${user.secret}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: "hello" }], ...body }),
  });
}

/** What the user's calls came to, once there are at least so many. */
function usageOf({ name }: User, count: number): Promise<{ requests: number; costNanos: string }> {
  return poll(`${count} calls of ${name}`, async () => {
    const path = `/usage?user=${name}`;
    const { total } = await gateway.api<{ total: { requests: number; costNanos: string } }>("GET", path);
    return total.requests >= count ? total : undefined;
  });
}

async function refusal(response: Response): Promise<[status: number, code: string | null, message: string]> {
  const { error } = (await response.json()) as { error: { message: string } };
  return [response.status, response.headers.get("x-llamakey-refusal"), error.message];
}

describe("a budget of $5 and calls that could cost $1.28 but cost a cent", () => {
  test("8 at once without max_tokens all succeed; 10,000 more end where the budget does", async () => {
    provider.delayMs = 300;
    const user = await userWith("5");
    const first = await Promise.all(Array.from({ length: 8 }, () => ask(user)));
    expect(first.map(({ status }) => status)).toEqual(Array(8).fill(200));
    // Nothing was written into them: there was room for their whole ceiling, one after another.
    expect(first.map(({ headers }) => headers.get("x-llamakey-output-cap"))).toEqual(Array(8).fill(null));

    provider.delayMs = 0;
    const statuses: Record<number, number> = {};
    let left = 10_000;
    let lastCap = Number.POSITIVE_INFINITY;
    const worker = async () => {
      while (left-- > 0) {
        const response = await ask(user);
        await response.bytes();
        statuses[response.status] = (statuses[response.status] ?? 0) + 1;
        const cap = response.headers.get("x-llamakey-output-cap");
        if (cap !== null) lastCap = Math.min(lastCap, Number(cap));
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    // Calls are made as long as the least useful answer fits: 1,024 tokens, just over a cent.
    expect(statuses).toEqual({ 200: 491, 402: 9509 });
    const { requests, costNanos } = await usageOf(user, 10_008);
    expect({ requests, costNanos }).toEqual({ requests: 10_008, costNanos: "4990000000" });
    expect(lastCap).toBeGreaterThanOrEqual(1024);
    expect(lastCap).toBeLessThan(2100);

    const [status, code, message] = await refusal(await ask(user));
    expect([status, code]).toEqual([402, "budget_exhausted"]);
    expect(message).toContain(`The budget "month" of user ${user.name} has $0.01 left until 2`);
  }, 120_000);
});

describe("what does not fit", () => {
  test("is capped so that it fits, unless a policy forbids it or the client has a cap", async () => {
    const user = await userWith("0.5");
    provider.bodies.length = 0;
    const capped = await ask(user);
    expect(capped.status).toBe(200);
    const cap = Number(capped.headers.get("x-llamakey-output-cap"));
    expect(provider.bodies[0]?.["max_completion_tokens"]).toBe(cap);
    expect(cap).toBeGreaterThan(45_000);
    expect(cap).toBeLessThan(50_000);

    const asked = await ask(user, { max_completion_tokens: 60_000 });
    const [status, code, message] = await refusal(asked);
    expect([status, code]).toEqual([402, "budget_exhausted"]);
    expect(asked.headers.get("x-should-retry")).toBe("false");
    const fits = Number(/With at most (\d+) output tokens/.exec(message)?.[1]);
    expect((await ask(user, { max_completion_tokens: fits + 1 })).status).toBe(402);
    expect((await ask(user, { max_completion_tokens: fits })).status).toBe(200);

    // Its own cap is lowered only where a policy says so, wherever it stands, and never below what is of use.
    await gateway.api("PUT", `/policies/user:${user.name}`, { lowerCaps: true });
    provider.bodies.length = 0;
    const lowered = await ask(user, { max_completion_tokens: 60_000, max_tokens: 70_000 });
    expect(lowered.status).toBe(200);
    const lower = Number(lowered.headers.get("x-llamakey-output-cap"));
    expect(lower).toBeGreaterThan(1024);
    expect(lower).toBeLessThanOrEqual(fits);
    expect(provider.bodies[0]).toMatchObject({ max_completion_tokens: lower, max_tokens: lower });
    const fitting = await ask(user, { max_completion_tokens: 2000 });
    expect([fitting.status, fitting.headers.get("x-llamakey-output-cap")]).toEqual([200, null]);
    await gateway.api("PUT", "/policies/group:default", { lowerCaps: false });
    expect((await ask(user, { max_completion_tokens: 60_000 })).status).toBe(402);
    await gateway.api("DELETE", "/policies/group:default");

    await gateway.api("PUT", `/policies/user:${user.name}`, { capOutput: false });
    expect((await refusal(await ask(user)))[1]).toBe("budget_exhausted");
  });

  test("waits while only calls under way are in the way, and is told to come again after 5 s", async () => {
    const user = await userWith("0.035");
    provider.delayMs = 400;
    const body = { max_completion_tokens: 2000 };
    const startedAt = performance.now();
    const both = await Promise.all([ask(user, body), ask(user, body)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(performance.now() - startedAt).toBeGreaterThan(750);

    const other = await userWith("0.035");
    provider.delayMs = 0;
    const open = Promise.withResolvers<void>();
    provider.gate = open.promise;
    provider.bodies.length = 0;
    const long = ask(other, body);
    await poll("the call that is in the way", () => provider.bodies[0]);
    const late = await ask(other, body);
    expect(late.status).toBe(429);
    expect(late.headers.get("x-llamakey-refusal")).toBe("budget_busy");
    expect(late.headers.get("retry-after")).toBe("2");
    open.resolve();
    expect((await long).status).toBe(200);
  });

  test("is refused by the strictest of all scopes, and takes nothing from the others", async () => {
    const user = await userWith("1");
    await setBudget("organisation", "0.000001", { name: "org", provider: "openai" });
    try {
      const [status, , message] = await refusal(await ask(user));
      expect(status).toBe(402);
      expect(message).toContain('The budget "org" of the organisation has');
    } finally {
      const { items } = await gateway.api<{ items: { id: string }[] }>("GET", "/budgets?scope=organisation");
      for (const { id } of items) await gateway.api("DELETE", `/budgets/${id}`);
    }
    // In force at once, and the user's own budget is as it was.
    expect((await ask(user, { max_completion_tokens: 99_000 })).status).toBe(200);
  });
});

describe("under a budget", () => {
  test("what has no price is refused, with the line that gives it one", async () => {
    const user = await userWith("1");
    const [status, code, message] = await refusal(await ask(user, { model: "gpt-of-tomorrow" }));
    expect([status, code]).toEqual([402, "unpriced"]);
    expect(message).toContain("lmk prices set openai gpt-of-tomorrow");
    expect((await refusal(await ask(user, {}, "/something/new")))[1]).toBe("unpriced");
  });

  test("what costs nothing passes, be it used up", async () => {
    const user = await userWith("0.000000001");
    const headers = { authorization: `Bearer ${user.secret}` };
    expect((await fetch(`${gateway.url}/openai/v1/models`, { headers })).status).toBe(200);
    expect((await ask(user)).status).toBe(402);
  });

  test("work that is paid for later needs the policy's permission", async () => {
    const user = await userWith("1");
    expect((await refusal(await ask(user, { endpoint: "/v1/chat/completions" }, "/batches")))[1]).toBe(
      "unpriced",
    );
    await gateway.api("PUT", `/policies/user:${user.name}`, { deferred: true });
    expect((await ask(user, { endpoint: "/v1/chat/completions" }, "/batches")).status).toBe(200);
  });

  test("only calls of the provider and the model that it is narrowed to count", async () => {
    const spent = async ({ name }: User) => {
      const { items } = await gateway.api<{ items: { name: string; posted: string }[] }>(
        "GET",
        `/budgets?scope=user:${name}`,
      );
      return Object.fromEntries(items.map((item) => [item.name, item.posted]));
    };
    const user = await userWith("10");
    await setBudget(`user:${user.name}`, "0.5", { name: "minis", model: "gpt-5-mini*" });
    await setBudget(`user:${user.name}`, "10", { name: "claudes", provider: "anthropic" });
    await setBudget(`user:${user.name}`, "10", { name: "openais", provider: "openai" });
    const body = { max_completion_tokens: 2000 };
    expect((await ask(user, body)).status).toBe(200);
    await usageOf(user, 1);
    expect(await spent(user)).toEqual({ month: "0.01", minis: "0.00", claudes: "0.00", openais: "0.01" });
    expect((await ask(user, { ...body, model: "gpt-5-mini" })).status).toBe(200);
    await usageOf(user, 2);
    expect(await spent(user)).toEqual({ month: "0.012", minis: "0.002", claudes: "0.00", openais: "0.012" });
    // What is refused by the narrow one passes with another model.
    await setBudget(`user:${user.name}`, "0.000001", { name: "minis", model: "gpt-5-mini*" });
    expect((await refusal(await ask(user, { ...body, model: "gpt-5-mini" })))[2]).toContain('"minis"');
    expect((await ask(user, body)).status).toBe(200);
  });

  test("its days are those of the organisation's time zone, from the moment that this is set", async () => {
    const user = await userWith("1", { per: "day" });
    const end = async (timeZone: string) => {
      await gateway.api("PATCH", "/settings", { timeZone });
      const path = `/budgets?scope=user:${user.name}`;
      const { items } = await gateway.api<{ items: { periodEnd: string }[] }>("GET", path);
      return Date.parse(items[0]?.periodEnd ?? "");
    };
    const nextMidnight = (hoursAhead: number) => {
      const day = 86_400_000;
      const ahead = hoursAhead * 3_600_000;
      return (Math.floor((Date.now() + ahead) / day) + 1) * day - ahead;
    };
    // Whichever it was while the gateway was asked.
    const among = async (zone: string, hoursAhead: number) => {
      const before = nextMidnight(hoursAhead);
      expect(await end(zone)).toBeOneOf([before, nextMidnight(hoursAhead)]);
    };
    for (const [zone, hoursAhead] of [
      ["UTC", 0],
      ["Pacific/Kiritimati", 14],
      ["Asia/Kolkata", 5.5],
      ["UTC", 0],
    ] as const)
      await among(zone, hoursAhead);
  });

  test("in shadow mode everything passes, and what would have been refused is noted", async () => {
    const user = await userWith("0.001", { shadow: true });
    expect((await ask(user)).status).toBe(200);
    expect((await ask(user, { model: "gpt-of-tomorrow" })).status).toBe(200);
    const [first] = await gateway.rowsOf(user.name, 2);
    expect(JSON.stringify(first)).toContain("budget_exhausted");
  });

  test("what was spent is still spent after a restart, and a budget that changes keeps it", async () => {
    const user = await userWith("0.05");
    const body = { max_completion_tokens: 1500 };
    for (let call = 0; call < 3; call++) expect((await ask(user, body)).status).toBe(200);
    await gateway.restart();
    expect((await ask(user, body)).status).toBe(200);
    expect((await ask(user, body)).status).toBe(402);
    await setBudget(`user:${user.name}`, "0.06");
    expect((await ask(user, body)).status).toBe(200);
    expect((await ask(user, body)).status).toBe(402);
  });
});
