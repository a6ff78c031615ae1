import { expect, test } from "bun:test";
import { failureOf, textOf } from "../../test/support/upstream-call.ts";
import { Answer, type AnswerBody, piecesOf } from "./answer.ts";

/** @param pieces Null is the end, an error is a break. */
function body(pieces: readonly (string | null | Error)[]): AnswerBody & { cancelled: number } {
  let at = 0;
  return {
    cancelled: 0,
    read() {
      const piece = pieces[at++];
      if (piece instanceof Error) return Promise.reject(piece);
      return typeof piece === "string" ? Promise.resolve(Buffer.from(piece)) : null;
    },
    cancel() {
      this.cancelled++;
    },
  };
}

test("pieces come until the body is over, and nothing is cancelled then", async () => {
  const whole = body(["ab", "c", null]);
  expect(await textOf(new Answer(200, new Headers(), whole))).toBe("abc");
  expect(whole.cancelled).toBe(0);
  expect(await textOf(new Answer(204, new Headers(), null))).toBe("");
});

test("whoever stops early, or meets a break, lets the upstream go", async () => {
  const long = body(["ab", "c", null]);
  for await (const piece of piecesOf(long)) {
    expect(Buffer.from(piece).toString()).toBe("ab");
    break;
  }
  expect(long.cancelled).toBe(1);

  const broken = body(["ab", new Error("broken")]);
  expect(await failureOf(textOf(new Answer(200, new Headers(), broken)))).toEqual(new Error("broken"));
  expect(broken.cancelled).toBe(1);
});

test("an answer with other bytes keeps the rest", async () => {
  const answer = Answer.withBytes(new Answer(418, new Headers({ a: "1" }), null), Buffer.from("tea"));
  expect([answer.status, answer.headers.get("a"), answer.ok, await textOf(answer)]).toEqual([
    418,
    "1",
    false,
    "tea",
  ]);
  expect(answer.body?.read()).toBe(null);
});

test("what the platform received is read the same way", async () => {
  const answer = Answer.from(new Response("abc", { status: 201, headers: { a: "1" } }));
  expect([answer.status, answer.headers.get("a"), answer.ok]).toEqual([201, "1", true]);
  expect(await textOf(answer)).toBe("abc");
  expect(Answer.from(new Response(null, { status: 204 })).body).toBe(null);
});
