/** Its SDK reads no base address from the environment: the client is made as docs/guides/sdks.md says. */

import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { Mistral } from "@mistralai/mistralai";
import { MistralError } from "@mistralai/mistralai/models/errors";
import { fidelity } from "../support/fidelity.ts";
import { all, HELLO, place, rowOf, says, startFurtherSession, USED } from "./further.ts";
import { asUser, failureOf } from "./session.ts";

const session = await startFurtherSession();
const shown = fidelity({ sdk: "@mistralai/mistralai", provider: "Mistral", language: "TypeScript" });
const model = "mistral-small-latest";

function newClient(): Mistral {
  const { url, key } = place();
  return new Mistral({ apiKey: key, serverURL: `${url}/mistral` });
}

test("a chat is answered, metered and priced", async () => {
  const caller = await asUser(session);
  const answer = await newClient().chat.complete({ model, messages: says("Say hello") });
  expect(answer.choices[0]?.message?.content).toBe(HELLO);
  expect(answer.usage.completionTokens).toBe(7);
  expect(session.sent("mistral").path).toBe("/v1/chat/completions");
  expect(await rowOf(caller)).toMatchObject({
    userName: caller.name,
    provider: "mistral",
    endpoint: "/v1/chat/completions",
    model,
    status: 200,
    usage: USED,
    evidence: "reported",
    // $0.10 for a million tokens of input, $0.30 of output.
    costNanos: String(11 * 150 + 7 * 600),
  });
  shown("plain");
});

test("a stream is answered, metered and priced", async () => {
  const caller = await asUser(session);
  const events = await all(await newClient().chat.stream({ model, messages: says("Say hello") }));
  expect(events.map((event) => event.data.choices[0]?.delta.content).join("")).toBe("Hello!");
  expect(events.at(-1)?.data.usage?.totalTokens).toBe(20);
  session.sent("mistral");
  expect(await rowOf(caller)).toMatchObject({
    provider: "mistral",
    model,
    status: 200,
    usage: { input_tokens: 9, cache_read_tokens: 4, output_tokens: 7 },
  });
  shown("stream");
});

test("an uploaded file arrives byte for byte", async () => {
  const caller = await asUser(session);
  const content = crypto.getRandomValues(new Uint8Array(60_000));
  const file = { fileName: "données.pdf", content };
  const made = await newClient().files.upload({ file, purpose: "ocr" });
  expect(made).toMatchObject({
    sizeBytes: content.length,
    signature: createHash("sha256").update(content).digest("hex"),
  });
  session.sent("mistral");
  expect(await rowOf(caller)).toMatchObject({
    provider: "mistral",
    method: "POST",
    endpoint: "/v1/files",
    status: 200,
    refusal: null,
  });
  shown("upload");
});

test("a scanned document is metered and priced by its pages", async () => {
  const caller = await asUser(session);
  const answer = await newClient().ocr.process({
    model: "mistral-ocr-2512",
    document: { type: "document_url", documentUrl: "https://example.com/a.pdf" },
  });
  expect(answer.usageInfo.pagesProcessed).toBe(29);
  session.sent("mistral");
  expect(await rowOf(caller)).toMatchObject({
    endpoint: "/v1/ocr",
    model: "mistral-ocr-2512",
    status: 200,
    usage: { pages: 29 },
    // $2 for a thousand pages.
    costNanos: String(29 * 2_000_000),
  });
});

test("a recording is metered by the model that its form names", async () => {
  const caller = await asUser(session);
  const file = { fileName: "a.wav", content: crypto.getRandomValues(new Uint8Array(1000)) };
  const answer = await newClient().audio.transcriptions.complete({ model: "voxtral-mini-latest", file });
  expect(answer.text).toBe("The sun was setting slowly.");
  session.sent("mistral");
  expect(await rowOf(caller)).toMatchObject({
    endpoint: "/v1/audio/transcriptions",
    model: "voxtral-mini-latest",
    status: 200,
    usage: { input_tokens: 5, output_tokens: 24, milliseconds: 5000 },
  });
});

test("what it refuses arrives as its own error", async () => {
  const caller = await asUser(session);
  const error = await failureOf(newClient().chat.complete({ model, messages: says("Fail with 400") }));
  expect(error).toBeInstanceOf(MistralError);
  expect(error).toMatchObject({ statusCode: 400 });
  expect(error).toHaveProperty("body", expect.stringContaining("The stand-in fails with 400."));
  session.sent("mistral");
  expect(await rowOf(caller)).toMatchObject({
    provider: "mistral",
    model,
    status: 400,
    refusal: null,
    usage: null,
    costNanos: null,
  });
  shown("error");
});
