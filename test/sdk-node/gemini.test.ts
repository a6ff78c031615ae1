import { beforeEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { ApiError, GoogleGenAI } from "@google/genai";
import { fidelity } from "../support/fidelity.ts";
import { all, HELLO, rowOf, startFurtherSession, USED } from "./further.ts";
import { asUser, type Caller, failureOf } from "./session.ts";

const session = await startFurtherSession();
const shown = fidelity({ sdk: "@google/genai", provider: "Gemini", language: "TypeScript" });
const model = "gemini-2.5-flash";
// $0.30 for a million tokens of input, $2.50 of output.
const costNanos = String(11 * 300 + 7 * 2500);
const sent = () => session.sent("gemini", "x-goog-api-key", (key) => key);

let caller: Caller;
let client: GoogleGenAI;
beforeEach(async () => {
  caller = await asUser(session);
  client = new GoogleGenAI();
});

test("a question is answered, metered and priced", async () => {
  const answer = await client.models.generateContent({ model, contents: "Say hello" });
  expect(answer.text).toBe(HELLO);
  expect(answer.usageMetadata?.candidatesTokenCount).toBe(7);
  expect(sent().path).toEndWith(`/models/${model}:generateContent`);
  expect(await rowOf(caller)).toMatchObject({
    userName: caller.name,
    provider: "gemini",
    model,
    status: 200,
    refusal: null,
    ending: "complete",
    usage: USED,
    evidence: "reported",
    costNanos,
  });
  shown("plain");
});

test("a stream is answered, metered and priced", async () => {
  const chunks = await all(await client.models.generateContentStream({ model, contents: "Say hello" }));
  expect(chunks.length).toBeGreaterThan(1);
  expect(chunks.map((chunk) => chunk.text).join("")).toBe(HELLO);
  expect(sent().path).toEndWith(":streamGenerateContent?alt=sse");
  expect(await rowOf(caller)).toMatchObject({
    provider: "gemini",
    model,
    status: 200,
    usage: USED,
    costNanos,
  });
  shown("stream");
});

test("what it refuses arrives as its own error", async () => {
  const error = await failureOf(client.models.generateContent({ model, contents: "Fail with 400" }));
  expect(error).toBeInstanceOf(ApiError);
  expect(error.status).toBe(400);
  expect(error.message).toContain("The stand-in fails with 400.");
  sent();
  expect(await rowOf(caller)).toMatchObject({
    provider: "gemini",
    model,
    status: 400,
    refusal: null,
    usage: null,
    costNanos: null,
  });
  shown("error");
});

test("a file goes up piece by piece, to the link that the SDK is given", async () => {
  // The SDK sends pieces of 8 MiB.
  const piece = 8 * 1024 * 1024;
  const content = Buffer.alloc(piece + 1, "content ");
  const file = await client.files.upload({
    file: new Blob([content]),
    config: { mimeType: "text/plain" },
  });
  expect(file).toMatchObject({
    sizeBytes: String(content.length),
    sha256Hash: createHash("sha256").update(content).digest("base64"),
  });
  expect(sent().headers["x-goog-upload-command"]).toBe("upload, finalize");
  expect((await client.files.get({ name: file.name ?? "" })).sizeBytes).toBe(String(content.length));
  sent();
  const row = { provider: "gemini", userName: caller.name, status: 200, refusal: null, model: null };
  expect(await caller.rows(4)).toMatchObject([
    { ...row, method: "POST" },
    { ...row, method: "POST", bytesIn: piece },
    { ...row, method: "POST", bytesIn: 1 },
    { ...row, method: "GET" },
  ]);
  shown("upload");
});

test.each([
  ["a batch", '{"key": "1", "request": {}}\n{"key": "2", "request": {}}\n'],
  ["a name twice", '{"model": "a", "model": "b"}'],
  ["cut short", '{"a": ['],
])("a file of JSON is a file and not a request: %s", async (_, content) => {
  const file = await client.files.upload({
    file: new Blob([content]),
    config: { mimeType: "application/jsonl" },
  });
  expect(file.sizeBytes).toBe(String(content.length));
  // As the SDK sends it, and the reason why nobody may go by it.
  expect(sent().headers["content-type"]).toBe("application/json");
  const row = { status: 200, refusal: null, model: null };
  expect(await caller.rows(2)).toMatchObject([row, row]);
});
