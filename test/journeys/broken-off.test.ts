/** What calls cost whose client leaves, or whose provider breaks off, before the answer is whole. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";
import { serveRecorded } from "../support/record.ts";

/** What the stand-in writes, event by event; it waits before each, and tells how far it came. */
let events: readonly string[];
let pauseMs = 50;
/** Events that its client has got; without end where nobody counts them any more. */
let received = Number.POSITIVE_INFINITY;
/** Events that the stand-in had sent when its connection was closed; null while it is open. */
let stoppedAfter: number | null;
let breaksAfter: number;

/** One stand-in for all, at an address of its own for each. */
async function startProvider(): Promise<Record<"openai" | "anthropic" | "openrouter" | "gemini", string>> {
  const { origin, another } = await serveRecorded({
    idleTimeout: 0,
    async fetch(request) {
      await request.bytes();
      stoppedAfter = null;
      let sent = 0;
      request.signal.addEventListener("abort", () => {
        stoppedAfter ??= sent;
      });
      const stream = new ReadableStream({
        async pull(controller) {
          if (sent === events.length) {
            stoppedAfter ??= sent;
            return controller.close();
          }
          if (sent === breaksAfter) return controller.error(new Error("the stand-in breaks off"));
          // No more than one ahead of its client: on a busy machine several would come as one.
          while (sent > received + 1) await Bun.sleep(1);
          await Bun.sleep(pauseMs);
          controller.enqueue(new TextEncoder().encode(`data: ${events[sent++]}\n\n`));
        },
      });
      return new Response(stream, { headers: { "content-type": "text/event-stream" } });
    },
  });
  return { openai: origin, anthropic: await another(), openrouter: await another(), gemini: await another() };
}

let gateway: Gateway;
let users = 0;

beforeAll(async () => {
  const { openai, anthropic, openrouter, gemini } = await startProvider();
  gateway = await startGateway({
    env: {
      OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789",
      LMK_OPENAI_UPSTREAM: `${openai}/v1`,
      ANTHROPIC_API_KEY: "sk-ant-fake-example-of-a-key-0123456789",
      LMK_ANTHROPIC_UPSTREAM: anthropic,
      OPENROUTER_API_KEY: "sk-or-fake-example-of-a-key-0123456789",
      LMK_OPENROUTER_UPSTREAM: `${openrouter}/api/v1`,
      GEMINI_API_KEY: "fake-example-of-a-gemini-key-0123456789",
      LMK_GEMINI_UPSTREAM: gemini,
    },
  });
});
afterAll(() => gateway.end());
beforeEach(() => {
  breaksAfter = Number.POSITIVE_INFINITY;
  pauseMs = 50;
});

interface User {
  name: string;
  secret: string;
}

async function newUser(amount: string): Promise<User> {
  const name = `user${users++}`;
  const { secret } = await gateway.addUser(name);
  await gateway.api("PUT", "/budgets", { scope: `user:${name}`, name: "all", amount, per: "month" });
  return { name, secret };
}

/**
 * Calls, and leaves when it has got this many events.
 * @param thenMs How long the stand-in waits before each event from then on.
 */
async function leave(user: User, path: string, body: object, count: number, thenMs = pauseMs): Promise<void> {
  const leaving = new AbortController();
  received = 0;
  const response = await fetch(gateway.url + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${user.secret}`,
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
    },
    body: JSON.stringify({ stream: true, messages: [{ role: "user", content: "hello" }], ...body }),
    signal: leaving.signal,
  });
  expect(response.status).toBe(200);
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    received += decoder.decode(piece).split("data: ").length - 1;
    if (received >= count) break;
  }
  received = Number.POSITIVE_INFINITY;
  pauseMs = thenMs;
  leaving.abort();
}

async function rowOf({ name }: User) {
  const [row] = await gateway.rowsOf(name, 1);
  return row as unknown as {
    ending: string;
    evidence: string;
    costNanos: string;
    usage: Record<string, number>;
  };
}

const word = (content: string) =>
  JSON.stringify({
    id: "c",
    object: "chat.completion.chunk",
    model: "m",
    choices: [{ index: 0, delta: { content } }],
  });
const CHAT = [
  ...Array.from({ length: 40 }, () => word("seven..")),
  JSON.stringify({
    id: "c",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
    usage: { prompt_tokens: 10, completion_tokens: 80, total_tokens: 90 },
  }),
];

const GEMINI_CALL = {
  contents: [{ parts: [{ text: "hello" }] }],
  generationConfig: { maxOutputTokens: 20_000 },
};

function geminiPiece(usageMetadata?: object): string {
  const candidates = [{ content: { role: "model", parts: [{ text: "seven.." }] } }];
  return JSON.stringify({ candidates, usageMetadata });
}

describe("a client that leaves in the middle of a stream", () => {
  test("stops its provider, and pays for what was seen where that shows all that was written", async () => {
    const user = await newUser("10");
    events = CHAT.map((event) => event.replace('"m"', '"gpt-4o"'));
    await leave(user, "/openai/v1/chat/completions", { model: "gpt-4o" }, 5, 1000);
    const row = await rowOf(user);
    expect(row).toMatchObject({ ending: "client_closed", evidence: "counted" });
    // At most a token for each byte of 5 or 6 words, and 100 that were not seen; not the 16,384 of its ceiling.
    expect(row.usage["output_tokens"]).toBeGreaterThanOrEqual(100 + 5 * 7);
    expect(row.usage["output_tokens"]).toBeLessThanOrEqual(100 + 8 * 7);
    const stopped = await poll("stop", async () => stoppedAfter ?? undefined);
    expect(stopped).toBeLessThan(20);
  });

  test("pays for all that it can have cost where models think unseen", async () => {
    const user = await newUser("10");
    events = CHAT;
    await leave(user, "/openai/v1/chat/completions", { model: "gpt-5", max_completion_tokens: 50_000 }, 5);
    const row = await rowOf(user);
    expect(row).toMatchObject({ ending: "client_closed", evidence: "ceiling" });
    expect(BigInt(row.costNanos)).toBeGreaterThan(500_000_000n);
  });

  test("pays for its real input where the stream began with it", async () => {
    const user = await newUser("10");
    const start = { id: "m", model: "claude-sonnet-4-5", usage: { input_tokens: 1234, output_tokens: 1 } };
    events = [
      JSON.stringify({ type: "message_start", message: start }),
      ...Array.from({ length: 40 }, () =>
        JSON.stringify({ type: "content_block_delta", delta: { type: "text_delta", text: "seven.." } }),
      ),
    ];
    await leave(user, "/anthropic/v1/messages", { model: "claude-sonnet-4-5", max_tokens: 8000 }, 5, 1000);
    const row = await rowOf(user);
    expect(row).toMatchObject({
      ending: "client_closed",
      evidence: "counted",
      usage: { input_tokens: 1234 },
    });
    expect(row.usage["output_tokens"]).toBeGreaterThanOrEqual(100 + 3 * 7);
    expect(row.usage["output_tokens"]).toBeLessThanOrEqual(100 + 8 * 7);
  });

  test("pays for all that it can have cost where the stream has thoughts, of which only a summary is shown", async () => {
    const user = await newUser("10");
    const start = { id: "m", model: "claude-sonnet-4-5", usage: { input_tokens: 30, output_tokens: 1 } };
    events = [
      JSON.stringify({ type: "message_start", message: start }),
      JSON.stringify({ type: "content_block_start", content_block: { type: "thinking", thinking: "" } }),
      ...Array.from({ length: 40 }, () =>
        JSON.stringify({ type: "content_block_delta", delta: { type: "text_delta", text: "seven.." } }),
      ),
    ];
    await leave(user, "/anthropic/v1/messages", { model: "claude-sonnet-4-5", max_tokens: 8000 }, 5);
    const row = await rowOf(user);
    expect(row).toMatchObject({ ending: "client_closed", evidence: "ceiling" });
    // 30 tokens at $3 a million and 8,000 at $15.
    expect(row.costNanos).toBe("120090000");
  });

  test("pays for thoughts that each piece tells of", async () => {
    const user = await newUser("10");
    events = Array.from({ length: 40 }, () => geminiPiece({ promptTokenCount: 9, thoughtsTokenCount: 5000 }));
    await leave(user, "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", GEMINI_CALL, 5);
    const row = await rowOf(user);
    expect(row).toMatchObject({ ending: "client_closed", evidence: "counted" });
    expect(row.usage["output_tokens"]).toBe(5100);
  });

  test("does not stop a provider that bills on: its answer is read to the end, and its report posted", async () => {
    const user = await newUser("10");
    pauseMs = 20;
    events = CHAT.map((event) =>
      event.replace('"m"', '"openai/gpt-4o"').replace('"total_tokens":90', '"total_tokens":90,"cost":0.0321'),
    );
    await leave(user, "/openrouter/api/v1/chat/completions", { model: "openai/gpt-4o" }, 3);
    const row = await rowOf(user);
    expect(row).toMatchObject({ ending: "client_closed", evidence: "reported", costNanos: "32100000" });
    expect(stoppedAfter).toBe(events.length);
  });
});

test("whoever asks for an answer without its usage pays for all that it can have cost", async () => {
  const user = await newUser("10");
  pauseMs = 1;
  events = Array.from({ length: 5 }, () => geminiPiece());
  const path = "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse&fields=candidates";
  await leave(user, path, GEMINI_CALL, 100);
  const row = await rowOf(user);
  expect(row).toMatchObject({ ending: "complete", evidence: "ceiling" });
  expect(BigInt(row.costNanos)).toBeGreaterThan(50_000_000n);
});

test("a provider that breaks off is paid for what it wrote", async () => {
  const user = await newUser("10");
  events = CHAT.map((event) => event.replace('"m"', '"gpt-4o"'));
  breaksAfter = 10;
  await leave(user, "/openai/v1/chat/completions", { model: "gpt-4o" }, 10).catch(() => {});
  const row = await rowOf(user);
  expect(row.evidence).toBe("counted");
  expect(row.usage["output_tokens"]).toBeGreaterThanOrEqual(10 * 7);
});

test("what a stream says of its input frees the difference at once", async () => {
  const user = await newUser("0.3");
  const start = { id: "m", model: "claude-sonnet-4-5", usage: { input_tokens: 10, output_tokens: 1 } };
  events = [
    JSON.stringify({ type: "message_start", message: start }),
    ...Array.from({ length: 20 }, () => JSON.stringify({ type: "ping" })),
    JSON.stringify({ type: "message_delta", usage: { output_tokens: 12 } }),
  ];
  // Longer than anybody waits for others' holds.
  pauseMs = 300;
  // 60 KB of text may be 60,000 tokens: 18 cents of the 30.
  const long = {
    model: "claude-sonnet-4-5",
    max_tokens: 1,
    messages: [{ role: "user", content: "x".repeat(60_000) }],
  };
  let isOver = false;
  const first = leave(user, "/anthropic/v1/messages", long, 100).then(() => {
    isOver = true;
  });
  await poll("the first call's hold", async () => ((await reservedOf(user)) === "0.00" ? undefined : true));
  await leave(user, "/anthropic/v1/messages", long, 1);
  // It did not have to wait for the first one's end.
  expect(isOver).toBe(false);
  await first;
}, 60_000);

async function reservedOf({ name }: User): Promise<string | undefined> {
  const path = `/budgets?scope=user:${name}`;
  const { items } = await gateway.api<{ items: { reserved: string }[] }>("GET", path);
  return items[0]?.reserved;
}
