import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compileScope } from "./compiled-scope.ts";
import { type AskedCall, answersTo, atTheDoor, decide, ofModel } from "./decide.ts";
import type { Policy, ScopeKind } from "./policy.ts";

const call: AskedCall = {
  provider: "openai",
  method: "POST",
  endpoint: "/chat/completions",
  isPlain: true,
  model: "gpt-5",
  bills: true,
  address: "10.1.2.3",
  at: 1000,
};

function scope(policy: Policy, name = "group research", kind: ScopeKind = "group") {
  const stored = { scope: { kind, id: "g" }, policy, budgets: [], version: 1 };
  return compileScope(stored, name, (_, path) => path.toLowerCase().replace(/^\/v1(?=\/)/, ""));
}

const verdict = (policy: Policy, change: Partial<AskedCall> = {}) =>
  decide({ ...call, ...change }, [scope(policy)]).denial?.code ?? "allowed";

describe("each rule refuses what it does not name, and nothing else", () => {
  test.each([
    [{}, {}, "allowed"],
    [{ providers: [], models: [], endpoints: [], networks: [] }, {}, "allowed"],
    [{ providers: ["openai"] }, {}, "allowed"],
    [{ providers: ["groq", "azure"] }, {}, "provider_not_allowed"],
    [{ models: ["gpt-5*"] }, {}, "allowed"],
    [{ models: ["gpt-5*"] }, { model: "gpt-4" }, "model_not_allowed"],
    // What the model would be, only the provider knows.
    [{ models: ["gpt-5*"] }, { model: null }, "model_not_allowed"],
    [{ models: ["gpt-5*"] }, { model: null, bills: false }, "allowed"],
    [{ models: ["gpt-5*"] }, { isPlain: false }, "model_not_allowed"],
    [{ endpoints: ["POST /openai/v1/chat/completions"] }, {}, "allowed"],
    [{ endpoints: ["GET /openai/v1/chat/completions"] }, {}, "endpoint_not_allowed"],
    [{ endpoints: ["POST /azure/v1/chat/completions"] }, {}, "endpoint_not_allowed"],
    [{ endpoints: ["* /**"] }, { isPlain: false }, "endpoint_not_allowed"],
    [{ networks: ["10.0.0.0/8"] }, {}, "allowed"],
    [{ networks: ["10.0.0.0/8"] }, { address: "::ffff:10.9.9.9" }, "allowed"],
    [{ networks: ["10.0.0.0/8"] }, { address: "203.0.113.9" }, "network_not_allowed"],
    [{ networks: ["10.0.0.0/8"] }, { address: null }, "network_not_allowed"],
    [{ expiresAt: 1001 }, {}, "allowed"],
    [{ expiresAt: 1000 }, {}, "expired_key"],
  ] as const)("%j %j: %s", (policy, change, expected) => {
    expect<string>(verdict(policy, change)).toBe(expected);
  });
});

test("the message says who refused, what is allowed instead, and whom to ask", () => {
  const { denial } = decide(call, [scope({ models: ["claude-*", "gemini-*"] })]);
  expect(denial?.message).toBe(
    "Group research allows only the models claude-*, gemini-*; ask your administrator.",
  );
  const many = Array.from({ length: 20 }, (_, n) => `m${n}`);
  expect(decide(call, [scope({ models: many })]).denial?.message).toContain("m7 and 12 more; ask");
});

test("a scope in shadow mode refuses nothing and says all that it would refuse; the next one still decides", () => {
  const shadow = scope({ models: ["x"], networks: ["192.0.2.0/24"], shadow: true }, "group a");
  const strict = scope({ providers: ["groq"] }, "user b", "user");
  const alone = decide(call, [shadow]);
  expect(alone.denial).toBeUndefined();
  expect(alone.shadow.map(({ code }) => code)).toEqual(["network_not_allowed", "model_not_allowed"]);
  expect(decide(call, [shadow, strict]).denial?.scope.name).toBe("user b");
});

const policies = fc.record(
  {
    providers: fc.subarray(["openai", "groq", "azure"]),
    models: fc.subarray(["gpt-5*", "gpt-4", "openai/*", "claude-*"]),
    endpoints: fc.subarray(["* /openai/**", "POST /openai/v1/chat/completions", "GET /*/models"]),
    networks: fc.subarray(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]),
    expiresAt: fc.constantFrom(500, 1500),
  },
  { requiredKeys: [] },
);
const calls = fc.record({
  provider: fc.constantFrom("openai", "groq"),
  method: fc.constantFrom("GET", "POST"),
  endpoint: fc.constantFrom("/chat/completions", "/models", "/files/f"),
  isPlain: fc.boolean(),
  model: fc.constantFrom("gpt-5", "gpt-4", "claude-x", null),
  bills: fc.boolean(),
  address: fc.constantFrom("10.1.1.1", "192.0.2.7", "2001:db8::9", null),
  at: fc.constantFrom(400, 1000, 2000),
});

test("all scopes apply: a call passes exactly where each scope alone lets it pass", () => {
  fc.assert(
    fc.property(fc.array(policies, { maxLength: 4 }), calls, (all, asked) => {
      const scopes = all.map((policy, n) => scope(policy, `group ${n}`));
      const alone = scopes.map((one) => decide(asked, [one]).denial);
      const first = alone.find((denial) => denial !== undefined);
      expect(decide(asked, scopes).denial).toEqual(first);
      // At the door and afterwards, in two steps, is the same as at once.
      const door = decide(asked, scopes, atTheDoor).denial ?? decide(asked, scopes, ofModel).denial;
      expect(door === undefined).toBe(first === undefined);
      const no = answersTo(asked, scopes).filter(({ verdict: said }) => said === "refuses");
      expect(no.length > 0).toBe(first !== undefined);
    }),
    { numRuns: 2000 },
  );
});

test("more rules never allow more", () => {
  fc.assert(
    fc.property(policies, policies, calls, (one, other, asked) => {
      const both = decide(asked, [scope(one), scope(other)]).denial;
      if (both === undefined) expect(decide(asked, [scope(one)]).denial).toBeUndefined();
    }),
  );
});
