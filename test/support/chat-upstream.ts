/** A provider that answers anything at once with JSON, or with a stream that goes on until somebody ends it. */
import { serveRecorded } from "./record.ts";

export interface ChatUpstream {
  /** With the version prefix: for LMK_OPENAI_UPSTREAM. */
  readonly base: string;
  /** The credentials that it was called with, in order. */
  readonly authorizations: string[];
  /** Every further call is answered with this status. */
  status: number;
}

/** Paths that contain `endless` stream one event every 20 ms. */
export async function startChatUpstream(): Promise<ChatUpstream> {
  const authorizations: string[] = [];
  const { origin } = await serveRecorded({
    idleTimeout: 0,
    async fetch(request) {
      authorizations.push(request.headers.get("authorization") ?? "");
      await request.bytes();
      if (upstream.status !== 200) {
        return Response.json({ error: { message: "no" } }, { status: upstream.status });
      }
      if (request.url.includes("endless")) return new Response(endless(), { headers: SSE });
      return Response.json({ ok: true }, { headers: { "x-request-id": "req_standin" } });
    },
  });
  const upstream: ChatUpstream = { base: `${origin}/v1`, authorizations, status: 200 };
  return upstream;
}

const SSE = { "content-type": "text/event-stream" };

function endless(): ReadableStream<Uint8Array> {
  let n = 0;
  return new ReadableStream({
    async pull(controller) {
      await Bun.sleep(20);
      controller.enqueue(new TextEncoder().encode(`data: {"n":${n++}}\n\n`));
    },
  });
}
