import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { startGateway } from "../support/gateway.ts";
import { serveRecorded } from "../support/record.ts";

/** Prices of gpt-4o-mini: $0.15 for a million tokens of input, $0.075 cached, $0.60 of output. */
const USAGE = {
  prompt_tokens: 1000,
  completion_tokens: 200,
  total_tokens: 1200,
  prompt_tokens_details: { cached_tokens: 400 },
};
/** 600 x 150 + 400 x 75 + 200 x 600 nano-dollars. */
const COST = 600n * 150n + 400n * 75n + 200n * 600n;

const completion = (model: string) => ({
  id: "c",
  object: "chat.completion",
  model,
  choices: [],
  usage: USAGE,
});

interface Body {
  model?: string;
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
}
let last: Body = {};

const upstream = await serveRecorded({
  async fetch(request) {
    const body = (await request.json()) as Body;
    const { model = "gpt-4o-mini", stream = false } = body;
    last = body;
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (request.url.includes("/fail")) return Response.json(completion(model), { status: 400 });
    if (stream) {
      const chunk = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
      const first = { id: "c", model, choices: [{ delta: { content: "hi" } }], usage: null };
      const total = { id: "c", model, choices: [], usage: USAGE };
      // As OpenAI does: usage only for those who ask.
      const usage = body.stream_options?.include_usage === true ? chunk(total) : "";
      return new Response(`${chunk(first)}${usage}data: [DONE]\n\n`, {
        headers: { "content-type": "text/event-stream" },
      });
    }
    const text = JSON.stringify(completion(model));
    if (!request.headers.get("accept-encoding")?.includes("gzip")) return new Response(text, { headers });
    return new Response(gzipSync(text), { headers: { ...headers, "content-encoding": "gzip" } });
  },
});

const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: "sk-test-fake-metering-0123456",
    LMK_OPENAI_UPSTREAM: `${upstream.origin}/v1`,
  },
});

async function chat(secret: string, body: object, { path = "", encoding = "identity" } = {}) {
  const response = await fetch(`${gateway.url}/openai/v1${path}/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${secret}`,
      "accept-encoding": encoding,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  await response.text();
  return gateway.requestRow(response.headers.get("x-llamakey-request-id"));
}

describe("a row of the log", () => {
  const ways: [what: string, body: object, options: object][] = [
    ["a plain answer", {}, {}],
    ["a compressed answer", {}, { encoding: "gzip" }],
    ["a streamed answer", { stream: true }, {}],
  ];
  for (const [what, body, options] of ways) {
    test(`has usage and cost of ${what}, to the nano-dollar`, async () => {
      const { secret } = await gateway.addUser(what);
      const row = await chat(secret, { model: "gpt-4o-mini", ...body }, options);
      expect(row.usage).toEqual({ input_tokens: 600, cache_read_tokens: 400, output_tokens: 200 });
      expect(row.evidence).toBe("reported");
      expect(row.costNanos).toBe(COST.toString());
      expect(row.priceBook).toMatch(/^[0-9a-f]{64}$/);
    });
  }

  test("has usage and no cost where the model's price is not known", async () => {
    const row = await chat(gateway.key, { model: "made-up-model" });
    expect(row.usage).toEqual({ input_tokens: 600, cache_read_tokens: 400, output_tokens: 200 });
    expect(row.costNanos).toBeNull();
  });

  test("has neither for a call that failed", async () => {
    const row = await chat(gateway.key, { model: "gpt-4o-mini" }, { path: "/fail" });
    expect([row.usage, row.costNanos]).toEqual([null, null]);
  });
});

async function streamed(body: object): Promise<string> {
  const response = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { ...gateway.bearer, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o-mini", stream: true, ...body }),
  });
  return response.text();
}

test("a stream is asked for its usage, and who did not ask does not see it", async () => {
  const text = await streamed({});
  expect(last.stream_options).toEqual({ include_usage: true });
  expect(text).toContain('"content":"hi"');
  expect(text).not.toContain("prompt_tokens");
  expect(text).toEndWith("data: [DONE]\n\n");
});

test("who asks for usage sees it", async () => {
  expect(await streamed({ stream_options: { include_usage: true } })).toContain('"prompt_tokens":1000');
});

interface Sums {
  items: {
    keys: Record<string, string>;
    requests: number;
    costNanos: string;
    inputTokens: number;
    unpriced: number;
  }[];
  total: { requests: number; costNanos: string; unpriced: number };
}

test("usage adds up to the nano-dollar, by whatever it is asked for", async () => {
  const { secret } = await gateway.addUser("adder");
  const since = new Date().toISOString();
  for (const model of ["gpt-4o-mini", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "made-up-model"]) {
    await chat(secret, { model });
  }
  const query = `user=adder&since=${encodeURIComponent(since)}`;
  for (const by of ["user", "model", "provider,model,day", "hour", "endpoint", "key", "group", ""]) {
    const { items, total } = await gateway.api<Sums>("GET", `/usage?by=${by}&${query}`);
    expect(items.reduce((sum, item) => sum + BigInt(item.costNanos), 0n)).toBe(3n * COST);
    expect(total).toMatchObject({ requests: 4, costNanos: (3n * COST).toString(), unpriced: 1 });
    expect(items.reduce((sum, item) => sum + item.inputTokens, 0)).toBe(4000);
  }
  const { items } = await gateway.api<Sums>("GET", `/usage?by=model&${query}`);
  expect(items.map(({ keys }) => keys["model"]).sort()).toEqual([
    "gpt-4o-mini",
    "gpt-4o-mini-2024-07-18",
    "made-up-model",
  ]);
});
