import { expect, test } from "bun:test";
import { compileScope } from "../domain/compiled-scope.ts";
import type { Policy } from "../domain/policy.ts";
import type { Refusal } from "../domain/refusal.ts";
import { openai } from "../providers/openai.ts";
import { openrouter } from "../providers/openrouter.ts";
import { authorise } from "./authorise.ts";
import { Exchange } from "./exchange.ts";
import { findRoute } from "./route.ts";
import { createUpstream } from "./upstreams.ts";

const upstreams = new Map([
  ["openai", createUpstream(openai, "https://own.example/v1")],
  ["openrouter", createUpstream(openrouter, "https://own.example/api/v1")],
]);

function scopesOf(policy: Policy) {
  const stored = { scope: { kind: "key", id: "k" } as const, policy, budgets: [], version: 1 };
  return [compileScope(stored, "key k", (_, path) => path.replace(/^\/v1(?=\/)/, ""))];
}

interface Asked {
  readonly provider?: string;
  readonly path?: string;
  readonly method?: string;
  readonly model?: string | null;
  /** Other models that may answer. */
  readonly models?: readonly string[];
  readonly address?: string;
  readonly at?: number;
}

/** What becomes of a call: `allowed`, or the refusal's code; behind it what shadow scopes said. */
async function outcomeOf(scopes: ReturnType<typeof scopesOf>, asked: Asked = {}): Promise<string> {
  const {
    path = "/chat/completions",
    method = "POST",
    model = "gpt-5",
    address = "10.0.0.1",
    at = 0,
  } = asked;
  const { provider = "openai", models } = asked;
  const body = method === "GET" ? null : JSON.stringify({ model, models });
  const headers = { "content-type": "application/json", "content-length": String(body?.length ?? 0) };
  const request = new Request(`http://gateway/${provider}/v1${path}`, { method, headers, body });
  const exchange = new Exchange("id", method, at, address, 0, 1000);
  const code = await authorise(request, findRoute(request.url, upstreams), exchange, scopes).then(
    () => "allowed",
    (refusal: Refusal) => refusal.code,
  );
  return [code, ...exchange.shadowRefusals].join(" ");
}

test("a call like the one that was allowed is allowed, and every other one is asked about", async () => {
  const scopes = scopesOf({
    models: ["gpt-5*"],
    endpoints: ["POST /openai/v1/chat/completions", "POST /openai/v1/batches"],
    networks: ["10.0.0.0/8"],
    expiresAt: 1000,
  });
  for (const [asked, outcome] of [
    [{}, "allowed"],
    [{}, "allowed"],
    [{ model: "gpt-5-mini" }, "allowed"],
    [{ model: "gpt-4" }, "model_not_allowed"],
    [{ model: "gpt-4" }, "model_not_allowed"],
    [{ address: "11.0.0.1" }, "network_not_allowed"],
    [{ path: "/responses" }, "endpoint_not_allowed"],
    [{ method: "GET" }, "endpoint_not_allowed"],
    [{ at: 999 }, "allowed"],
    [{ at: 1000 }, "expired_key"],
    [{}, "allowed"],
    // Its requests stand in a file, and may be for any model.
    [{ path: "/batches", model: "gpt-5" }, "model_not_allowed"],
  ] as const) {
    expect([asked, await outcomeOf(scopes, asked)]).toEqual([asked, outcome]);
  }
});

test("a call that names no model, or lets others answer, is not like one that names its own", async () => {
  const scopes = scopesOf({ models: ["gpt-5"] });
  for (const [asked, outcome] of [
    // It costs nothing there.
    [{ path: "/vector_stores", model: null }, "allowed"],
    [{ model: null }, "model_not_allowed"],
    [{ provider: "openrouter" }, "allowed"],
    [{ provider: "openrouter", models: ["gpt-4"] }, "model_not_allowed"],
    [{ provider: "openrouter" }, "allowed"],
  ] as const) {
    expect([asked, await outcomeOf(scopes, asked)]).toEqual([asked, outcome]);
  }
});

test("other scopes are asked anew", async () => {
  expect(await outcomeOf(scopesOf({ models: ["gpt-5"] }))).toBe("allowed");
  expect(await outcomeOf(scopesOf({ models: ["gpt-4"] }))).toBe("model_not_allowed");
});

test("what scopes say that only count is noted at every call", async () => {
  const scopes = scopesOf({ models: ["gpt-4"], providers: ["groq"], shadow: true });
  const noted = "allowed key k: provider_not_allowed key k: model_not_allowed";
  expect(await outcomeOf(scopes)).toBe(noted);
  expect(await outcomeOf(scopes)).toBe(noted);
});
