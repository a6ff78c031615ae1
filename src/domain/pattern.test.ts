import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BadPattern, compileEndpointPattern, compileModelPattern, compileWildcards } from "./pattern.ts";

function fits(pattern: string, method: string, target: string): boolean {
  const [, provider = "", path = ""] = /^\/([^/]+)(.*)$/.exec(target) ?? [];
  const plain = (_: string, text: string) => text.toLowerCase().replace(/^\/v1(?=\/|$)/, "") || "/";
  return compileEndpointPattern(pattern, plain).some(
    (one) =>
      (one.provider === "*" || one.provider === provider) &&
      (one.methods === undefined || one.methods.has(method)) &&
      one.path(plain(provider, path)),
  );
}

describe("models", () => {
  test.each([
    ["gpt-5*", "openai", "gpt-5-mini", true],
    ["gpt-5*", "openai", "GPT-5", true],
    ["gpt-5", "openai", "gpt-5-mini", false],
    ["gpt-5", "openai", "xgpt-5", false],
    ["*-mini", "openai", "gpt-5-mini", true],
    ["*-mini", "openai", "gpt-5-mini-x", false],
    ["g*5*i", "openai", "gpt-5-mini", true],
    ["openai/gpt-5*", "openai", "gpt-5", true],
    ["openai/gpt-5*", "azure", "gpt-5", false],
    ["openai/gpt-5*", "openrouter", "openai/gpt-5", true],
    ["openrouter/openai/*", "openrouter", "openai/gpt-5", true],
    // `o*` is o3 and the like, not everything of OpenAI.
    ["o*", "openai", "o3", true],
    ["o*", "openai", "gpt-5", false],
    ["gpt.5", "openai", "gptx5", false],
    ["*", "openai", "anything/at-all", true],
    ["a*a", "openai", "a", false],
  ] as const)("%s of %s: %s is %p", (pattern, provider, model, expected) => {
    expect(compileModelPattern(pattern)(provider, model)).toBe(expected);
  });

  test.each(["", "  ", "a b", "a\u0000b", "a\u202eb", "x".repeat(301), "*".repeat(21)])(
    "%j is no pattern",
    (bad) => {
      expect(() => compileModelPattern(bad)).toThrow(BadPattern);
    },
  );
});

test("wildcards mean what a regular expression with the same stars means", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "/", "*"), maxLength: 12 });
  fc.assert(
    fc.property(text, text, (pattern, name) => {
      const literal = pattern.split("*").map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      const oracle = new RegExp(`^${literal.join(".*")}$`, "s");
      expect(compileWildcards(pattern)(name)).toBe(oracle.test(name));
    }),
    { numRuns: 5000 },
  );
});

test("a hostile pattern and name take no time", () => {
  const pattern = compileWildcards(`${"a*".repeat(20)}b`);
  const endpoint = compileEndpointPattern(`/openai/${"**/a/".repeat(9)}b`, (_, path) => path)[0];
  const startedAt = performance.now();
  expect(pattern("a".repeat(100_000))).toBe(false);
  expect(endpoint?.path("/a".repeat(10_000))).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(1000);
});

describe("endpoints", () => {
  test.each([
    ["POST /openai/v1/responses", "POST", "/openai/v1/responses", true],
    ["POST /openai/v1/responses", "GET", "/openai/v1/responses", false],
    ["POST /openai/responses", "POST", "/openai/v1/responses", true],
    ["POST /openai/v1/responses", "POST", "/openai/responses", true],
    ["POST /openai/v1/responses", "POST", "/azure/responses", false],
    ["POST /openai/v1/responses", "POST", "/openai/v1/responses/", true],
    ["POST /openai/v1/responses", "POST", "/openai/v1/responses/r_1", false],
    ["GET,post /openai/v1/files/**", "POST", "/openai/v1/files/f/content", true],
    ["GET /openai/v1/files/**", "HEAD", "/openai/v1/files", true],
    ["GET /openai/v1/files/*", "GET", "/openai/v1/files/f", true],
    ["GET /openai/v1/files/*", "GET", "/openai/v1/files/f/content", false],
    ["GET /openai/v1/files/*", "GET", "/openai/v1/files", false],
    ["* /openai/**/content", "GET", "/openai/v1/files/f/content", true],
    ["/openai/**", "DELETE", "/openai/v1/anything", true],
    ["* /*/v1/models", "GET", "/groq/v1/models", true],
    ["* /**", "GET", "/groq/v1/models", true],
    ["* /openai/v1/a/**/b/**/c", "GET", "/openai/a/b/x/b/y/c", true],
    ["* /openai/v1/a/**/b/**/c", "GET", "/openai/a/x/c", false],
  ] as const)("%s: %s %s is %p", (pattern, method, target, expected) => {
    expect(fits(pattern, method, target)).toBe(expected);
  });

  test.each([
    "",
    "openai/v1/x",
    "G-T /openai/x",
    "GET  ",
    "GET /openai/a?b",
    "GET /openai/%2e",
    "GET /openai/a/../b",
    "GET /openai/a;b",
    "GET /openai/a**",
    "GET /op_nai/a",
    "GET /openai/a GET /b",
  ])("%j is no pattern", (bad) => {
    expect(() => compileEndpointPattern(bad, (_, path) => path)).toThrow(BadPattern);
  });
});
