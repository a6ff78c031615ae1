/** An administrator decides what calls may do, and the next call is held to it. */
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { root, startGateway } from "../support/gateway.ts";
import { serveRecorded } from "../support/record.ts";

let asked = 0;
const upstream = await serveRecorded({
  async fetch(request) {
    asked++;
    await request.arrayBuffer();
    return Response.json({ id: "c", object: "chat.completion", model: "m", choices: [] });
  },
});

const base = upstream.origin;
const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: "sk-test-fake-policies-0123456789",
    LMK_OPENAI_UPSTREAM: `${base}/v1`,
    GEMINI_API_KEY: "fake-gemini-policies-0123456789",
    LMK_GEMINI_UPSTREAM: await upstream.another(),
    LMK_SERVER_LAB: `${await upstream.another()}/v1`,
    // The tests are a proxy that everybody comes through.
    LMK_TRUSTED_PROXIES: "127.0.0.0/8",
  },
});
await gateway.api("POST", "/groups", { name: "research" });
const alice = await gateway.addUser("alice", "research");
const bob = await gateway.addUser("bob");

interface Asked {
  secret?: string;
  method?: string;
  path?: string;
  model?: string | null;
  from?: string;
}

async function call({ secret = alice.secret, method = "POST", path, model = "gpt-5", from }: Asked = {}) {
  const before = asked;
  const response = await fetch(`${gateway.url}${path ?? "/openai/v1/chat/completions"}`, {
    method,
    headers: {
      authorization: `Bearer ${secret}`,
      "content-type": "application/json",
      ...(from !== undefined && { "x-forwarded-for": from }),
    },
    ...(method === "POST" && { body: JSON.stringify(model === null ? {} : { model }) }),
  });
  const text = await response.text();
  const refusal = response.headers.get("x-llamakey-refusal");
  // Refused is not sent.
  expect(asked).toBe(refusal === null ? before + 1 : before);
  const requestId = response.headers.get("x-llamakey-request-id");
  return { status: response.status, refusal, text, requestId };
}

const outcome = async (given: Asked = {}) => (await call(given)).refusal ?? "passed";

async function lmk(args: readonly string[], stdin?: string) {
  const child = Bun.spawn(
    [process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`, ...args],
    {
      cwd: gateway.cwd,
      env: { PATH: process.env["PATH"] ?? "", LMK_URL: gateway.url },
      stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

const apply = (document: unknown, options: object = {}) =>
  gateway.api<{ items: { scope: string; changes: { field: string }[] }[]; warnings: string[] }>(
    "POST",
    "/policies/apply",
    { document, ...options },
  );
const exported = () => gateway.api("GET", "/policies/export");

afterEach(async () => {
  await apply({}, { prune: true });
  expect(await exported()).toEqual({});
});

describe("a policy is in force with the next call", () => {
  const scopes = ["organisation", "group:research", "user:alice", `key:${alice.key.id}`];
  for (const scope of scopes) {
    test(`of ${scope.replace(/key:.*/, "a key")}`, async () => {
      expect(await outcome()).toBe("passed");
      await gateway.api("PUT", `/policies/${encodeURIComponent(scope)}`, { models: ["gpt-4*"] });
      expect(await outcome()).toBe("model_not_allowed");
      expect(await outcome({ model: "gpt-4o" })).toBe("passed");
      expect(await outcome({ secret: bob.secret })).toBe(
        scope === "organisation" ? "model_not_allowed" : "passed",
      );
      await gateway.api("DELETE", `/policies/${encodeURIComponent(scope)}`);
      expect(await outcome()).toBe("passed");
    });
  }

  test("and says who refused, and what is allowed", async () => {
    await gateway.api("PUT", "/policies/group:research", { models: ["gpt-4*"] });
    const refused = await call();
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("Group research allows only the model gpt-4*; ask your administrator.");
    expect((await gateway.requestRow(refused.requestId)).refusal).toBe("model_not_allowed");
  });

  test("each question by itself, the model only once it is known", async () => {
    const set = (policy: object) => gateway.api("PUT", "/policies/user:alice", policy);
    await gateway.api("POST", "/objects/assign", {
      provider: "openai",
      kind: "file",
      id: "f_1",
      user: "alice",
    });
    await set({ providers: ["lab"] });
    expect(await outcome()).toBe("provider_not_allowed");
    expect(await outcome({ path: "/lab/v1/chat/completions" })).toBe("passed");
    await set({ endpoints: ["POST /openai/v1/chat/completions", "GET /openai/files/**"] });
    expect(await outcome()).toBe("passed");
    expect(await outcome({ path: "/openai/chat/completions" })).toBe("passed");
    expect(await outcome({ path: "/openai/v1/embeddings" })).toBe("endpoint_not_allowed");
    expect(await outcome({ method: "GET", path: "/openai/v1/files/f_1/content" })).toBe("passed");
    expect(await outcome({ method: "DELETE", path: "/openai/v1/files/f_1" })).toBe("endpoint_not_allowed");
    expect(await outcome({ path: "/openai/v1/chat/completions;x=1" })).toBe("endpoint_not_allowed");
    await set({ models: ["gpt-5*", "gemini-2.5-*"] });
    expect(await outcome({ model: null })).toBe("model_not_allowed");
    expect(await outcome({ method: "GET", path: "/openai/v1/models" })).toBe("passed");
    // What a batch asks which model for stands elsewhere, whatever it names itself; a new endpoint may ask any.
    expect(await outcome({ path: "/openai/v1/batches", model: null })).toBe("model_not_allowed");
    expect(await outcome({ path: "/openai/v1/batches", model: "gpt-5" })).toBe("model_not_allowed");
    expect(await outcome({ path: "/openai/v1/evals/e/runs", model: "gpt-5" })).toBe("model_not_allowed");
    expect(await outcome({ path: "/openai/v1/something/new", model: null })).toBe("model_not_allowed");
    expect(await outcome({ path: "/openai/v1/something/new", model: "gpt-5" })).toBe("passed");
    expect(await outcome({ path: "/openai/v1/vector_stores", model: null })).toBe("passed");
    const generate = (model: string) => ({
      path: `/gemini/v1beta/models/${model}:generateContent`,
      model: null,
    });
    expect(await outcome(generate("gemini-2.5-pro"))).toBe("passed");
    expect(await outcome(generate("gemini-1.5-pro"))).toBe("model_not_allowed");
    await set({ expiresAt: new Date(Date.now() - 1000).toISOString() });
    expect(await outcome()).toBe("expired_key");
  });

  test("networks, as the trusted proxy says; the log has the caller's address", async () => {
    await gateway.api("PUT", "/policies/user:alice", { networks: ["198.51.100.0/24", "2001:db8::/32"] });
    expect(await outcome()).toBe("network_not_allowed");
    expect(await outcome({ from: "203.0.113.9" })).toBe("network_not_allowed");
    expect(await outcome({ from: "198.51.100.7, 203.0.113.9" })).toBe("network_not_allowed");
    expect(await outcome({ from: "2001:db8::7" })).toBe("passed");
    const passed = await call({ from: "203.0.113.9, 198.51.100.7" });
    expect(passed.refusal).toBeNull();
    expect((await gateway.requestRow(passed.requestId)).address).toBe("198.51.100.7");
  });

  test("a body is not waited for where the call may not be made anyway", async () => {
    await gateway.api("PUT", "/policies/user:alice", { providers: ["lab"] });
    const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("{")) });
    const response = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${alice.secret}`, "content-type": "application/json" },
      body,
    });
    expect(response.headers.get("x-llamakey-refusal")).toBe("provider_not_allowed");
  });

  test("a new name of the group is the one that refusals name", async () => {
    await gateway.api("PUT", "/policies/group:research", { models: ["gpt-4*"] });
    await gateway.api("PATCH", "/groups/research", { name: "lab-team" });
    expect((await call()).text).toContain("Group lab-team allows only");
    await gateway.api("PATCH", "/groups/lab-team", { name: "research" });
  });

  test("and survives a restart", async () => {
    await gateway.api("PUT", "/policies/group:research", { models: ["gpt-4*"] });
    await gateway.restart();
    expect(await outcome()).toBe("model_not_allowed");
  });
});

test("shadow mode refuses nothing, and the log says what it would have refused", async () => {
  await gateway.api("PUT", "/policies/group:research", {
    models: ["gpt-4*"],
    networks: ["192.0.2.0/24"],
    shadow: true,
  });
  const passed = await call();
  expect(passed.refusal).toBeNull();
  const row = await gateway.requestRow(passed.requestId);
  const shadowRefusal = "group research: network_not_allowed; group research: model_not_allowed";
  expect(row).toMatchObject({ refusal: null, shadowRefusal });
  const found = await gateway.api<{ items: unknown[] }>("GET", "/requests?shadowRefusal=model_not_allowed");
  expect(found.items).toHaveLength(1);
  expect((await lmk(["logs", "--shadow-refusal", "model_not_allowed"])).out).toContain(
    `shadow: ${shadowRefusal}`,
  );
});

describe("explain says what a real call meets", () => {
  const explain = (described: object) =>
    gateway.api<{ allowed: boolean; refusal: { code: string; by: string } | null; answers: unknown[] }>(
      "POST",
      "/policies/explain",
      { user: "alice", provider: "openai", path: "/v1/chat/completions", ...described },
    );

  test("and which scope decides", async () => {
    await apply({
      organisation: { models: ["gpt-*"], budgets: [{ name: "all", amount: 100 }] },
      groups: { research: { models: ["gpt-4*"], limits: { requestsPerMinute: 5 } } },
      users: { alice: { networks: ["192.0.2.0/24"], shadow: true } },
    });
    const found = await explain({ body: { model: "gpt-5" }, address: "198.51.100.1" });
    expect(found).toMatchObject({
      allowed: false,
      refusal: { code: "model_not_allowed", by: "group research" },
      endpoint: "/chat/completions",
      model: "gpt-5",
      answers: [
        { question: "network_not_allowed", scope: "user alice", verdict: "would refuse" },
        { question: "model_not_allowed", scope: "the organisation", verdict: "allows" },
        { question: "model_not_allowed", scope: "group research", verdict: "refuses" },
      ],
      budgets: [{ scope: "the organisation", name: "all", amount: "100.00", per: "month" }],
      limits: [{ scope: "group research", limits: { requestsPerMinute: 5 } }],
    });
    expect((await call()).refusal).toBe("model_not_allowed");
    const { out, code } = await lmk([
      ...["policy", "explain", "POST", "/openai/v1/chat/completions"],
      ...["--user", "alice", "--model", "gpt-5"],
    ]);
    expect([code, out]).toEqual([0, expect.stringContaining("refused: model_not_allowed")]);
  });

  test("also of what the gateway itself refuses", async () => {
    const gatewayOf = async (described: object) => (await explain(described)).refusal;
    expect(await gatewayOf({ path: "/v1/realtime/client_secrets" })).toMatchObject({
      code: "endpoint_not_allowed",
      by: "the gateway",
    });
    expect(await gatewayOf({ body: '{"model":"a","model":"b"}' })).toMatchObject({ code: "bad_request" });
    expect(await gatewayOf({ provider: "nobody" })).toMatchObject({ code: "unknown_provider" });
    expect(await gatewayOf({ method: "GET", path: "/v1/models" })).toBeNull();
  });

  test("for a revoked key", async () => {
    const { key } = await gateway.addKey("alice", "old");
    await gateway.revoke(key.id);
    const found = await explain({ user: undefined, key: key.id, model: "gpt-5" });
    expect(found.refusal).toMatchObject({ code: "invalid_key", by: "the gateway" });
  });
});

describe("one file", () => {
  const file = {
    organisation: { providers: ["openai", "lab", "gemini"] },
    groups: {
      research: {
        models: ["gpt-5*"],
        limits: { requestsPerMinute: 60 },
        budgets: [{ name: "monthly", amount: "20", per: "month", thresholds: [50, 80] }],
      },
    },
    users: { bob: { shadow: true, expiresAt: "2099-01-01T00:00:00+01:00" } },
    keys: { [alice.key.id]: { networks: ["127.0.0.1"] } },
  };

  test("is applied whole; a dry run only shows the difference", async () => {
    const dry = await apply(file, { dryRun: true });
    expect(dry.items.map(({ scope }) => scope).sort()).toEqual(
      ["group:research", `key:${alice.key.id}`, "organisation", "user:bob"].sort(),
    );
    expect(await exported()).toEqual({});
    const applied = await apply(file);
    expect(applied.items).toEqual(dry.items);
    expect((await apply(file)).items).toEqual([]);
  });

  test("keeps a budget whose amount changes, and makes a new one of another period", async () => {
    const budgets = async () =>
      (
        await gateway.api<{ items: { id: string; amount: string; removedAt: string | null }[] }>(
          "GET",
          "/budgets?scope=group:research&removed=true",
        )
      ).items.filter(({ removedAt }) => removedAt === null);
    await apply(file);
    const [first] = await budgets();
    const withBudget = (change: object) =>
      apply({ groups: { research: { budgets: [{ ...file.groups.research.budgets[0], ...change }] } } });
    await withBudget({ amount: 25.5 });
    expect(await budgets()).toMatchObject([{ id: first?.id, amount: "25.50" }]);
    await withBudget({ per: "week" });
    const [second] = await budgets();
    expect(second?.id).not.toBe(first?.id);
  });

  test.each([
    [{ groups: { reserch: {} } }, "groups.reserch: there is no such group"],
    [{ users: { alice: { modles: ["x"] } } }, "modles"],
    [{ users: { alice: { models: ["ok", "a b"] } } }, "users.alice.models.1"],
    [{ organisation: { networks: ["10.0.0.1/8"] } }, "organisation.networks.0"],
    [{ organisation: { endpoints: ["GET v1/models"] } }, "organisation.endpoints.0"],
    [{ organisation: { budgets: [{ name: "a", amount: "1e-12" }] } }, "organisation.budgets.0.amount"],
    [{ organisation: { budgets: [{ name: "a", amount: -1 }] } }, "organisation.budgets.0.amount"],
    [
      { organisation: { budgets: [{ name: "a", amount: 1, per: "fortnight" }] } },
      "organisation.budgets.0.per",
    ],
    [
      {
        organisation: {
          budgets: [
            { name: "a", amount: 1 },
            { name: "a", amount: 2 },
          ],
        },
      },
      "same name",
    ],
    [{ users: { alice: {} }, teams: {} }, "teams"],
  ])("with a mistake changes nothing and names the place: %j", async (bad, place) => {
    const merged = {
      ...bad,
      organisation: { models: ["x"], ...(bad as { organisation?: object }).organisation },
    };
    const failure = await apply({ document: merged }.document).catch((error: Error) => error.message);
    expect(failure).toContain(place);
    expect(await exported()).toEqual({});
  });

  test("the same scope by name and by id is a mistake", async () => {
    const failure = await apply({ users: { alice: {}, [alice.user.id]: {} } }).catch(
      (error: Error) => error.message,
    );
    expect(failure).toContain("twice");
  });

  test("warns of a provider that there is none of", async () => {
    const { warnings } = await apply({ organisation: { providers: ["opnai"] } }, { dryRun: true });
    expect(warnings.join()).toContain('"opnai"');
  });

  test("by the command line: YAML in, YAML out", async () => {
    const yaml = `
organisation:
  models: [gpt-5*, "gemini-*"]
users:
  alice:
    expiresAt: 2099-01-31T00:00:00Z
    budgets:
      - {name: monthly, amount: 20.5, per: month}
`;
    await Bun.write(join(gateway.cwd, "policy.yaml"), yaml);
    const dry = await lmk(["policy", "apply", "-f", "policy.yaml", "--dry-run"]);
    expect(dry.err).toContain("user:alice: budgets.monthly: none -> 20.50 per month");
    expect(await exported()).toEqual({});
    expect((await lmk(["policy", "apply", "-f", "policy.yaml"])).code).toBe(0);
    expect(await outcome({ model: "claude" })).toBe("model_not_allowed");
    const { out } = await lmk(["policy", "export"]);
    expect((await lmk(["policy", "apply", "-f", "-", "--prune"], out)).err).toBe("Nothing changes.\n");
    const twice = await lmk(["policy", "apply", "-f", "-"], "users:\n  alice: {}\n  alice: {}\n");
    expect([twice.code, twice.err]).toEqual([
      1,
      expect.stringContaining('line 3 has the key "alice" a second time'),
    ]);
  });
});

test("the command line's other verbs", async () => {
  const set = await lmk(["policy", "set", "group:research", "--models", "gpt-4*", "--rpm", "60"]);
  expect([set.code, set.err]).toEqual([0, expect.stringContaining("group:research: models: none -> gpt-4*")]);
  expect(await outcome()).toBe("model_not_allowed");
  await lmk(["policy", "set", "group:research", "--models", "any", "--shadow"]);
  expect(await exported()).toEqual({
    groups: { research: { limits: { requestsPerMinute: 60 }, shadow: true } },
  });
  const unset = await lmk([
    "policy",
    "set",
    "group:research",
    "--rpm",
    "none",
    "--expires",
    "never",
    "--no-shadow",
  ]);
  expect([unset.code, unset.err]).toEqual([
    0,
    expect.stringContaining("limits.requestsPerMinute: 60 -> none"),
  ]);
  expect(await exported()).toEqual({});

  const budget = await lmk(["budget", "set", "user:alice", "monthly", "20", "--thresholds", "100,50"]);
  expect([budget.code, budget.err]).toEqual([0, "user:alice: monthly, $20.00 per month.\n"]);
  expect((await lmk(["budget", "list"])).out).toMatch(
    /user:alice +monthly +20\.00 +month +0\.00 +0\.00 +20\.00 +\S+ \S+ +all +50,100 +in force/,
  );
  expect((await lmk(["policy", "show", "user:alice"])).out).toContain('amount: "20.00"');
  await lmk(["budget", "remove", "user:alice", "monthly"]);
  expect((await lmk(["budget", "list", "--removed"])).out).toContain("removed");
  expect(await exported()).toEqual({});
});

test("who changes an older version than there is, is told so", async () => {
  const put = (version: number, models: string[]) =>
    gateway.api<{ version: number }>("PUT", `/policies/group:research?version=${version}`, { models });
  const { version: now } = await gateway.api<{ version: number }>("GET", "/policies/group:research");
  const { version } = await put(now, ["a"]);
  expect(version).toBe(now + 1);
  expect(await put(now, ["b"]).catch((error: Error) => error.message)).toContain("answered 409");
});

test("what was exported changes nothing where it is applied again", async () => {
  const name = fc.string({
    unit: fc.constantFrom("a", "*", ".", "-", "1", "/", ":"),
    minLength: 1,
    maxLength: 8,
  });
  const policy = fc.record(
    {
      providers: fc.subarray(["openai", "lab", "nobody"]),
      models: fc.array(name, { maxLength: 3 }),
      endpoints: fc.subarray(["GET,POST /openai/v1/files/**", "* /*/v1/models", "/lab/x"]),
      networks: fc.subarray(["10.0.0.0/8", "::1", "::ffff:10.0.0.0/104"]),
      expiresAt: fc
        .date({ min: new Date(0), max: new Date("2999-01-01"), noInvalidDate: true })
        .map((date) => date.toISOString()),
      limits: fc.record(
        { requestsPerMinute: fc.nat(1e9), tokensPerMinute: fc.nat(1e9), concurrentRequests: fc.nat(1e9) },
        { requiredKeys: [] },
      ),
      sharing: fc.constantFrom("own", "group", "all"),
      capOutput: fc.boolean(),
      lowerCaps: fc.boolean(),
      deferred: fc.boolean(),
      shadow: fc.boolean(),
      budgets: fc.uniqueArray(
        fc.record({
          name: fc
            .string({ minLength: 1, maxLength: 10 })
            .filter((text) => /^[ -~]+$/.test(text) && !/^[ .]+$/.test(text)),
          amount: fc
            .bigInt(0n, 10n ** 18n - 1n)
            .map((nanos) => `${nanos / 10n ** 9n}.${String(nanos % 10n ** 9n).padStart(9, "0")}`),
          per: fc.constantFrom("day", "week", "month", "quarter", "total", "5h", "1h"),
          provider: fc.constantFrom(null, "openai"),
          model: fc.constantFrom(null, "gpt-5*"),
          thresholds: fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 3 }),
          shadow: fc.boolean(),
        }),
        { selector: (one) => one.name.trim(), maxLength: 3 },
      ),
    },
    { requiredKeys: [] },
  );
  const document = fc.record(
    {
      organisation: policy,
      groups: fc.record({ research: policy, default: policy }, { requiredKeys: [] }),
      users: fc.record({ alice: policy, bob: policy }, { requiredKeys: [] }),
      keys: fc.record({ [alice.key.id]: policy }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(document, async (given) => {
      await apply(given, { prune: true });
      const text = Bun.YAML.stringify(await exported(), null, 2);
      const again = await apply(Bun.YAML.parse(text) ?? {}, { prune: true });
      expect(again.items).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

describe("settings", () => {
  test("are checked, and a webhook's secret is shown once", async () => {
    const patch = (change: object) =>
      gateway.api<{ webhookSecret: string | null }>("PATCH", "/settings", change);
    const failure = (change: object) => patch(change).catch((error: Error) => error.message);
    expect(await failure({ timeZone: "Europe/Nowhere" })).toContain("time zone");
    expect(await failure({ webhook: { url: "http://127.0.0.1:9/x" } })).toContain("https://");
    expect(await failure({ webhook: { url: "https://127.0.0.1:9/x" } })).toContain("private network");
    const { webhookSecret } = await patch({
      timeZone: "Europe/Berlin",
      webhook: { url: "http://127.0.0.1:9/x", allowPrivate: true },
    });
    expect(webhookSecret).toMatch(/^whsec_/);
    const shown = await gateway.api("GET", "/settings");
    expect(shown).toEqual({
      timeZone: "Europe/Berlin",
      contact: null,
      webhook: { url: "http://127.0.0.1:9/x", allowPrivate: true },
    });
    await patch({ timeZone: "UTC", webhook: null });
    expect(await failure({ contact: "two\nlines" })).toContain("a line");
  });
});
