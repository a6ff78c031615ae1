import { Abort } from "../../src/upstream/abort.ts";
import { type Answer, piecesOf } from "../../src/upstream/answer.ts";
import type { UpstreamRequest } from "../../src/upstream/client.ts";

/** A request with what most of them have. */
export function requestTo(origin: string, its: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    origin,
    method: "GET",
    target: "/v1/things",
    headers: [],
    body: null,
    length: undefined,
    connectMs: 5_000,
    abort: new Abort(),
    ...its,
  };
}

/** The body of an answer, a character for each byte. */
export async function textOf(answer: Answer): Promise<string> {
  let text = "";
  for await (const piece of piecesOf(answer.body)) text += Buffer.from(piece).toString("latin1");
  return text;
}

/** What a promise was rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail.");
}
