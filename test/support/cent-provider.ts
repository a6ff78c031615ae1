import { serveRecorded } from "./record.ts";

/** $1.25 and $10 for a million tokens of gpt-5: 8 and 999 tokens are one cent. */
const ONE_CENT = { prompt_tokens: 8, completion_tokens: 999, total_tokens: 1007 };

export interface CentProvider {
  /** With the version prefix: for LMK_OPENAI_UPSTREAM. */
  readonly base: string;
  /** A further address, for another provider; without a version prefix. */
  another(): Promise<string>;
  /** Calls that it was sent, and that cost a cent each. */
  calls: number;
  /** How long it takes for a call, milliseconds. */
  delayMs: number;
}

/** Chats for one cent a call; paths with `endless` stream until somebody ends it. */
export async function startCentProvider(): Promise<CentProvider> {
  const { origin, another } = await serveRecorded({
    idleTimeout: 0,
    async fetch(request) {
      if (request.method === "GET" && request.url.includes("endless"))
        return new Response(endless(), { headers: { "content-type": "text/event-stream" } });
      if (request.method === "GET")
        return Response.json({ object: "list", data: [{ id: "gpt-5", object: "model" }] });
      const { model } = (await request.json()) as { model: string };
      provider.calls++;
      await Bun.sleep(provider.delayMs);
      const message = { role: "assistant", content: "fine" };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      return Response.json({ id: "c", object: "chat.completion", model, choices, usage: ONE_CENT });
    },
  });
  const provider: CentProvider = { base: `${origin}/v1`, another, calls: 0, delayMs: 0 };
  return provider;
}

function endless(): ReadableStream<Uint8Array> {
  let n = 0;
  return new ReadableStream({
    async pull(controller) {
      await Bun.sleep(20);
      controller.enqueue(new TextEncoder().encode(`data: {"n":${n++}}\n\n`));
    },
  });
}
