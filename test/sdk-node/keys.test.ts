import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startGateway } from "../support/gateway.ts";
import { asUser, type Caller, failureOf, setEnvironment, startSession } from "./session.ts";

const session = await startSession();
const { gateway, providers } = session;

/** The same question in both SDKs: `maxRetries` is theirs, so an error that invites retries shows. */
const sdks = [
  {
    name: "openai",
    provider: providers.openai,
    AuthenticationError: OpenAI.AuthenticationError,
    ask: () => new OpenAI().chat.completions.create(openaiQuestion("Say hello")),
    askSlowly: (content = "Speak slowly") =>
      new OpenAI().chat.completions.create({ ...openaiQuestion(content), stream: true }),
  },
  {
    name: "anthropic",
    provider: providers.anthropic,
    AuthenticationError: Anthropic.AuthenticationError,
    ask: () => new Anthropic().messages.create(anthropicQuestion("Say hello")),
    askSlowly: (content = "Speak slowly") =>
      new Anthropic().messages.create({ ...anthropicQuestion(content), stream: true }),
  },
];

function openaiQuestion(content: string) {
  return { model: "gpt-standin", messages: [{ role: "user" as const, content }] };
}

function anthropicQuestion(content: string) {
  return { ...openaiQuestion(content), model: "claude-standin-1", max_tokens: 64 };
}

/** This caller's exports with another key in their place. */
async function withKey(caller: Caller, key: string): Promise<void> {
  const exports = Object.entries(await gateway.exportsOf(caller.secret));
  setEnvironment(
    Object.fromEntries(exports.map(([name, value]) => [name, value === caller.secret ? key : value])),
  );
}

/** Refusals carry no user whose rows could be asked for: the key was no one's. */
async function rowOf(failure: { headers: Headers | undefined }) {
  return gateway.requestRow(failure.headers?.get("x-llamakey-request-id"));
}

describe.each(sdks)("$name", ({ name, provider, AuthenticationError, ask, askSlowly }) => {
  test("a key that is none of ours is refused once, with AuthenticationError, and goes no further", async () => {
    const caller = await asUser(session);
    await withKey(caller, "sk-no-key-of-this-gateway-0123456789");
    const seen = provider.calls.length;
    const before = await countRefused();
    const failure = await failureOf(ask());
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(failure.status).toBe(401);
    expect(failure.headers?.get("x-llamakey-refusal")).toBe("invalid_key");
    expect(failure.requestID).toBe(failure.headers?.get("x-llamakey-request-id"));
    expect(await rowOf(failure)).toMatchObject({
      userName: null,
      keyId: null,
      provider: name,
      status: 401,
      refusal: "invalid_key",
      ending: "refused",
    });
    await Bun.sleep(200);
    expect(await countRefused()).toBe(before + 1);
    expect(provider.calls.length).toBe(seen);
  });

  test("a key with a typing error is refused with AuthenticationError", async () => {
    const caller = await asUser(session);
    const last = caller.secret.at(-1) === "0" ? "1" : "0";
    await withKey(caller, caller.secret.slice(0, -1) + last);
    const failure = await failureOf(ask());
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(await rowOf(failure)).toMatchObject({ userName: null, status: 401, refusal: "invalid_key" });
  });

  test("another installation's key is refused with AuthenticationError", async () => {
    const caller = await asUser(session);
    await using elsewhere = await startGateway({ env: providers.env });
    await withKey(caller, elsewhere.key);
    const failure = await failureOf(ask());
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(await rowOf(failure)).toMatchObject({ userName: null, status: 401, refusal: "invalid_key" });
  });

  test.each(["sk-", "sk-ant-", "hf_"])(
    "the key with the prefix %s, which some clients want, is the same key",
    async (prefix) => {
      const caller = await asUser(session);
      await withKey(caller, prefix + caller.secret);
      await ask();
      expect(await caller.rows(1)).toMatchObject([{ keyId: caller.keyId, status: 200 }]);
    },
  );

  test("a key that stands in further headers stays here, whichever of them it was read from", async () => {
    const caller = await asUser(session);
    process.env[`${name.toUpperCase()}_CUSTOM_HEADERS`] =
      `api-key: ${caller.secret}\nx-goog-api-key: sk-${caller.secret}`;
    const seen = provider.calls.length;
    // The stand-in refuses whatever carries another credential beside the real key.
    await ask();
    expect(await caller.rows(1)).toMatchObject([{ keyId: caller.keyId, status: 200 }]);
    const [call] = provider.calls.slice(seen);
    expect(call?.headers).not.toContainAnyKeys(["api-key", "x-goog-api-key"]);
  });

  test("a revoked key is refused within a second, with AuthenticationError and without a retry", async () => {
    const other = await asUser(session);
    const caller = await asUser(session);
    await ask();
    const before = await countRefused();
    await gateway.revoke(caller.keyId);
    await Bun.sleep(1_000);
    const failure = await failureOf(ask());
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(failure.headers?.get("x-llamakey-refusal")).toBe("invalid_key");
    expect(await rowOf(failure)).toMatchObject({ status: 401, refusal: "invalid_key", ending: "refused" });
    await Bun.sleep(200);
    expect(await countRefused()).toBe(before + 1);
    setEnvironment(await gateway.exportsOf(other.secret));
    await ask();
    expect(await other.rows(1)).toMatchObject([{ keyId: other.keyId, status: 200 }]);
  });

  test("whose revoked key was tried is in the log", async () => {
    const caller = await asUser(session);
    await gateway.revoke(caller.keyId);
    const failure = await failureOf(ask());
    expect(await rowOf(failure)).toMatchObject({
      keyId: caller.keyId,
      userName: caller.name,
      refusal: "invalid_key",
    });
  });

  test("a stream that is open when its key is revoked is cut, and no other key's is", async () => {
    const other = await asUser(session);
    const othersStream = await askSlowly();
    const caller = await asUser(session);
    const stream = await askSlowly("Speak at length");
    const readOthers = drain(othersStream);
    const failed = failureOf(drain(stream));
    await Bun.sleep(300);
    await gateway.revoke(caller.keyId);
    const revokedAt = performance.now();
    expect(await failed).toBeInstanceOf(Error);
    expect(performance.now() - revokedAt).toBeLessThan(1_000);
    expect(await readOthers).toBeGreaterThan(1);
    expect(await caller.rows(1)).toMatchObject([{ status: 200, ending: "cut" }]);
    expect(await other.rows(1)).toMatchObject([{ status: 200, ending: "complete" }]);
  });
});

test("a second key of the same user lives on when the first is revoked", async () => {
  const caller = await asUser(session);
  const second = await gateway.addKey(caller.name, "laptop");
  await gateway.revoke(caller.keyId);
  setEnvironment(await gateway.exportsOf(second.secret));
  await new OpenAI().chat.completions.create(openaiQuestion("Say hello"));
  expect(await caller.rows(1)).toMatchObject([{ keyId: second.key.id, keyName: "laptop", status: 200 }]);
});

async function drain(stream: AsyncIterable<unknown>): Promise<number> {
  let events = 0;
  for await (const _ of stream) events += 1;
  return events;
}

async function countRefused(): Promise<number> {
  const rows = await gateway.api<{ items: unknown[] }>("GET", "/requests?refusal=invalid_key&limit=1000");
  return rows.items.length;
}
