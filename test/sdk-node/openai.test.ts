import { afterAll, describe, expect, test } from "bun:test";
import OpenAI, { toFile } from "openai";
import { fidelity } from "../support/fidelity.ts";
import { asUser, failureOf, setEnvironment, startSession } from "./session.ts";

const session = await startSession();
const shown = fidelity({ sdk: "openai", provider: "OpenAI", language: "TypeScript" });

afterAll(() => {
  expect(session.providers.openai.calls.length).toBeGreaterThan(0);
  expect(JSON.stringify(session.providers.openai.calls)).not.toContain("lmk_");
});

const model = "gpt-standin";
const hello = { model, messages: [{ role: "user" as const, content: "Say hello" }] };

test("the first user's exports file is all that a client needs", async () => {
  setEnvironment(session.gateway.exports);
  const answer = await new OpenAI().chat.completions.create(hello);
  expect(answer.choices[0]?.message.content).toBe("Hello from the stand-in, 你好 👋.");
  const [row] = await session.gateway.rowsOf("first-user", 1);
  expect(row).toMatchObject({ userName: "first-user", provider: "openai", status: 200 });
});

test("a chat completion comes as the provider sent it, and is logged with who asked for what", async () => {
  const caller = await asUser(session);
  const { data, response } = await new OpenAI().chat.completions.create(hello).withResponse();
  const requestId = response.headers.get("x-request-id");
  expect(data.choices[0]?.message.content).toBe("Hello from the stand-in, 你好 👋.");
  expect(data.usage?.total_tokens).toBeGreaterThan(0);
  expect(requestId).toMatch(/^req_standin_/);
  const rows = await caller.rows(1);
  expect(rows).toMatchObject([
    {
      id: response.headers.get("x-llamakey-request-id"),
      keyId: caller.keyId,
      userName: caller.name,
      provider: "openai",
      method: "POST",
      endpoint: "/chat/completions",
      model,
      status: 200,
      refusal: null,
      ending: "complete",
      upstreamRequestId: requestId,
    },
  ]);
  shown("plain");
});

test("a streamed chat completion arrives event by event, while the model still speaks", async () => {
  const caller = await asUser(session);
  const stream = await new OpenAI().chat.completions.create({
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: "user", content: "Speak slowly" }],
  });
  let text = "";
  let totalTokens = 0;
  const arrivals: number[] = [];
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    totalTokens = chunk.usage?.total_tokens ?? totalTokens;
    arrivals.push(performance.now());
  }
  expect(text).toBe("One two three four five six seven eight nine ten.");
  expect(totalTokens).toBeGreaterThan(0);
  // The stand-in speaks for more than a second; what was held back would come all at once.
  expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(500);
  expect(await caller.rows(1)).toMatchObject([
    { endpoint: "/chat/completions", model, status: 200, refusal: null, ending: "complete" },
  ]);
  shown("stream");
});

test("a stream that the client breaks off is logged as the client's doing", async () => {
  const caller = await asUser(session);
  const stream = await new OpenAI().chat.completions.create({
    model,
    stream: true,
    messages: [{ role: "user", content: "Speak slowly" }],
  });
  for await (const _ of stream) break;
  expect(await caller.rows(1)).toMatchObject([{ status: 200, refusal: null, ending: "client_closed" }]);
});

describe("tools", () => {
  const tools: OpenAI.ChatCompletionTool[] = [
    {
      type: "function",
      function: {
        name: "get_weather",
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  ];
  const question: OpenAI.ChatCompletionMessageParam = { role: "user", content: "What is the weather?" };

  test("a tool call goes to the client, and its result back to the model", async () => {
    const caller = await asUser(session);
    const client = new OpenAI();
    const first = await client.chat.completions.create({ model, tools, messages: [question] });
    const message = first.choices[0]?.message;
    expect(first.choices[0]?.finish_reason).toBe("tool_calls");
    expect(message?.tool_calls).toMatchObject([
      { id: "call_weather_1", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
    ]);
    if (message === undefined) throw new Error("There is no message.");
    const result = { role: "tool" as const, tool_call_id: "call_weather_1", content: "sunny" };
    const second = await client.chat.completions.create({
      model,
      tools,
      messages: [question, message, result],
    });
    expect(second.choices[0]?.message.content).toBe("It is sunny in Paris.");
    expect(await caller.rows(2)).toMatchObject([
      { status: 200, ending: "complete" },
      { status: 200, ending: "complete" },
    ]);
  });

  test("the SDK's own tool runner works, streamed", async () => {
    const caller = await asUser(session);
    const runner = new OpenAI().chat.completions.runTools({
      model,
      stream: true,
      messages: [question],
      tools: [
        {
          type: "function",
          function: {
            name: "get_weather",
            description: "The weather in a city",
            parameters: { type: "object", properties: { city: { type: "string" } } },
            parse: JSON.parse,
            function: ({ city }: { city: string }) => `sunny in ${city}`,
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe("It is sunny in Paris.");
    expect(await caller.rows(2)).toMatchObject([{ status: 200 }, { status: 200 }]);
  });
});

test("embeddings come as numbers", async () => {
  const caller = await asUser(session);
  const answer = await new OpenAI().embeddings.create({ model: "embed-standin", input: "Embed this" });
  expect(answer.data[0]?.embedding).toEqual([0.125, -0.25, 0.5]);
  expect(await caller.rows(1)).toMatchObject([
    { endpoint: "/embeddings", model: "embed-standin", status: 200, refusal: null },
  ]);
});

test("responses work, plain and streamed", async () => {
  const caller = await asUser(session);
  const client = new OpenAI();
  const plain = await client.responses.create({ model, input: "Say hello" });
  expect(plain.output_text).toBe("Hello from the stand-in, 你好 👋.");
  const stream = client.responses.stream({ model, input: "Say hello" });
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  expect(types[0]).toBe("response.created");
  expect(types.at(-1)).toBe("response.completed");
  expect((await stream.finalResponse()).output_text).toBe("Hello from the stand-in, 你好 👋.");
  expect(await caller.rows(2)).toMatchObject([
    { endpoint: "/responses", model, status: 200, ending: "complete" },
    { endpoint: "/responses", model, status: 200, ending: "complete" },
  ]);
  shown("plain", "stream");
});

test("an uploaded file comes back byte for byte", async () => {
  const caller = await asUser(session);
  const client = new OpenAI();
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const file = await client.files.create({
    file: await toFile(bytes, "données 1.bin"),
    purpose: "user_data",
  });
  expect(file).toMatchObject({ bytes: bytes.length, filename: "données 1.bin" });
  const content = await client.files.content(file.id);
  expect(new Uint8Array(await content.arrayBuffer())).toEqual(bytes);
  expect(await client.files.delete(file.id)).toMatchObject({ id: file.id, deleted: true });
  expect(await caller.rows(3)).toMatchObject([
    { method: "POST", endpoint: "/files", status: 200, refusal: null },
    { method: "GET", endpoint: `/files/${file.id}/content`, status: 200, bytesOut: bytes.length },
    { method: "DELETE", endpoint: `/files/${file.id}`, status: 200 },
  ]);
  shown("upload");
});

test("a batch runs from its input file to its output file", async () => {
  const caller = await asUser(session);
  const client = new OpenAI();
  const line = { custom_id: "one", method: "POST", url: "/v1/chat/completions", body: hello };
  const input = await client.files.create({
    file: await toFile(Buffer.from(JSON.stringify(line)), "input.jsonl"),
    purpose: "batch",
  });
  let batch = await client.batches.create({
    input_file_id: input.id,
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
  });
  for (let tries = 0; batch.status !== "completed" && tries < 10; tries += 1) {
    batch = await client.batches.retrieve(batch.id);
  }
  const output = await client.files.content(batch.output_file_id ?? "");
  expect(JSON.parse(await output.text())).toMatchObject({ custom_id: "one" });
  const rows = await caller.rows(4);
  expect(rows.map((row) => row.status)).toEqual(rows.map(() => 200));
});

test("a list is read page by page to its end", async () => {
  const caller = await asUser(session);
  const client = new OpenAI();
  const names = ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"];
  for (const name of names) {
    await client.files.create({ file: await toFile(Buffer.from(name), name), purpose: "assistants" });
  }
  const read: string[] = [];
  for await (const file of client.files.list({ purpose: "assistants", limit: 2, order: "asc" })) {
    read.push(file.filename);
  }
  expect(read).toEqual(names);
  const lists = (await caller.rows(8)).filter((row) => row.method === "GET");
  // Never the query: it may hold what its author would not want to see in a log.
  expect(lists.map((row) => row.endpoint)).toEqual(["/files", "/files", "/files"]);
});

describe("what the provider refuses reaches the client as the provider's own error", () => {
  const cases = [
    [400, OpenAI.BadRequestError, "unknown_parameter"],
    [404, OpenAI.NotFoundError, "model_not_found"],
    [429, OpenAI.RateLimitError, "rate_limit_exceeded"],
    [500, OpenAI.InternalServerError, "internal_error"],
  ] as const;
  test.each(cases)("%d", async (status, errorClass, code) => {
    const caller = await asUser(session);
    const failure = await failureOf(
      new OpenAI().chat.completions.create(
        { model, messages: [{ role: "user", content: `Fail with ${status}` }] },
        { maxRetries: 0 },
      ),
    );
    expect(failure).toBeInstanceOf(errorClass);
    expect(failure).toMatchObject({ status, code, message: `${status} The stand-in fails with ${status}.` });
    expect(failure.requestID).toMatch(/^req_standin_/);
    expect(failure.headers?.get("x-llamakey-refusal")).toBeNull();
    expect(await caller.rows(1)).toMatchObject([
      { model, status, refusal: null, ending: "complete", upstreamRequestId: failure.requestID },
    ]);
    shown("error");
  });

  test("and is retried as the SDK retries the provider", async () => {
    const caller = await asUser(session);
    const call = new OpenAI().chat.completions.create(
      { model, messages: [{ role: "user", content: "Fail with 500" }] },
      { maxRetries: 1 },
    );
    expect(await failureOf(call)).toBeInstanceOf(OpenAI.InternalServerError);
    expect(await caller.rows(2)).toMatchObject([{ status: 500 }, { status: 500 }]);
  });
});

test("a real key that the provider rejects is the gateway's trouble, told without the provider's words", async () => {
  const caller = await asUser(session);
  const failure = await failureOf(
    new OpenAI().chat.completions.create({ model, messages: [{ role: "user", content: "Fail with 401" }] }),
  );
  expect(failure).toBeInstanceOf(OpenAI.InternalServerError);
  expect(failure).toMatchObject({ status: 502, code: "credential_rejected" });
  expect(failure.message).not.toContain("stand-in");
  // One row: to send the same rejected key again helps nobody.
  expect(await caller.rows(1)).toMatchObject([
    { status: 502, refusal: "credential_rejected", ending: "refused" },
  ]);
});

test("the caller's own organisation and project stay here: the real key is of another one", async () => {
  await asUser(session);
  process.env["OPENAI_ORG_ID"] = "org-of-the-caller";
  process.env["OPENAI_PROJECT_ID"] = "proj-of-the-caller";
  await new OpenAI().chat.completions.create(hello);
  expect(JSON.stringify(session.providers.openai.calls)).not.toContain("-of-the-caller");
});

test("a request that no endpoint of the gateway's list names passes all the same", async () => {
  const caller = await asUser(session);
  const failure = await failureOf(new OpenAI().get("/no/such/endpoint"));
  expect(failure).toBeInstanceOf(OpenAI.NotFoundError);
  expect(await caller.rows(1)).toMatchObject([
    { endpoint: "/no/such/endpoint", status: 404, refusal: null, ending: "complete" },
  ]);
});
