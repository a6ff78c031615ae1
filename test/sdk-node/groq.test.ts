import { expect, test } from "bun:test";
import Groq, { toFile } from "groq-sdk";
import { fidelity } from "../support/fidelity.ts";
import { all, HELLO, rowOf, says, startFurtherSession, USED } from "./further.ts";
import { asUser, failureOf } from "./session.ts";

const session = await startFurtherSession();
const shown = fidelity({ sdk: "groq-sdk", provider: "Groq", language: "TypeScript" });
const model = "llama-3.1-8b-instant";

test("a chat is answered, metered and priced", async () => {
  const caller = await asUser(session);
  const answer = await new Groq().chat.completions.create({ model, messages: says("Say hello") });
  expect(answer.choices[0]?.message.content).toBe(HELLO);
  expect(answer.usage?.completion_tokens).toBe(7);
  expect(session.sent("groq").path).toBe("/openai/v1/chat/completions");
  expect(await rowOf(caller)).toMatchObject({
    userName: caller.name,
    provider: "groq",
    endpoint: "/chat/completions",
    model,
    status: 200,
    ending: "complete",
    usage: USED,
    evidence: "reported",
    // $0.05 for a million tokens of input, $0.08 of output.
    costNanos: String(11 * 50 + 7 * 80),
  });
  shown("plain");
});

test("a stream is metered without being asked to tell its usage", async () => {
  const caller = await asUser(session);
  const model = "llama-3.3-70b-versatile";
  const stream = await new Groq().chat.completions.create({
    model,
    messages: says("Say hello"),
    stream: true,
  });
  const chunks = await all(stream);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Fast");
  expect(chunks.at(-1)?.x_groq?.usage?.total_tokens).toBe(401);
  session.sent("groq");
  expect(await rowOf(caller)).toMatchObject({
    provider: "groq",
    model,
    status: 200,
    usage: { input_tokens: 24, output_tokens: 377 },
    // $0.59 for a million tokens of input, $0.79 of output.
    costNanos: String(24 * 590 + 377 * 790),
  });
  shown("stream");
});

test("a recording is metered and priced by its length", async () => {
  const caller = await asUser(session);
  const file = await toFile(crypto.getRandomValues(new Uint8Array(60_000)), "speech.wav");
  const answer = await new Groq().audio.transcriptions.create({ model: "whisper-large-v3", file });
  expect(answer.text).toBe("The beach was a popular spot.");
  session.sent("groq");
  expect(await rowOf(caller)).toMatchObject({
    provider: "groq",
    endpoint: "/audio/transcriptions",
    model: "whisper-large-v3",
    status: 200,
    usage: { milliseconds: 8471 },
    // $0.111 an hour, and at least ten seconds: 308,333.3 nano-dollars, of which the last has begun.
    costNanos: "308334",
  });
  shown("upload");
});

test("what it refuses arrives as its own error", async () => {
  const caller = await asUser(session);
  const error = await failureOf(
    new Groq().chat.completions.create({ model, messages: says("Fail with 400") }),
  );
  expect(error).toBeInstanceOf(Groq.BadRequestError);
  expect(error.message).toContain("The stand-in fails with 400.");
  session.sent("groq");
  expect(await rowOf(caller)).toMatchObject({
    provider: "groq",
    model,
    status: 400,
    refusal: null,
    usage: null,
    costNanos: null,
  });
  shown("error");
});
