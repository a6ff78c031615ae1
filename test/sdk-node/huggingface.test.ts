/** The router and a dedicated endpoint, each with the one argument that docs/guides/sdks.md names. */
import { expect, test } from "bun:test";
import { InferenceClient, InferenceClientProviderApiError } from "@huggingface/inference";
import { fidelity } from "../support/fidelity.ts";
import { all, HELLO, place, rowOf, says, startFurtherSession, USED } from "./further.ts";
import { asUser, failureOf } from "./session.ts";

const session = await startFurtherSession();
const shown = fidelity({ sdk: "@huggingface/inference", provider: "Hugging Face", language: "TypeScript" });
const model = "meta-llama/Llama-3.3-70B-Instruct";
// $0.90 for a million tokens of input, $1.20 of output.
const costNanos = String(11 * 900 + 7 * 1200);

function router(): InferenceClient {
  const { url, key } = place();
  return new InferenceClient(`hf_${key}`, { endpointUrl: `${url}/huggingface/v1` });
}

function dedicated(): InferenceClient {
  const { url, key } = place();
  return new InferenceClient(`hf_${key}`, { endpointUrl: `${url}/hf-lab` });
}

test("a chat at the router is answered, metered and priced", async () => {
  const caller = await asUser(session);
  const answer = await router().chatCompletion({ model, messages: says("Say hello") });
  expect(answer.choices[0]?.message.content).toBe(HELLO);
  expect(answer.usage.completion_tokens).toBe(7);
  expect(session.sent("huggingface").path).toBe("/v1/chat/completions");
  expect(await rowOf(caller)).toMatchObject({
    userName: caller.name,
    provider: "huggingface",
    endpoint: "/v1/chat/completions",
    model,
    status: 200,
    usage: USED,
    evidence: "reported",
    costNanos,
  });
  shown("plain");
});

test("a stream of the router is answered, metered and priced", async () => {
  const caller = await asUser(session);
  const stream = router().chatCompletionStream({ model, messages: says("Say hello") });
  const chunks = await all(stream);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(HELLO);
  session.sent("huggingface");
  expect(await rowOf(caller)).toMatchObject({
    provider: "huggingface",
    model,
    status: 200,
    usage: USED,
    costNanos,
  });
  shown("stream");
});

test("what the router refuses arrives as its own error", async () => {
  const caller = await asUser(session);
  const error = await failureOf(router().chatCompletion({ model, messages: says("Fail with 400") }));
  expect(error).toBeInstanceOf(InferenceClientProviderApiError);
  expect(error).toMatchObject({
    httpResponse: { status: 400, body: { error: { message: "The stand-in fails with 400." } } },
  });
  session.sent("huggingface");
  expect(await rowOf(caller)).toMatchObject({
    provider: "huggingface",
    model,
    status: 400,
    refusal: null,
    usage: null,
  });
  shown("error");
});

test("a chat at a dedicated endpoint uses that one's own key", async () => {
  const caller = await asUser(session);
  const answer = await dedicated().chatCompletion({ messages: says("Say hello") });
  expect(answer.choices[0]?.message.content).toBe(HELLO);
  expect(session.sent("hf-lab").path).toBe("/v1/chat/completions");
  expect(await rowOf(caller)).toMatchObject({
    provider: "hf-lab",
    endpoint: "/v1/chat/completions",
    status: 200,
    usage: USED,
  });
  shown("plain");
});

test("a text that a dedicated endpoint generates is metered", async () => {
  const caller = await asUser(session);
  const answer = await dedicated().textGeneration({ inputs: "Once" });
  expect(answer.generated_text).toBe("Hi");
  expect(session.sent("hf-lab").path).toBe("/v1/completions");
  expect(await rowOf(caller)).toMatchObject({
    provider: "hf-lab",
    status: 200,
    usage: { input_tokens: 3, output_tokens: 6 },
  });
});

test("a picture sent to a dedicated endpoint is metered by time", async () => {
  const caller = await asUser(session);
  const picture = new Blob(["\x89PNG\r\n\x1a\n", crypto.getRandomValues(new Uint8Array(50_000))]);
  const answer = await dedicated().imageClassification({ data: picture });
  expect(answer).toMatchObject([{ label: "POSITIVE", score: 0.99 }]);
  expect(session.sent("hf-lab").headers["content-length"]).toBe(String(picture.size));
  expect(await rowOf(caller)).toMatchObject({
    provider: "hf-lab",
    status: 200,
    bytesIn: picture.size,
    usage: { milliseconds: 500 },
  });
  shown("upload");
});
