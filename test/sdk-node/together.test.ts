import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fidelity } from "../support/fidelity.ts";
import { startGateway } from "../support/gateway.ts";
import { all, HELLO, rowOf, says, startFurtherSession, USED } from "./further.ts";
import { expectRefusal } from "./refusal.ts";
import { asUser, failureOf } from "./session.ts";

const session = await startFurtherSession();
const shown = fidelity({ sdk: "together-ai", provider: "Together", language: "TypeScript" });
// Its uploads read their base address when the SDK is imported, so that is done once the exports are there.
await asUser(session);
const { default: Together } = await import("together-ai");
const model = "meta-llama/Llama-3.3-70B-Instruct-Turbo";
// $0.88 for a million tokens of either kind.
const costNanos = String(18 * 880);

const folder = mkdtempSync(join(tmpdir(), "lmk-together-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a chat is answered, metered and priced", async () => {
  const caller = await asUser(session);
  const answer = await new Together().chat.completions.create({ model, messages: says("Say hello") });
  expect(answer.choices[0]?.message?.content).toBe(HELLO);
  expect(answer.usage?.completion_tokens).toBe(7);
  expect(session.sent("together").path).toBe("/v1/chat/completions");
  expect(await rowOf(caller)).toMatchObject({
    userName: caller.name,
    provider: "together",
    endpoint: "/v1/chat/completions",
    model,
    status: 200,
    usage: USED,
    evidence: "reported",
    costNanos,
  });
  shown("plain");
});

test("a stream is answered, metered and priced", async () => {
  const caller = await asUser(session);
  // The SDK's types do not know that it can be asked for.
  const usage = { stream_options: { include_usage: true } };
  const stream = await new Together().chat.completions.create({
    model,
    messages: says("Say hello"),
    stream: true,
    ...usage,
  });
  const chunks = await all(stream);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(HELLO);
  expect(chunks.at(-1)?.usage?.total_tokens).toBe(18);
  session.sent("together");
  expect(await rowOf(caller)).toMatchObject({
    provider: "together",
    model,
    status: 200,
    usage: USED,
    costNanos,
  });
  shown("stream");
});

// On Node this method of the SDK sends no file to anybody: it passes a stream to fetch without `duplex`.
test("a file goes to storage without any key", async () => {
  const caller = await asUser(session);
  const file = join(folder, "data.jsonl");
  writeFileSync(file, '{"text": "a"}\n'.repeat(1000));
  const made = await new Together().files.upload(file, "fine-tune", false);
  expect(made).toMatchObject({ id: "file-standin-1", bytes: 14_000 });
  expect(session.sent("together").path).toBe("/v1/files/file-standin-1");
  const stored = session.store.calls.at(-1);
  expect(stored).toMatchObject({ method: "PUT", path: "/bucket/file-standin-1?signature=signed" });
  expect(stored?.headers).not.toContainAnyKeys(["authorization", "x-api-key", "api-key"]);
  expect(await caller.rows(2)).toMatchObject([
    { provider: "together", method: "POST", endpoint: "/v1/files", status: 302, refusal: null },
    { method: "GET", endpoint: "/v1/files/file-standin-1", status: 200, refusal: null },
  ]);
  shown("upload");
});

test("a key of another installation is refused with its own error", async () => {
  await using elsewhere = await startGateway({
    env: { OPENAI_API_KEY: "sk-test-fake-elsewhere-0123456789" },
  });
  await expectRefusal(session, elsewhere.key, {
    provider: "together",
    error: Together.AuthenticationError,
    ask: () => new Together().chat.completions.create({ model, messages: says("Say hello") }),
  });
});

test("what it refuses arrives as its own error", async () => {
  const caller = await asUser(session);
  const error = await failureOf(
    new Together().chat.completions.create({ model, messages: says("Fail with 400") }),
  );
  expect(error).toBeInstanceOf(Together.BadRequestError);
  expect(error.message).toContain("The stand-in fails with 400.");
  session.sent("together");
  expect(await rowOf(caller)).toMatchObject({
    provider: "together",
    model,
    status: 400,
    refusal: null,
    usage: null,
    costNanos: null,
  });
  shown("error");
});
