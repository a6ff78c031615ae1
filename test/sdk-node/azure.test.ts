import { beforeEach, expect, test } from "bun:test";
import OpenAI, { AzureOpenAI, toFile } from "openai";
import { fidelity } from "../support/fidelity.ts";
import { all, HELLO, rowOf, says, startFurtherSession, USED } from "./further.ts";
import { asUser, type Caller, failureOf } from "./session.ts";

const session = await startFurtherSession();
const shown = fidelity({ sdk: "openai", provider: "Azure OpenAI", language: "TypeScript" });
// The deployment has its model's name.
const model = "gpt-4o-mini";
const endpoint = `/openai/deployments/${model}/chat/completions`;
// $0.15 for a million tokens of input, $0.60 of output.
const costNanos = String(11 * 150 + 7 * 600);
const sent = () => session.sent("azure", "api-key", (key) => key);

let caller: Caller;
let client: AzureOpenAI;
beforeEach(async () => {
  caller = await asUser(session);
  // Which version of its API a program was written for, only its author knows.
  process.env["OPENAI_API_VERSION"] = "2024-10-21";
  client = new AzureOpenAI();
});

test("a chat is answered, metered and priced", async () => {
  const answer = await client.chat.completions.create({ model, messages: says("Say hello") });
  expect(answer.choices[0]?.message.content).toBe(HELLO);
  expect(sent().path).toBe(`${endpoint}?api-version=2024-10-21`);
  expect(await rowOf(caller)).toMatchObject({
    userName: caller.name,
    provider: "azure",
    endpoint,
    model,
    status: 200,
    usage: USED,
    evidence: "reported",
    costNanos,
  });
  shown("plain");
});

test("a stream is answered, metered and priced", async () => {
  const stream = await client.chat.completions.create({
    model,
    messages: says("Say hello"),
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await all(stream);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(HELLO);
  sent();
  expect(await rowOf(caller)).toMatchObject({
    provider: "azure",
    model,
    status: 200,
    usage: USED,
    costNanos,
  });
  shown("stream");
});

test("a recording is metered and priced by the model that its form names", async () => {
  const file = await toFile(crypto.getRandomValues(new Uint8Array(60_000)), "speech.wav");
  const answer = await client.audio.transcriptions.create({ model: "whisper-1", file });
  expect(answer.text).toBe("The beach was a popular spot.");
  sent();
  expect(await rowOf(caller)).toMatchObject({
    provider: "azure",
    endpoint: "/openai/deployments/whisper-1/audio/transcriptions",
    model: "whisper-1",
    status: 200,
    usage: { milliseconds: 9000 },
    // $0.006 a minute; it bills whole seconds.
    costNanos: "900000",
  });
  shown("upload");
});

test("a call that the exports of both send to OpenAI's address still goes to Azure", async () => {
  // This SDK's client for Azure takes OpenAI's address before its own.
  process.env["OPENAI_BASE_URL"] = `${session.gateway.url}/openai/v1`;
  const answer = await new AzureOpenAI().chat.completions.create({ model, messages: says("Say hello") });
  expect(answer.choices[0]?.message.content).toBe(HELLO);
  expect(sent().path).toBe(`${endpoint}?api-version=2024-10-21`);
  expect(await rowOf(caller)).toMatchObject({
    provider: "azure",
    model,
    status: 200,
    usage: USED,
    costNanos,
  });
});

test("what it refuses arrives as its own error", async () => {
  const error = await failureOf(client.chat.completions.create({ model, messages: says("Fail with 400") }));
  expect(error).toBeInstanceOf(OpenAI.BadRequestError);
  expect(error).toMatchObject({ status: 400, code: "unknown_parameter" });
  sent();
  expect(await rowOf(caller)).toMatchObject({
    provider: "azure",
    model,
    status: 400,
    refusal: null,
    usage: null,
  });
  shown("error");
});
