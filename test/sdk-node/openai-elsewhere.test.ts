/** OpenAI's SDK against others who speak its language, by the variables that the exports have for them. */
import { describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { all, HELLO, rowOf, says, startFurtherSession, USED } from "./further.ts";
import { asUser, failureOf } from "./session.ts";

const session = await startFurtherSession();

const providers = [
  {
    id: "anyscale",
    key: "ANYSCALE_API_KEY",
    base: "ANYSCALE_BASE_URL",
    // What the provider is sent, and what the log says.
    path: "/v1/chat/completions",
    endpoint: "/chat/completions",
    model: "my-model",
    // A service of one's own, billed by the hour.
    costNanos: "0",
  },
  {
    id: "deepseek",
    key: "DEEPSEEK_API_KEY",
    base: "DEEPSEEK_API_BASE",
    path: "/v1/chat/completions",
    endpoint: "/v1/chat/completions",
    // Of those whose price is the same at any time of day: $0.27 for a million tokens of input, $0.41 of output.
    model: "deepseek-v3.2-exp",
    costNanos: String(11 * 270 + 7 * 410),
  },
  {
    id: "openrouter",
    key: "OPENROUTER_API_KEY",
    base: "OPENROUTER_BASE_URL",
    path: "/api/v1/chat/completions",
    endpoint: "/chat/completions",
    model: "openai/gpt-4o-mini",
    // What its answer says, and not the 5,850 of the price list.
    costNanos: "6100",
  },
];

describe.each(providers)("$id", ({ id, key, base, path, endpoint, model, costNanos }) => {
  const newClient = () => {
    const [apiKey, baseURL] = [process.env[key], process.env[base]];
    // Without them the SDK would go to OpenAI.
    if (apiKey === undefined || baseURL === undefined) throw new Error(`The exports lack ${key} or ${base}.`);
    return new OpenAI({ apiKey, baseURL });
  };

  test("a chat is answered, metered and priced", async () => {
    const caller = await asUser(session);
    const answer = await newClient().chat.completions.create({ model, messages: says("Say hello") });
    expect(answer.choices[0]?.message.content).toBe(HELLO);
    expect(answer.usage?.completion_tokens).toBe(7);
    expect(session.sent(id).path).toBe(path);
    expect(await rowOf(caller)).toMatchObject({
      userName: caller.name,
      provider: id,
      endpoint,
      model,
      status: 200,
      usage: USED,
      evidence: "reported",
      costNanos,
    });
  });

  test("a stream is answered, metered and priced", async () => {
    const caller = await asUser(session);
    const stream = await newClient().chat.completions.create({
      model,
      messages: says("Say hello"),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await all(stream);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(HELLO);
    expect(chunks.at(-1)?.usage?.total_tokens).toBe(18);
    session.sent(id);
    expect(await rowOf(caller)).toMatchObject({ provider: id, model, status: 200, usage: USED, costNanos });
  });

  test("what it refuses arrives as its own error", async () => {
    const caller = await asUser(session);
    const error = await failureOf(
      newClient().chat.completions.create({ model, messages: says("Fail with 400") }),
    );
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error.message).toContain("The stand-in fails with 400.");
    session.sent(id);
    expect(await rowOf(caller)).toMatchObject({
      provider: id,
      model,
      status: 400,
      refusal: null,
      usage: null,
      costNanos: null,
    });
  });
});
