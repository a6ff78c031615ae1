import { expect, test } from "bun:test";
import { Refusal } from "../domain/refusal.ts";
import { anthropic } from "../providers/anthropic.ts";
import { ollama } from "../providers/ollama.ts";
import { openai } from "../providers/openai.ts";
import { Answer } from "../upstream/answer.ts";
import { asRefusal, refusalResponse } from "./refuse.ts";
import { answerHeaders, endingOf } from "./relay.ts";

test("what is meant for one hop, or for the provider's own host, is taken off an answer; all else stays", () => {
  const reply = new Answer(
    200,
    new Headers([
      ["Connection", "close, X-Hop"],
      ["X-Hop", "1"],
      ["Keep-Alive", "timeout=5"],
      ["Proxy-Authenticate", "Basic"],
      ["Transfer-Encoding", "chunked"],
      ["Alt-Svc", "h3"],
      ["Strict-Transport-Security", "max-age=1"],
      ["X-LlaMaKey-Request-Id", "forged"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["X-Request-Id", "req_1"],
      ["Content-Encoding", "gzip"],
    ]),
    null,
  );
  expect([...answerHeaders(reply, "id-1", new Headers())].sort()).toEqual([
    ["content-encoding", "gzip"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
    ["x-llamakey-request-id", "id-1"],
    ["x-request-id", "req_1"],
  ]);
});

test("an ending is told from the reason of the cut", () => {
  expect(endingOf(new Refusal("upstream_timeout", ""))).toBe("timeout");
  expect(endingOf(new Refusal("invalid_key", ""))).toBe("cut");
  expect(endingOf(new Refusal("shutting_down", ""))).toBe("cut");
  expect(endingOf(new DOMException("x", "AbortError"))).toBe("client_closed");
  expect(endingOf(undefined)).toBe("client_closed");
});

test("an unforeseen error shows nothing of itself", async () => {
  const refusal = asRefusal(new TypeError("secret path /home/ada and key sk-1"));
  expect([refusal.code, refusal.status]).toEqual(["internal_error", 500]);
  const response = refusalResponse(refusal, openai, "id-1", "POST");
  expect(await response.text()).not.toMatch(/secret|ada|sk-1/);
});

test("a refusal has the shape that each provider's SDKs parse", async () => {
  const refusal = new Refusal("budget_exhausted", "Nothing left.");
  const body = async (provider: typeof openai) => refusalResponse(refusal, provider, "id-1", "POST").json();
  expect(await body(openai)).toEqual({
    error: { message: "Nothing left.", type: "billing_error", param: null, code: "budget_exhausted" },
  });
  expect(await body(anthropic)).toEqual({
    type: "error",
    error: { type: "billing_error", message: "Nothing left.", details: { error_code: "budget_exhausted" } },
    request_id: "id-1",
  });
  expect(await body(ollama)).toEqual({ error: "Nothing left." });
});

test("a refusal says whether to retry, and where its row is", () => {
  const headersOf = (code: "invalid_key" | "rate_limited" | "shutting_down" | "upstream_unreachable") =>
    refusalResponse(new Refusal(code, ""), anthropic, "id-1", "POST").headers;
  for (const code of ["invalid_key", "rate_limited", "shutting_down", "upstream_unreachable"] as const) {
    const headers = headersOf(code);
    expect(headers.get("x-llamakey-refusal")).toBe(code);
    expect(headers.get("x-llamakey-request-id")).toBe("id-1");
    expect(headers.get("request-id")).toBe("id-1");
  }
  expect(headersOf("invalid_key").get("x-should-retry")).toBe("false");
  expect(headersOf("rate_limited").get("retry-after")).toBe("2");
  expect(headersOf("shutting_down").get("retry-after")).toBe("2");
  expect(headersOf("rate_limited").has("x-should-retry")).toBe(false);
  expect(headersOf("upstream_unreachable").has("retry-after")).toBe(false);
});

test("the refusal of a HEAD has no body", async () => {
  const response = refusalResponse(new Refusal("invalid_key", "No."), openai, "id-1", "HEAD");
  expect([response.status, await response.text()]).toEqual([401, ""]);
});
