import { expect, test } from "bun:test";
import type { Budget } from "../domain/budget.ts";
import { compileScope } from "../domain/compiled-scope.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { PriceBook } from "../pricing/book.ts";
import { bundledSnapshot } from "../pricing/bundled.ts";
import { openai } from "../providers/openai.ts";
import { admit } from "./admit.ts";
import { authorise } from "./authorise.ts";
import type { KeyHolder } from "./directory.ts";
import { Exchange } from "./exchange.ts";
import { findRoute } from "./route.ts";
import { createUpstream } from "./upstreams.ts";

const book = new PriceBook(bundledSnapshot());
const upstreams = new Map([["openai", createUpstream(openai, "https://own.example/v1")]]);

type Asked = readonly [id: string, only?: Partial<Pick<Budget, "provider" | "model">>];

/** Which of these budgets, each in a scope of its own, a call is held in. */
function holderWith(budgets: readonly Asked[]): KeyHolder {
  const scopes = budgets.map(([id, only]) => {
    const budget: Budget = {
      id,
      name: id,
      amount: 1n,
      period: { kind: "total" },
      provider: null,
      model: null,
      thresholds: [],
      shadow: false,
      createdAt: 0,
      ...only,
    };
    const stored = { scope: { kind: "key", id } as const, policy: {}, budgets: [budget], version: 1 };
    return compileScope(stored, id, (_, path) => path);
  });
  return { key: { id: "k" }, user: { id: "u" }, group: { id: "g" }, scopes } as unknown as KeyHolder;
}

async function heldIn(holder: KeyHolder, model: string): Promise<readonly string[]> {
  const body = JSON.stringify({ model, max_completion_tokens: 5 });
  const headers = { "content-type": "application/json", "content-length": String(body.length) };
  const request = new Request("http://gateway/openai/v1/chat/completions", { method: "POST", headers, body });
  const exchange = new Exchange("id", "POST", 0, null, 0, 1000);
  const route = findRoute(request.url, upstreams);
  exchange.upstream = route.upstream;
  const call = await authorise(request, route, exchange, []);
  let held: readonly string[] = [];
  const ledger = {
    reserve(_: unknown, ids: readonly string[]) {
      held = ids;
      return { durable: Promise.resolve(), shadowed: [] };
    },
  };
  await admit(call, holder, exchange, ledger as unknown as Ledger, () => book);
  return held;
}

test("a call is held in the budgets that count it, call by call", async () => {
  const some = holderWith([["all"], ["mini", { model: "gpt-5-mini*" }], ["other", { provider: "groq" }]]);
  expect(await heldIn(some, "gpt-5-mini")).toEqual(["all", "mini"]);
  expect(await heldIn(some, "gpt-5")).toEqual(["all"]);
  const every = holderWith([["one"], ["two"]]);
  expect(await heldIn(every, "gpt-5")).toEqual(["one", "two"]);
  expect(await heldIn(every, "gpt-5-mini")).toEqual(["one", "two"]);
  expect(await heldIn(holderWith([["three"]]), "gpt-5")).toEqual(["three"]);
  expect(await heldIn(holderWith([]), "gpt-5")).toEqual([]);
});
