import { afterAll, describe, expect, test } from "bun:test";
import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { fidelity } from "../support/fidelity.ts";
import { asUser, failureOf, startSession } from "./session.ts";

const session = await startSession();
const shown = fidelity({ sdk: "@anthropic-ai/sdk", provider: "Anthropic", language: "TypeScript" });

afterAll(() => {
  expect(session.providers.anthropic.calls.length).toBeGreaterThan(0);
  expect(JSON.stringify(session.providers.anthropic.calls)).not.toContain("lmk_");
});

const model = "claude-standin-1";
const says = (content: string) => ({ model, max_tokens: 64, messages: [{ role: "user" as const, content }] });
const textOf = (message: Anthropic.Message) =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

test("a message comes as the provider sent it, and is logged with who asked for what", async () => {
  const caller = await asUser(session);
  const { data, response } = await new Anthropic().messages.create(says("Say hello")).withResponse();
  expect(textOf(data)).toBe("Hello from the stand-in, 你好 👋.");
  expect(data.usage.output_tokens).toBeGreaterThan(0);
  const requestId = response.headers.get("request-id");
  expect(requestId).toMatch(/^req_standin_/);
  expect(await caller.rows(1)).toMatchObject([
    {
      id: response.headers.get("x-llamakey-request-id"),
      keyId: caller.keyId,
      userName: caller.name,
      provider: "anthropic",
      method: "POST",
      endpoint: "/v1/messages",
      model,
      status: 200,
      refusal: null,
      ending: "complete",
      upstreamRequestId: requestId,
    },
  ]);
  shown("plain");
});

test("a streamed message arrives event by event, while the model still speaks", async () => {
  const caller = await asUser(session);
  const stream = new Anthropic().messages.stream(says("Speak slowly"));
  const arrivals: number[] = [];
  stream.on("text", () => arrivals.push(performance.now()));
  const message = await stream.finalMessage();
  expect(textOf(message)).toBe("One two three four five six seven eight nine ten.");
  expect(message.stop_reason).toBe("end_turn");
  // The stand-in speaks for more than a second; what was held back would come all at once.
  expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(500);
  expect(await caller.rows(1)).toMatchObject([
    { endpoint: "/v1/messages", model, status: 200, refusal: null, ending: "complete" },
  ]);
  shown("stream");
});

test("a stream that the client breaks off is logged as the client's doing", async () => {
  const caller = await asUser(session);
  const stream = await new Anthropic().messages.create({ ...says("Speak slowly"), stream: true });
  for await (const _ of stream) break;
  expect(await caller.rows(1)).toMatchObject([{ status: 200, refusal: null, ending: "client_closed" }]);
});

test("a tool call goes to the client, and its result back to the model", async () => {
  const caller = await asUser(session);
  const client = new Anthropic();
  const tools: Anthropic.Tool[] = [
    { name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } } } },
  ];
  const question = says("What is the weather?");
  const first = await client.messages.create({ ...question, tools });
  expect(first.stop_reason).toBe("tool_use");
  const use = first.content.find((block) => block.type === "tool_use");
  if (use === undefined) throw new Error("There is no tool_use block.");
  expect(use).toMatchObject({ name: "get_weather", input: { city: "Paris" } });
  const second = await client.messages.create({
    ...question,
    tools,
    messages: [
      ...question.messages,
      { role: "assistant", content: [{ type: "tool_use", id: use.id, name: use.name, input: use.input }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "sunny" }] },
    ],
  });
  expect(textOf(second)).toBe("It is sunny in Paris.");
  expect(await caller.rows(2)).toMatchObject([{ status: 200 }, { status: 200 }]);
});

test("tokens are counted", async () => {
  const caller = await asUser(session);
  const { messages } = says("Say hello");
  const count = await new Anthropic().messages.countTokens({ model, messages });
  expect(count.input_tokens).toBeGreaterThan(0);
  expect(await caller.rows(1)).toMatchObject([{ endpoint: "/v1/messages/count_tokens", model, status: 200 }]);
});

test("an uploaded file comes back byte for byte", async () => {
  const caller = await asUser(session);
  const client = new Anthropic();
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const file = await client.files.upload({
    file: await toFile(bytes, "données 1.pdf", { type: "application/pdf" }),
  });
  expect(file).toMatchObject({
    size_bytes: bytes.length,
    filename: "données 1.pdf",
    mime_type: "application/pdf",
  });
  const content = await client.files.download(file.id);
  expect(new Uint8Array(await content.arrayBuffer())).toEqual(bytes);
  expect(await client.files.delete(file.id)).toMatchObject({ id: file.id });
  expect(await caller.rows(3)).toMatchObject([
    { method: "POST", endpoint: "/v1/files", status: 200, refusal: null },
    { method: "GET", endpoint: `/v1/files/${file.id}/content`, status: 200, bytesOut: bytes.length },
    { method: "DELETE", endpoint: `/v1/files/${file.id}`, status: 200 },
  ]);
  shown("upload");
});

test("a list is read page by page to its end", async () => {
  const caller = await asUser(session);
  const read: string[] = [];
  for await (const info of new Anthropic().models.list({ limit: 2 })) read.push(info.id);
  expect(read).toEqual([1, 2, 3, 4, 5].map((number) => `claude-standin-${number}`));
  // Never the query: it may hold what its author would not want to see in a log.
  expect(await caller.rows(3)).toMatchObject([
    { endpoint: "/v1/models", status: 200 },
    { endpoint: "/v1/models", status: 200 },
    { endpoint: "/v1/models", status: 200 },
  ]);
});

describe("batches, whose results lie at an address that the provider names", () => {
  const requests = ["first", "second"].map((custom_id) => ({ custom_id, params: says("Say hello") }));

  test("results() comes to the gateway: the master key goes to no other host", async () => {
    const caller = await asUser(session);
    const client = new Anthropic();
    const batch = await client.messages.batches.create({ requests });
    const results: string[] = [];
    for await (const result of await client.messages.batches.results(batch.id)) {
      if (result.result.type === "succeeded") results.push(textOf(result.result.message));
    }
    expect(results).toEqual(["Result of first", "Result of second"]);
    expect(session.providers.trap.connections).toBe(0);
    expect(await caller.rows(3)).toMatchObject([
      { method: "POST", endpoint: "/v1/messages/batches", status: 200 },
      { method: "GET", endpoint: `/v1/messages/batches/${batch.id}`, status: 200 },
      { method: "GET", endpoint: `/v1/messages/batches/${batch.id}/results`, status: 200 },
    ]);
  });

  test("the link is the gateway's wherever a batch is shown", async () => {
    await asUser(session);
    const client = new Anthropic();
    const created = await client.messages.batches.create({ requests });
    const shown = await client.messages.batches.retrieve(created.id);
    const listed = (await client.messages.batches.list()).data;
    expect(listed.length).toBeGreaterThan(0);
    for (const batch of [created, shown, ...listed]) {
      expect(batch.results_url).toBe(
        `${session.gateway.url}/anthropic/v1/messages/batches/${batch.id}/results`,
      );
    }
  });
});

describe("what the provider refuses reaches the client as the provider's own error", () => {
  const cases = [
    [400, Anthropic.BadRequestError, "invalid_request_error"],
    [404, Anthropic.NotFoundError, "not_found_error"],
    [429, Anthropic.RateLimitError, "rate_limit_error"],
    [500, Anthropic.InternalServerError, "api_error"],
  ] as const;
  test.each(cases)("%d", async (status, errorClass, type) => {
    const caller = await asUser(session);
    const failure = await failureOf(
      new Anthropic().messages.create(says(`Fail with ${status}`), { maxRetries: 0 }),
    );
    expect(failure).toBeInstanceOf(errorClass);
    expect(failure).toMatchObject({ status, type, apiMessage: `The stand-in fails with ${status}.` });
    expect(failure.requestID).toMatch(/^req_standin_/);
    expect(failure.headers?.get("x-llamakey-refusal")).toBeNull();
    expect(await caller.rows(1)).toMatchObject([
      { model, status, refusal: null, ending: "complete", upstreamRequestId: failure.requestID },
    ]);
    shown("error");
  });
});

test("a real key that the provider rejects is the gateway's trouble, told without the provider's words", async () => {
  const caller = await asUser(session);
  const failure = await failureOf(new Anthropic().messages.create(says("Fail with 401")));
  expect(failure).toBeInstanceOf(Anthropic.InternalServerError);
  expect(failure).toMatchObject({ status: 502, errorCode: "credential_rejected" });
  expect(failure.message).not.toContain("stand-in");
  // One row: to send the same rejected key again helps nobody.
  expect(await caller.rows(1)).toMatchObject([
    { status: 502, refusal: "credential_rejected", ending: "refused" },
  ]);
});
