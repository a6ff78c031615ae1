/** Cohere's TypeScript SDK reads no base address from the environment: it is made as docs/guides/sdks.md says. */

import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { Cohere, CohereClientV2 } from "cohere-ai";
import { fidelity } from "../support/fidelity.ts";
import { all, HELLO, place, rowOf, says, startFurtherSession, USED } from "./further.ts";
import { asUser, failureOf } from "./session.ts";

const session = await startFurtherSession();
const shown = fidelity({ sdk: "cohere-ai", provider: "Cohere", language: "TypeScript" });
const model = "command-r-08-2024";
// $0.15 for a million tokens of input, $0.60 of output.
const costNanos = String(11 * 150 + 7 * 600);

function newClient(): CohereClientV2 {
  const { url, key } = place();
  return new CohereClientV2({ token: key, environment: `${url}/cohere` });
}

test("a chat is answered, metered and priced", async () => {
  const caller = await asUser(session);
  const answer = await newClient().chat({ model, messages: says("Say hello") });
  expect(answer.message.content).toMatchObject([{ type: "text", text: HELLO }]);
  expect(answer.usage?.billedUnits?.outputTokens).toBe(7);
  expect(session.sent("cohere").path).toBe("/v2/chat");
  expect(await rowOf(caller)).toMatchObject({
    userName: caller.name,
    provider: "cohere",
    endpoint: "/v2/chat",
    model,
    status: 200,
    ending: "complete",
    usage: USED,
    evidence: "reported",
    costNanos,
  });
  shown("plain");
});

test("a stream is answered, metered and priced", async () => {
  const caller = await asUser(session);
  const events = await all(await newClient().chatStream({ model, messages: says("Say hello") }));
  const pieces = events.flatMap((event) =>
    event.type === "content-delta" ? [event.delta?.message?.content?.text] : [],
  );
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.join("")).toBe(HELLO);
  expect(events.at(-1)).toMatchObject({
    type: "message-end",
    delta: { usage: { billedUnits: { inputTokens: 11 } } },
  });
  session.sent("cohere");
  expect(await rowOf(caller)).toMatchObject({
    provider: "cohere",
    model,
    status: 200,
    usage: USED,
    costNanos,
  });
  shown("stream");
});

test("a rerank is metered by its searches", async () => {
  const caller = await asUser(session);
  const documents = ["a", "b", "c", "d"];
  const answer = await newClient().rerank({ model: "rerank-v3.5", query: "q", documents });
  expect(answer.results[0]?.index).toBe(3);
  session.sent("cohere");
  expect(await rowOf(caller)).toMatchObject({
    endpoint: "/v2/rerank",
    model: "rerank-v3.5",
    status: 200,
    usage: { searches: 1 },
  });
});

test("an uploaded dataset arrives byte for byte", async () => {
  const caller = await asUser(session);
  const content = Buffer.from('{"text": "a"}\n'.repeat(5000));
  const file = new File([content], "data.jsonl");
  const made = await newClient().datasets.create(file, undefined, { name: "mine", type: "embed-input" });
  expect(made.id).toBe(`data.jsonl-${createHash("sha256").update(content).digest("hex")}`);
  expect(session.sent("cohere").path).toStartWith("/v1/datasets?");
  expect(await rowOf(caller)).toMatchObject({
    provider: "cohere",
    method: "POST",
    endpoint: "/v1/datasets",
    status: 200,
    refusal: null,
  });
  shown("upload");
});

test("what it refuses arrives as its own error", async () => {
  const caller = await asUser(session);
  const error = await failureOf(newClient().chat({ model, messages: says("Fail with 400") }));
  expect(error).toBeInstanceOf(Cohere.BadRequestError);
  expect(error).toMatchObject({
    statusCode: 400,
    body: { error: { message: "The stand-in fails with 400." } },
  });
  session.sent("cohere");
  expect(await rowOf(caller)).toMatchObject({
    provider: "cohere",
    model,
    status: 400,
    refusal: null,
    usage: null,
    costNanos: null,
  });
  shown("error");
});
