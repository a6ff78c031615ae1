/** What administrators see and decide of the ledger: standings, unresolved calls, prices that came late, thresholds. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { poll } from "../support/poll.ts";
import { note, serveRecorded } from "../support/record.ts";

let gateway: Gateway;
let isHanging = false;
let hanging = 0;
const told: { id: string; threshold: number; budget: string; isSigned: boolean }[] = [];
const SECRET = "fake-webhook-secret-0123456789";

beforeAll(async () => {
  const provider = await serveRecorded({
    async fetch(request) {
      const { model } = JSON.parse(await request.text()) as { model: string };
      if (isHanging) {
        hanging++;
        await Bun.sleep(120_000);
      }
      const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
      return Response.json({ id: "c", object: "chat.completion", model, choices: [], usage });
    },
  });
  gateway = await startGateway({
    env: {
      OPENAI_API_KEY: "sk-fake-example-ledger-0123456789",
      LMK_OPENAI_UPSTREAM: `${provider.origin}/v1`,
    },
  });
});
afterAll(() => gateway.end());

const receiver = await serveRecorded({
  async fetch(request) {
    const body = await request.text();
    const [, time, signature] =
      /^t=(\d+),v1=(\w+)$/.exec(request.headers.get("x-llamakey-signature") ?? "") ?? [];
    const isSigned = createHmac("sha256", SECRET).update(`${time}.${body}`).digest("hex") === signature;
    const { id, data } = JSON.parse(body) as { id: string; data: { threshold: number; budget: string } };
    told.push({ id, threshold: data.threshold, budget: data.budget, isSigned });
    return new Response(null, { status: 204 });
  },
});
// It takes no credential at all.
note({ what: "address", owner: "storage", origin: receiver.origin, path: "" });

function chat(model: string): Promise<Response> {
  return fetch(`${gateway.url}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { ...gateway.bearer, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }], max_tokens: 200 }),
  });
}

async function settled(count: number) {
  return poll(`${count} rows of the log`, async () => {
    const rows = await gateway.requests();
    return rows.length >= count ? rows : undefined;
  });
}

async function lmk(...args: string[]) {
  const ended = await runLmk(gateway, args);
  expect({ args, code: ended.code, err: ended.code === 0 ? "" : ended.err }).toEqual({
    args,
    code: 0,
    err: "",
  });
  return ended.out;
}

interface BudgetView {
  name: string;
  posted: string;
  reserved: string;
  left: string;
  periodEnd: string | null;
}

async function budget(name: string): Promise<BudgetView> {
  const { items } = await gateway.api<{ items: BudgetView[] }>("GET", "/budgets");
  const found = items.find((item) => item.name === name);
  if (found === undefined) throw new Error(`no budget ${name}`);
  return found;
}

async function usage(): Promise<string> {
  return (await gateway.api<{ total: { cost: string } }>("GET", "/usage")).total.cost;
}

test("a price that comes late: reprice makes budgets, usage and verify agree to the nano-dollar", async () => {
  // Before there is a budget, calls without a price pass.
  for (let n = 0; n < 3; n++) expect((await chat("gpt-unheard")).status).toBe(200);
  await gateway.api("PUT", "/budgets", { scope: "organisation", name: "all", amount: "5", per: "month" });
  expect((await chat("gpt-4o-mini")).status).toBe(200);
  await gateway.api("PUT", "/prices", {
    provider: "openai",
    model: "gpt-dear",
    prices: { input_tokens: "10", output_tokens: "20" },
  });
  for (let n = 0; n < 2; n++) expect((await chat("gpt-dear")).status).toBe(200);
  await settled(6);
  expect(await usage()).toBe("0.02421");
  expect((await budget("all")).posted).toBe("0.02421");

  await lmk("prices", "set", "openai", "gpt-unheard", "--input", "1", "--output", "2");
  await lmk("prices", "set", "openai", "gpt-dear", "--input", "1", "--output", "2");
  const dry = await lmk("prices", "reprice", "--dry-run");
  expect(dry).toMatch(/openai +gpt-dear +2 +0\.024 +0\.0024\n/);
  expect(dry).toMatch(/openai +gpt-unheard +3 +0\.00 +0\.0036\n/);
  expect(await usage()).toBe("0.02421");

  await lmk("prices", "reprice");
  // 3 + 2 calls at $0.0012, and one at $0.00021; those before the budget are in no account.
  expect(await usage()).toBe("0.00621");
  expect(await budget("all")).toMatchObject({ posted: "0.00261", reserved: "0.00", left: "4.99739" });
  const { total, findings } = JSON.parse(await lmk("verify", "--json")) as {
    total: string;
    findings: unknown[];
  };
  expect([total, findings]).toEqual(["0.00621", []]);
  expect(await lmk("prices", "reprice")).toBe("All calls cost what the prices in force say.\n");
  expect(await usage()).toBe("0.00621");
  const audit = await lmk("audit", "--action", "price.reprice");
  expect(audit.match(/price\.reprice/g)).toHaveLength(1);
}, 120_000);

test("a call whose process was killed is unresolved until somebody says what it cost, and why", async () => {
  isHanging = true;
  const calls = [0, 1].map(() => chat("gpt-4o-mini").catch(() => undefined));
  await poll("two calls at the provider", () => (hanging === 2 ? true : undefined));
  await gateway.kill();
  await Promise.all(calls);
  isHanging = false;
  await gateway.start();

  const { items } = await gateway.api<{
    items: { id: number; ceiling: string; user: string; budgets: string[] }[];
  }>("GET", "/ledger/unresolved");
  expect(items).toHaveLength(2);
  const [first, second] = items.map(({ id }) => id);
  const ceiling = items[0]?.ceiling ?? "";
  expect(items[0]).toMatchObject({ budgets: ["all"] });
  expect(await lmk("budget", "unresolved")).toContain(ceiling);
  const before = await usage();
  expect(before).toBe("0.00621");

  const tooMuch = await runLmk(gateway, [
    "budget",
    "resolve",
    String(first),
    "--amount",
    "4",
    "--reason",
    "guessed",
  ]);
  expect([tooMuch.code, tooMuch.err]).toEqual([1, expect.stringContaining("more than what is reserved")]);
  await lmk(
    "budget",
    "resolve",
    String(first),
    "--amount",
    "0.00005",
    "--reason",
    "the provider's bill says so",
  );
  await lmk("budget", "resolve", String(second), "--as", "nothing", "--reason", "it never got there");
  expect(
    (await runLmk(gateway, ["budget", "resolve", String(first), "--as", "nothing", "--reason", "x"])).code,
  ).toBe(1);

  expect(await lmk("budget", "unresolved")).toBe("Nothing is unresolved.\n");
  expect(await usage()).toBe("0.00626");
  expect(await budget("all")).toMatchObject({ posted: "0.00266", reserved: "0.00" });
  const lost = (await gateway.requests()).filter(({ ending }) => ending === "lost");
  expect(lost.map(({ costNanos, evidence }) => [costNanos, evidence]).sort()).toEqual([
    ["0", "decided"],
    ["50000", "decided"],
  ]);
  const report = JSON.parse(await lmk("verify", "--json")) as { open: number; findings: unknown[] };
  expect(report).toMatchObject({ open: 0, findings: [] });
  expect(await lmk("audit", "--action", "hold.decide", "--json")).toContain("the provider's bill says so");
  const database = new Database(join(gateway.dataDir, "llamakey.db"), { readonly: true });
  const texts = database.query("SELECT text FROM ledger_blocks").all() as { text: string }[];
  expect(texts.some(({ text }) => text.includes("the provider's bill says so"))).toBe(true);
  database.close();
}, 120_000);

test("each threshold is told once a period, signed, whatever becomes of the process", async () => {
  await gateway.api("PATCH", "/settings", {
    webhook: { url: `${receiver.origin}/hook`, secret: SECRET, allowPrivate: true },
  });
  // One call costs $0.0012 by now, of which two are 48 %, three 72 %.
  await gateway.api("PUT", "/budgets", {
    scope: "organisation",
    name: "told",
    amount: "0.005",
    per: "total",
    model: "gpt-unheard",
    thresholds: [20, 40, 70],
  });
  const ended = () => {
    using database = new Database(join(gateway.dataDir, "llamakey.db"), { readonly: true });
    return database.query("SELECT 1 FROM requests WHERE model = 'gpt-unheard' AND cost_nanos > 0").all()
      .length;
  };
  const before = ended();
  const thresholds = () =>
    told.filter(({ budget: name }) => name === "told").map(({ threshold }) => threshold);
  /** The receiver has got so many, and the gateway has noted that it has: until then it would tell again. */
  const noted = (count: number) =>
    poll(`${count} thresholds that are noted as told`, async () => {
      const database = new Database(join(gateway.dataDir, "llamakey.db"), { readonly: true });
      const open = database.query("SELECT 1 FROM threshold_events WHERE outcome IS NULL").all().length;
      database.close();
      return open === 0 && thresholds().length >= count ? true : undefined;
    });
  expect((await chat("gpt-unheard")).status).toBe(200);
  await noted(1);
  await gateway.restart();
  expect((await chat("gpt-unheard")).status).toBe(200);
  await noted(2);
  expect((await chat("gpt-unheard")).status).toBe(200);
  await noted(3);
  // Thresholds are told as soon as a call has ended; that it has cost something is on the disk a moment later.
  await poll("the third call on the disk", () => (ended() === before + 3 ? true : undefined));
  await gateway.kill();
  // As if it had died between posting and noting.
  const database = new Database(join(gateway.dataDir, "llamakey.db"));
  database.run("DELETE FROM threshold_events WHERE threshold = 70");
  database.close();
  await gateway.start();
  await noted(4);
  await gateway.restart();
  await Bun.sleep(500);
  expect(thresholds()).toEqual([20, 40, 70, 70]);
  expect(told.every(({ isSigned }) => isSigned)).toBe(true);
}, 120_000);

test("a user sees limits, what is left of each budget, and own calls: nothing of others", async () => {
  await gateway.api("POST", "/groups", { name: "team" });
  const [ann, ben] = [await gateway.addUser("ann", "team"), await gateway.addUser("ben", "team")];
  await gateway.api("PATCH", "/policies/user:ann", {
    models: ["gpt-unheard"],
    limits: { requestsPerMinute: 50 },
  });
  await gateway.api("PUT", "/budgets", { scope: "group:team", name: "team's", amount: "1", per: "day" });
  const call = (secret: string) =>
    fetch(`${gateway.url}/openai/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-unheard", messages: [], max_tokens: 100 }),
    });
  await gateway.api("DELETE", `/budgets/${((await budget("told")) as BudgetView & { id: string }).id}`);
  for (const secret of [ann.secret, ben.secret, ben.secret]) expect((await call(secret)).status).toBe(200);
  await gateway.rowsOf("ben", 2);
  interface Told {
    today: object;
    calls: object[];
    budgets: object[];
    limits: object[];
    models: object[];
  }
  const me = (secret: string) =>
    fetch(`${gateway.url}/lmk/me`, { headers: { authorization: `Bearer ${secret}` } }).then(
      (r) => r.json() as Promise<Told>,
    );
  const told = await me(ann.secret);
  expect(told).toMatchObject({
    user: "ann",
    today: { requests: 1, cost: "0.0012" },
    models: [{ scope: "user ann", patterns: ["gpt-unheard"] }],
    limits: [{ scope: "user ann", requestsPerMinute: 50 }],
  });
  expect(told.calls).toHaveLength(1);
  expect(told.budgets).toContainEqual({
    scope: "group team",
    name: "team's",
    amount: "1.00",
    per: "day",
    provider: null,
    model: null,
    left: "0.9964",
    renewsAt: expect.any(String),
  });
  expect(JSON.stringify(told)).not.toContain("ben");
  expect((await me(ben.secret)).calls).toHaveLength(2);
  const text = (await runLmk(gateway, ["me"], { LMK_KEY: ann.secret })).out;
  expect(text).toContain("$0.9964 of $1.00 per day left");
  expect(text).toMatch(/^today +1 call, \$0\.0012$/m);
});

test("refusals and lmk me say whom to ask", async () => {
  const { secret } = await gateway.addUser("cleo");
  await lmk("settings", "set", "--contact", "$& #llm-help, ada@example.com");
  await gateway.api("PUT", "/policies/user:cleo", {
    models: ["gpt-unheard"],
    limits: { requestsPerMinute: 1 },
  });
  const messageOf = async (model: string) => {
    const response = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({ model, messages: [], max_tokens: 100 }),
    });
    return [response.status, ((await response.json()) as { error?: { message: string } }).error?.message];
  };
  const whom = "your administrator ($& #llm-help, ada@example.com)";
  expect(await messageOf("gpt-4o")).toEqual([
    403,
    `User cleo allows only the model gpt-unheard; ask ${whom}.`,
  ]);
  expect((await messageOf("gpt-unheard"))[0]).toBe(200);
  const [status, limited] = await messageOf("gpt-unheard");
  expect([status, limited]).toEqual([429, expect.stringContaining(whom)]);
  await gateway.api("PUT", "/policies/user:cleo", {});
  await gateway.api("PUT", "/budgets", { scope: "user:cleo", name: "small", amount: "0.000001", per: "day" });
  const [refused, exhausted] = await messageOf("gpt-unheard");
  expect([refused, exhausted]).toEqual([
    402,
    expect.stringMatching(/"small" of user cleo has \$0\.\d+ left until 2/),
  ]);
  expect(exhausted).toContain("our administrator ($& #llm-help");
  const text = (await runLmk(gateway, ["me"], { LMK_KEY: secret })).out;
  expect(text).toMatch(/^ask +\$& #llm-help, ada@example\.com$/m);
  await lmk("settings", "set", "--contact", "none");
  expect((await messageOf("gpt-unheard"))[1]).not.toContain("ada@example.com");
}, 120_000);

test("explain says what the budgets would do with a call now", async () => {
  const explain = (change: object) =>
    gateway.api<{
      allowed: boolean;
      refusal: { code: string } | null;
      admission: object | null;
      budgets: object[];
    }>("POST", "/policies/explain", {
      user: "ann",
      provider: "openai",
      path: "/v1/chat/completions",
      body: { model: "gpt-unheard", messages: [], ...change },
    });
  const fits = await explain({ max_tokens: 100 });
  expect(fits).toMatchObject({ allowed: true, admission: { verdict: "admitted", outputCap: null } });
  expect(fits.budgets).toContainEqual(expect.objectContaining({ name: "team's", left: "0.9964" }));
  const capped = await explain({});
  expect(capped).toMatchObject({
    allowed: true,
    admission: { verdict: "capped", outputCap: expect.any(Number) },
  });
  const refused = await explain({ max_tokens: 1_000_000 });
  expect(refused).toMatchObject({ allowed: false, refusal: { code: "budget_exhausted" }, admission: null });
  // Nothing was reserved by asking.
  expect(await budget("team's")).toMatchObject({ reserved: "0.00" });
});
