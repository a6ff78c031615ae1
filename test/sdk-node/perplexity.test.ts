import { expect, test } from "bun:test";
import Perplexity from "@perplexity-ai/perplexity_ai";
import { fidelity } from "../support/fidelity.ts";
import { all, rowOf, says, startFurtherSession } from "./further.ts";
import { asUser, failureOf } from "./session.ts";

const session = await startFurtherSession();
const shown = fidelity({
  sdk: "@perplexity-ai/perplexity_ai",
  provider: "Perplexity",
  language: "TypeScript",
});
const model = "sonar-pro";

test("a chat costs what its answer says", async () => {
  const caller = await asUser(session);
  const answer = await new Perplexity().chat.completions.create({ model, messages: says("Say hello") });
  expect(answer.choices[0]?.message.content).toStartWith("Hello!");
  expect(answer.usage?.cost.total_cost).toBe(0.018558);
  expect(session.sent("perplexity").path).toBe("/chat/completions");
  expect(await rowOf(caller)).toMatchObject({
    userName: caller.name,
    provider: "perplexity",
    endpoint: "/chat/completions",
    model,
    status: 200,
    usage: { input_tokens: 26, output_tokens: 832 },
    evidence: "reported",
    costNanos: "18558000",
  });
  shown("plain");
});

test("a stream costs what its end says", async () => {
  const caller = await asUser(session);
  const stream = await new Perplexity().chat.completions.create({
    model,
    messages: says("Say hello"),
    stream: true,
  });
  const chunks = await all(stream);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content).join("")).toBe("Hello");
  expect(chunks.at(-1)?.usage?.cost.total_cost).toBe(0.006138);
  session.sent("perplexity");
  expect(await rowOf(caller)).toMatchObject({
    provider: "perplexity",
    model,
    status: 200,
    // The last piece's and not the sum: each has what was used so far.
    usage: { input_tokens: 26, output_tokens: 4 },
    costNanos: "6138000",
  });
  shown("stream");
});

test("a search is metered as a request", async () => {
  const caller = await asUser(session);
  const answer = await new Perplexity().search.create({ query: "What is new?" });
  expect(answer.results[0]?.snippet).toBe("What it says.");
  session.sent("perplexity");
  expect(await rowOf(caller)).toMatchObject({
    provider: "perplexity",
    endpoint: "/search",
    status: 200,
    usage: { requests: 1 },
  });
});

test("what it refuses arrives as its own error", async () => {
  const caller = await asUser(session);
  const error = await failureOf(
    new Perplexity().chat.completions.create({ model, messages: says("Fail with 400") }),
  );
  expect(error).toBeInstanceOf(Perplexity.BadRequestError);
  expect(error.message).toContain("The stand-in fails with 400.");
  session.sent("perplexity");
  expect(await rowOf(caller)).toMatchObject({
    provider: "perplexity",
    model,
    status: 400,
    refusal: null,
    usage: null,
    costNanos: null,
  });
  shown("error");
});
