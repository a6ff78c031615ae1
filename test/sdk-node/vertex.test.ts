/** Google's clients on Vertex AI: the file that the gateway writes is their whole credential. */

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiError, GoogleGenAI } from "@google/genai";
import { GoogleAuth } from "google-auth-library";
import { fidelity } from "../support/fidelity.ts";
import { all, HELLO, place, rowOf, startFurtherSession, USED } from "./further.ts";
import { asUser, type Caller, failureOf } from "./session.ts";

const session = await startFurtherSession();
const genaiShown = fidelity({ sdk: "@google/genai", provider: "Vertex AI", language: "TypeScript" });
const authShown = fidelity({ sdk: "google-auth-library", provider: "Vertex AI", language: "TypeScript" });
const model = "gemini-2.5-flash";
const resource = `projects/p/locations/us-central1/publishers/google/models/${model}`;
// $0.30 for a million tokens of input, $2.50 of output.
const costNanos = String(11 * 300 + 7 * 2500);
const folder = mkdtempSync(join(tmpdir(), "lmk-adc-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let caller: Caller;
beforeEach(async () => {
  caller = await asUser(session);
  const { url, key } = place();
  const adc = await fetch(`${url}/lmk/env?format=adc`, { headers: { authorization: `Bearer ${key}` } });
  const file = join(folder, `${caller.name}.json`);
  writeFileSync(file, await adc.text());
  // What docs/guides/sdks.md has the user set beside the exports.
  process.env["GOOGLE_APPLICATION_CREDENTIALS"] = file;
  process.env["GOOGLE_CLOUD_PROJECT"] = "p";
  process.env["GOOGLE_CLOUD_LOCATION"] = "us-central1";
  process.env["GOOGLE_GENAI_USE_VERTEXAI"] = "true";
});

describe("@google/genai", () => {
  test("a question is answered, metered and priced", async () => {
    const answer = await new GoogleGenAI().models.generateContent({ model, contents: "Say hello" });
    expect(answer.text).toBe(HELLO);
    expect(session.sent("vertex").path).toBe(`/v1beta1/${resource}:generateContent`);
    expect(await rowOf(caller)).toMatchObject({
      userName: caller.name,
      provider: "vertex",
      endpoint: `/v1beta1/${resource}:generateContent`,
      model,
      status: 200,
      ending: "complete",
      usage: USED,
      evidence: "reported",
      costNanos,
    });
    genaiShown("plain");
  });

  test("a stream is answered, metered and priced", async () => {
    const stream = await new GoogleGenAI().models.generateContentStream({ model, contents: "Say hello" });
    const chunks = await all(stream);
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.map((chunk) => chunk.text).join("")).toBe(HELLO);
    expect(session.sent("vertex").path).toEndWith(":streamGenerateContent?alt=sse");
    expect(await rowOf(caller)).toMatchObject({
      provider: "vertex",
      model,
      status: 200,
      usage: USED,
      costNanos,
    });
    genaiShown("stream");
  });

  test("what it refuses arrives as its own error", async () => {
    const error = await failureOf(
      new GoogleGenAI().models.generateContent({ model, contents: "Fail with 400" }),
    );
    expect(error).toBeInstanceOf(ApiError);
    expect(error.status).toBe(400);
    expect(error.message).toContain("The stand-in fails with 400.");
    session.sent("vertex");
    expect(await rowOf(caller)).toMatchObject({
      provider: "vertex",
      model,
      status: 400,
      refusal: null,
      usage: null,
    });
    genaiShown("error");
  });

  test("a revoked key's last token is refused, as its own error and with our words", async () => {
    const client = new GoogleGenAI();
    await client.models.generateContent({ model, contents: "Say hello" });
    const { calls } = session.mock("vertex");
    const asked = calls.length;
    await session.gateway.revoke(caller.keyId);
    const error = await failureOf(client.models.generateContent({ model, contents: "Say hello" }));
    expect(error).toBeInstanceOf(ApiError);
    expect(error.status).toBe(401);
    expect(error.message).toContain("revoked");
    expect(calls.length).toBe(asked);
    expect(await caller.rows(2)).toMatchObject([{ status: 200 }, { status: 401, refusal: "invalid_key" }]);
  });
});

describe("google-auth-library", () => {
  const newAuth = () => new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" });

  test("a call is made with a token that is not the master key", async () => {
    const auth = newAuth();
    const { data } = await auth.request<unknown>({
      url: `${place().url}/vertex/v1/${resource}:generateContent`,
      method: "POST",
      data: { contents: [{ role: "user", parts: [{ text: "Say hello" }] }] },
    });
    expect(data).toMatchObject({ candidates: [{ content: { parts: [{ text: HELLO }] } }] });
    expect(await auth.getProjectId()).toBe("p");
    const token = await auth.getAccessToken();
    expect(token).toStartWith("lmkt.");
    expect(token).not.toContain(caller.secret.slice(15, 47));
    expect(session.sent("vertex").path).toBe(`/v1/${resource}:generateContent`);
    expect(await rowOf(caller)).toMatchObject({
      provider: "vertex",
      model,
      status: 200,
      usage: USED,
      costNanos,
    });
    authShown("plain");
  });

  test("a revoked key gets no token", async () => {
    await session.gateway.revoke(caller.keyId);
    const error = await failureOf(newAuth().getAccessToken());
    expect(error.message).toContain("invalid_grant");
    expect(error.message).toContain("revoked");
    expect(error.message).not.toContain(caller.secret);
    authShown("error");
  });
});
