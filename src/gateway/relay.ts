import { Refusal } from "../domain/refusal.ts";
import type { Ending } from "../domain/request-record.ts";
import type { Answer, AnswerBody } from "../upstream/answer.ts";
import type { Exchange } from "./exchange.ts";
import { nominatedBy } from "./forward.ts";
import type { InFlight } from "./in-flight.ts";

/** Called once, when the answer is over. */
export type OnEnd = (ending: Ending) => void;

/**
 * Answers up to this size with a known length are sent in one piece: it keeps their `content-length`, which the
 * platform replaces by chunks for streams, and costs less.
 */
const ONE_PIECE_BYTES = 256 * 1024;

/** Meant for the hop between the provider and us, or about the provider's own host. */
const RESPONSE_HEADERS_TAKEN_OFF = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "alt-svc",
  "strict-transport-security",
  // Only the gateway speaks in its own name.
  "x-llamakey-refusal",
  "x-llamakey-output-cap",
];

/** What a browser would take for said by the gateway's host: the console's cookies, and who is told what goes on there. */
const SAID_TO_BROWSERS = ["set-cookie", "clear-site-data", "nel", "report-to", "reporting-endpoints"];

/**
 * Makes an answer's headers what the client gets: the same object, which is nobody else's.
 * @param asked The client's own.
 */
export function answerHeaders({ headers }: Answer, requestId: string, asked: Headers): Headers {
  const nominated = nominatedBy(headers.get("connection"));
  if (nominated !== undefined) for (const name of nominated) headers.delete(name);
  for (const name of RESPONSE_HEADERS_TAKEN_OFF) headers.delete(name);
  if (asked.has("sec-fetch-site")) for (const name of SAID_TO_BROWSERS) headers.delete(name);
  headers.set("x-llamakey-request-id", requestId);
  return headers;
}

/**
 * Passes the provider's answer on as it comes, counting it; what breaks there breaks here.
 * @param onInput Called when the first piece of a stream was metered, which may tell of its input.
 */
export function relay(
  reply: Answer,
  headers: Headers,
  exchange: Exchange,
  inFlight: InFlight,
  onEnd: OnEnd,
  onInput?: () => void,
): Response | Promise<Response> {
  const { status, body } = reply;
  if (status < 200 || status > 599) {
    throw new Refusal("upstream_unreachable", "The provider answered with a status that HTTP does not have.");
  }
  exchange.status = status;
  if (body === null) {
    onEnd("complete");
    // The platform would claim a length of 0 for an answer to HEAD whose length nobody knows.
    if (exchange.method === "HEAD" && !headers.has("content-length"))
      headers.set("transfer-encoding", "chunked");
    return new Response(null, { status, headers });
  }
  exchange.enter("answering", inFlight.now, exchange.timeouts?.idleMs ?? Number.POSITIVE_INFINITY);
  const type = headers.get("content-type");
  const length = Number(headers.get("content-length") ?? Number.NaN);
  // Where the provider answers with something else than a stream, there is no event to take out.
  if (!type?.startsWith("text/event-stream")) exchange.usageFilter = undefined;
  // Without a type of its own the platform would give a piece of bytes one.
  if (exchange.usageFilter === undefined && length <= ONE_PIECE_BYTES && type) {
    return relayOnePiece(body, length, status, headers, exchange, inFlight, onEnd);
  }
  headers.delete("content-length");
  return new Response(relayStream(body, [], exchange, inFlight, onEnd, onInput), { status, headers });
}

/** Most answers are there as a whole, and wait for nothing. */
function relayOnePiece(
  body: AnswerBody,
  length: number,
  status: number,
  headers: Headers,
  exchange: Exchange,
  inFlight: InFlight,
  onEnd: OnEnd,
): Response | Promise<Response> {
  const first = body.read();
  if (first === null || first instanceof Promise || first.length < length) {
    return relayGathered(body, first, length, status, headers, exchange, inFlight, onEnd);
  }
  exchange.bytesOut = length;
  const behind = exchange.meter?.push(first);
  const whole = () => {
    onEnd("complete");
    return new Response(first, { status, headers });
  };
  return behind === undefined ? whole() : behind.then(whole);
}

async function relayGathered(
  body: AnswerBody,
  first: ReturnType<AnswerBody["read"]>,
  length: number,
  status: number,
  headers: Headers,
  exchange: Exchange,
  inFlight: InFlight,
  onEnd: OnEnd,
): Promise<Response> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for (let next = first; size < length; next = body.read()) {
      const piece = await next;
      if (piece === null) break;
      pieces.push(piece);
      size += piece.length;
      exchange.since = inFlight.now;
      if (size >= length) break;
    }
  } catch {
    // What came before the break still reaches the client, and the break too: its first read fails again.
    headers.delete("content-length");
    return new Response(relayStream(body, pieces, exchange, inFlight, onEnd), { status, headers });
  }
  exchange.bytesOut = size;
  for (const piece of pieces) {
    const behind = exchange.meter?.push(piece);
    if (behind !== undefined) await behind;
  }
  onEnd("complete");
  return new Response(
    pieces.length === 1 ? (pieces[0] as Uint8Array<ArrayBuffer>) : Buffer.concat(pieces, size),
    {
      status,
      headers,
    },
  );
}

/** A stream that writes as the upstream delivers, waits where the client reads slowly, and ends as the upstream ends. */
function relayStream(
  body: AnswerBody,
  pieces: readonly Uint8Array<ArrayBuffer>[],
  exchange: Exchange,
  inFlight: InFlight,
  onEnd: OnEnd,
  onInput?: () => void,
): ReadableStream {
  const filter = exchange.usageFilter;
  let tellInput = onInput;
  const source = {
    type: "direct",
    async pull(controller: ReadableStreamDirectController) {
      try {
        for (const piece of pieces) await send(controller, piece, exchange);
        for (;;) {
          const next = body.read();
          const value = next instanceof Promise ? await next : next;
          if (value === null) break;
          exchange.since = inFlight.now;
          const behind = exchange.meter?.push(value);
          if (behind !== undefined) await behind;
          if (tellInput !== undefined) {
            tellInput();
            tellInput = undefined;
          }
          if (exchange.drainUntil !== null) continue;
          const passing = filter === undefined ? value : filter.push(value);
          if (passing.length === 0) continue;
          const written = send(controller, passing, exchange);
          if (written !== undefined) await written;
        }
        if (filter !== undefined) await send(controller, filter.end(), exchange);
      } catch (error) {
        if (filter !== undefined) await send(controller, filter.end(), exchange);
        const { abort } = exchange;
        onEnd(abort.aborted ? endingOf(abort.reason) : "upstream_broken");
        throw error;
      }
      onEnd("complete");
      controller.close();
    },
    cancel() {
      onEnd("client_closed");
    },
  };
  // The platform's cheapest stream, of a kind that the web's types do not know.
  return new ReadableStream(source as unknown as UnderlyingDefaultSource);
}

/** Returns a promise only where the client's connection is full. */
function send(
  controller: ReadableStreamDirectController,
  piece: Uint8Array<ArrayBuffer>,
  exchange: Exchange,
): Promise<unknown> | undefined {
  exchange.bytesOut += piece.length;
  const written: unknown = controller.write(piece);
  controller.flush();
  return written instanceof Promise ? written : undefined;
}

/** Why an exchange that was aborted ended, from the reason that it was aborted with. */
export function endingOf(reason: unknown): Ending {
  if (!(reason instanceof Refusal)) return "client_closed";
  return reason.code === "upstream_timeout" ? "timeout" : "cut";
}
