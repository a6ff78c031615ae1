/** A gateway that looks used: a month of calls by a dozen people, policies, budgets, asks. All of it is made up. */
import { Database } from "bun:sqlite";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStandIn } from "../src/serve/stand-in.ts";
import { signedIn } from "../test/support/browser-session.ts";
import { atEnd } from "../test/support/cleanup.ts";
import { type Gateway, startGateway } from "../test/support/gateway.ts";
import { poll } from "../test/support/poll.ts";

const SECRET = "sk-simulated-Xk29fakefakefake8fQ2";
const DAY_MS = 86_400_000;
const DAYS = 30;

/** Group, then who is in it and how much they call. */
const PEOPLE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  research: { ann: 9, ines: 6, kofi: 4 },
  product: { ben: 5, cem: 3, dana: 2 },
  platform: { "ci-runner": 12, olga: 2, tomasz: 3 },
  support: { "helpdesk-bot": 8, noor: 1 },
};

/** Dollars per million tokens: a month's sums should look like somebody's. */
const MODELS = [
  { provider: "openai", model: "gpt-5", endpoint: "/v1/responses", share: 5, in: 1.25, out: 10 },
  { provider: "openai", model: "gpt-5-mini", endpoint: "/v1/chat/completions", share: 9, in: 0.25, out: 2 },
  {
    provider: "openai",
    model: "text-embedding-3-small",
    endpoint: "/v1/embeddings",
    share: 4,
    in: 0.02,
    out: 0,
  },
  { provider: "anthropic", model: "claude-sonnet-5", endpoint: "/v1/messages", share: 8, in: 3, out: 15 },
  { provider: "anthropic", model: "claude-haiku-4-5", endpoint: "/v1/messages", share: 6, in: 1, out: 5 },
  {
    provider: "gemini",
    model: "gemini-3-flash",
    endpoint: "/v1beta/models/gemini-3-flash:generateContent",
    share: 4,
    in: 0.5,
    out: 3,
  },
  {
    provider: "mistral",
    model: "mistral-small-latest",
    endpoint: "/v1/chat/completions",
    share: 2,
    in: 0.1,
    out: 0.3,
  },
  { provider: "cohere", model: "rerank-v3.5", endpoint: "/v2/rerank", share: 1, in: 0.4, out: 0 },
] as const;

/** In a folder that ends with this process. */
export async function startLivelyGateway(): Promise<Gateway> {
  const standIn = startStandIn(SECRET);
  atEnd(() => standIn.stop());
  const folder = mkdtempSync(join(tmpdir(), "lmk-lively-"));
  const gateway = await startGateway({
    cwd: folder,
    env: {
      OPENAI_API_KEY: SECRET,
      ANTHROPIC_API_KEY: SECRET,
      GEMINI_API_KEY: "AIza-simulated-fakefakefake77Qp",
      MISTRAL_API_KEY: "simulated-fakefakefakefake0Lw1",
      CO_API_KEY: "simulated-fakefakefakefake5Tz9",
      LMK_OPENAI_UPSTREAM: `${standIn.url}/openai/v1`,
      LMK_ANTHROPIC_UPSTREAM: `${standIn.url}/anthropic`,
    },
  });
  const callers = await makePeople(gateway);
  await makePolicies(gateway);
  await call(gateway, callers);
  await setBudgets(gateway);
  await gateway.stop();
  const path = join(gateway.dataDir, "llamakey.db");
  const rows = writeHistory(path, callers);
  await gateway.start();
  const database = new Database(path, { readonly: true });
  await poll(
    "the history added up",
    async () =>
      (database.query("SELECT seq FROM rolled_up").get() as { seq: number }).seq >= rows ? true : undefined,
    60_000,
  );
  database.close();
  return gateway;
}

interface Caller {
  readonly name: string;
  readonly userId: string;
  readonly groupId: string;
  readonly keyId: string;
  readonly secret: string;
  readonly weight: number;
}

async function makePeople(gateway: Gateway): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (const [group, members] of Object.entries(PEOPLE)) {
    await gateway.api("POST", "/groups", { name: group });
    for (const [name, weight] of Object.entries(members)) {
      const { user, key, secret } = await gateway.addUser(name, group);
      const groupId = (user["group"] as { id: string }).id;
      callers.push({ name, userId: user.id, groupId, keyId: key.id, secret, weight });
    }
  }
  for (const [user, name] of [
    ["ann", "laptop"],
    ["ann", "notebooks"],
    ["ben", "laptop"],
    ["ci-runner", "nightly"],
  ] as const)
    await gateway.addKey(user, name);
  const { key } = await gateway.addKey("dana", "old laptop");
  await gateway.revoke(key.id);
  return callers;
}

/** The same numbers each time. */
function numbers(): () => number {
  let state = 20_261_201;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function pick<T>(from: readonly T[], weight: (one: T) => number, random: number): T {
  let left = random * from.reduce((sum, one) => sum + weight(one), 0);
  for (const one of from) {
    left -= weight(one);
    if (left < 0) return one;
  }
  return from[0] as T;
}

/** How busy people are at this time: by day more than by night, at weekends little, and more each week. */
function busy(at: number, since: number): number {
  const date = new Date(at);
  const hour = date.getUTCHours() + date.getUTCMinutes() / 60;
  const day = 0.12 + Math.exp(-((hour - 14) ** 2) / 18);
  const week = [0, 6].includes(date.getUTCDay()) ? 0.3 : 1;
  return day * week * (0.7 + (0.5 * (at - since)) / (DAYS * DAY_MS));
}

/** @returns how many rows */
function writeHistory(path: string, callers: readonly Caller[]): number {
  const database = new Database(path);
  const random = numbers();
  const add = database.query(
    `INSERT INTO requests (id, at, key_id, user_id, group_id, provider, method, endpoint, model, status, refusal, ending,
       first_byte_ms, duration_ms, bytes_in, bytes_out, address, usage, evidence, input_tokens, output_tokens, cost_nanos, sent_ms)
     VALUES (?, ?, ?, ?, ?, ?, 'POST', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1.5)`,
  );
  const now = Date.now();
  const since = now - DAYS * DAY_MS;
  let rows = 0;
  database.transaction(() => {
    spread(database, random, now);
    for (let at = since; at < now - 60_000; at += 20_000 + random() * 40_000) {
      if (random() > busy(at, since)) continue;
      const caller = pick(callers, ({ weight }) => weight, random());
      const model = pick(MODELS, ({ share }) => share, random());
      const chance = random();
      const refusal = chance < 0.012 ? "rate_limited" : chance < 0.016 ? "model_not_allowed" : null;
      const failed = refusal === null && random() < 0.008;
      const status = refusal === "rate_limited" ? 429 : refusal !== null ? 403 : failed ? 529 : 200;
      const input = Math.ceil(400 + 9000 * random() ** 3);
      const output = model.out === 0 ? 0 : Math.ceil(60 + 1800 * random() ** 2);
      const first = 180 + 900 * random() ** 2 + (model.model === "gpt-5" ? 900 : 0);
      const paid = status === 200;
      rows++;
      add.run(
        `lmkreq-demo${String(rows).padStart(6, "0")}`,
        Math.floor(at),
        caller.keyId,
        caller.userId,
        caller.groupId,
        model.provider,
        model.endpoint,
        model.model,
        status,
        refusal,
        refusal === null ? "complete" : "refused",
        refusal === null ? first : null,
        refusal === null ? first + output * 9 : 0.4,
        input * 4,
        paid ? output * 4 + 300 : 190,
        `10.1.${callers.indexOf(caller)}.7`,
        paid ? JSON.stringify({ input_tokens: input, output_tokens: output }) : null,
        paid ? "reported" : null,
        paid ? input : null,
        paid ? output : null,
        paid ? Math.ceil((input * model.in + output * model.out) * 1000) : null,
      );
    }
  })();
  const { last } = database.query("SELECT MAX(seq) AS last FROM requests").get() as { last: number };
  database.close();
  return last;
}

/** The calls that were really made were made within seconds: now they are of the last days, and added up anew. */
function spread(database: Database, random: () => number, now: number): void {
  const rows = database.query("SELECT seq FROM requests").all() as { seq: number }[];
  const time = database.query("UPDATE requests SET first_byte_ms = ?, duration_ms = ? WHERE seq = ?");
  const move = database.query("UPDATE requests SET at = ? WHERE seq = ?");
  for (const { seq } of rows) {
    const first = 300 + 900 * random();
    time.run(first, first + 2000 * random(), seq);
    // Some stay: what the ledger knows of a call is found by its time.
    if (seq % 11 > 0) move.run(Math.floor(now - DAY_MS * (0.3 + 25 * random())), seq);
  }
  for (const table of ["usage_days", "people_hours", "people_days", "traffic_hours", "traffic_days"])
    database.run(`DELETE FROM ${table}`);
  database.run("DELETE FROM latency_hours");
  database.run("DELETE FROM latency_days");
  database.run("UPDATE rolled_up SET seq = 0");
}

async function makePolicies(gateway: Gateway): Promise<void> {
  for (const { part: _, ...budget } of BUDGETS)
    await gateway.api("PUT", "/budgets", { ...budget, amount: "1000" });
  await gateway.api("PATCH", "/policies/organisation", { limits: { requestsPerMinute: 3000 }, ownKeys: 5 });
  await gateway.api("PATCH", "/policies/group:research", {
    models: ["gpt-5*", "claude-*", "gemini-3-*"],
    limits: { requestsPerMinute: 600, tokensPerMinute: 2_000_000 },
  });
  await gateway.api("PATCH", "/policies/group:support", { providers: ["openai", "anthropic"] });
  await gateway.api("PATCH", "/policies/user:ci-runner", { limits: { concurrentRequests: 8 } });
  await gateway.api("POST", "/credentials", {
    provider: "openai",
    name: "second account",
    secret: "sk-simulated-fakefakefakefakeP4vd",
    weight: 2,
  });
}

/** Each with the part of it that is used. */
const BUDGETS = [
  { scope: "organisation", name: "All", per: "month", part: 0.62 },
  { scope: "group:research", name: "Research", per: "month", part: 0.86 },
  { scope: "group:support", name: "Support", per: "month", part: 0.41 },
  { scope: "user:ann", name: "Ann", per: "week", part: 0.93 },
  { scope: "user:ci-runner", name: "Nightly runs", per: "week", provider: "anthropic", part: 0.34 },
];

/** Once it is known what the calls have cost. */
async function setBudgets(gateway: Gateway): Promise<void> {
  const { items } = await gateway.api<{ items: { name: string; posted: string | null }[] }>(
    "GET",
    "/budgets",
  );
  for (const { part, ...budget } of BUDGETS) {
    const posted = Number(items.find(({ name }) => name === budget.name)?.posted ?? 0);
    const amount = Math.max(0.5, Math.round((2 * posted) / part) / 2);
    await gateway.api("PUT", "/budgets", { ...budget, amount: String(amount) });
  }
}

const LONG = "The simulated quarterly report, once more and in full. ";

/** What budgets and live pages count: calls that really pass, some of them long. */
async function call(gateway: Gateway, callers: readonly Caller[]): Promise<void> {
  const ask = async (caller: Caller, path: string, model: string, characters: number) => {
    const content = LONG.repeat(Math.ceil(characters / LONG.length));
    const answer = await fetch(gateway.url + path, {
      method: "POST",
      headers: {
        authorization: `Bearer ${caller.secret}`,
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
      },
      body: JSON.stringify({ model, max_tokens: 200, messages: [{ role: "user", content }] }),
    });
    await answer.bytes();
  };
  for (const [at, caller] of callers.entries()) {
    const characters = 30_000 * caller.weight;
    for (let n = 0; n < 20; n++) {
      await ask(caller, "/anthropic/v1/messages", "claude-opus-5", characters);
      await ask(caller, "/openai/v1/chat/completions", at % 2 === 0 ? "gpt-5-mini" : "gpt-4o-mini", 600);
    }
  }
  const ines = await signedIn(gateway, "ines");
  await ines.send("POST", "/me/asks", {
    kind: "limit",
    name: "requestsPerMinute",
    amount: "900",
    reason: "The evaluation of the new model makes many small calls.",
  });
}
