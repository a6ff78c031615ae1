import type { Abort } from "./abort.ts";
import type { Answer } from "./answer.ts";
import { Connection, type Endpoint, type Keeper } from "./connection.ts";
import { UpstreamFailure } from "./failure.ts";
import { type RequestBody, Transfer } from "./transfer.ts";

/** A request to an upstream. */
export interface UpstreamRequest {
  /** `https://host` or `http://host:port`, as `URL.origin` gives it. */
  readonly origin: string;
  readonly method: string;
  /** Path and query as they are sent: visible ASCII alone, from the first slash on. */
  readonly target: string;
  /** Names and values by turns; without `host` and what frames the body. Values hold a character for each byte. */
  readonly headers: readonly string[];
  readonly body: RequestBody;
  /** Of a body that is a stream, where its client has said it. */
  readonly length: number | undefined;
  /** How long a connection may take to come about, milliseconds. */
  readonly connectMs: number;
  /** Ends it early: whoever waits for the answer, or reads its body, is given the reason. */
  readonly abort: Abort;
  /** Looks at the address that the connection leads to; nothing is sent where it says no. */
  readonly mayLeadTo?: ((address: string) => boolean) | undefined;
}

/**
 * How long a connection is kept without use, milliseconds. Shorter than servers keep them: those of one's own often close
 * them after 5 s (uvicorn, Node), what stands in front of public ones after 60 s and more.
 */
const IDLE_MS = 4_000;
const TLS_IDLE_MS = 50_000;
/** Before the time after which an upstream says that it closes a connection: the request needs a while to get there. */
const AHEAD_MS = 1_000;
const SWEEP_MS = 1_000;
/** Kept without use to one upstream. */
const MOST_IDLE = 256;

/**
 * HTTP/1.1 calls to upstreams over the platform's sockets: what is sent is what was given, and nothing is added,
 * decompressed, followed or repeated, but an idempotent request on a kept connection that the upstream had closed.
 */
export class UpstreamClient {
  private readonly pools = new Map<string, Pool>();
  private readonly timer = setInterval(() => this.sweep(), SWEEP_MS);

  constructor() {
    this.timer.unref();
  }

  /**
   * Resolves when the head of the answer is there.
   * @throws TypeError at once, before anybody is called, for a head that cannot be written.
   * @returns a promise that rejects with an UpstreamFailure, or with what the request was aborted with.
   */
  send(request: UpstreamRequest): Promise<Answer> {
    const { abort } = request;
    const pool = this.poolOf(request.origin);
    const transfer = new Transfer({
      method: request.method,
      head: headText(request, pool.host),
      body: request.body,
      length: request.length,
      connectMs: request.connectMs,
      mayLeadTo: request.mayLeadTo,
    });
    abort.onAbort = (reason) => transfer.abort(reason);
    if (abort.aborted) transfer.abort(abort.reason);
    else pool.start(transfer);
    return transfer.answer;
  }

  /** Closes what is not in use, and the rest when it is over. */
  close(): void {
    clearInterval(this.timer);
    for (const pool of this.pools.values()) pool.close();
  }

  private poolOf(origin: string): Pool {
    let pool = this.pools.get(origin);
    if (pool === undefined) {
      pool = new Pool(origin);
      this.pools.set(origin, pool);
    }
    return pool;
  }

  private sweep(): void {
    const now = performance.now();
    for (const [origin, pool] of this.pools) {
      pool.closeIdle(now);
      if (pool.isUnused) this.pools.delete(origin);
    }
  }
}

/** The connections to one upstream. */
class Pool implements Keeper {
  /** As it stands in the `host` header. */
  readonly host: string;
  private readonly endpoint: Endpoint;
  private readonly idleMs: number;
  /** The one that was used last comes last. */
  private readonly idle: Connection[] = [];
  /** Connections that there are, or that are about to be. */
  private open = 0;
  private isClosed = false;

  constructor(origin: string) {
    const { protocol, hostname, port, host } = new URL(origin);
    const isTls = protocol === "https:";
    this.host = host;
    this.idleMs = isTls ? TLS_IDLE_MS : IDLE_MS;
    this.endpoint = {
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || (isTls ? 443 : 80)),
      isTls,
    };
  }

  get isUnused(): boolean {
    return this.open === 0;
  }

  start(transfer: Transfer): void {
    const connection = this.idle.pop();
    if (connection === undefined) void this.connect(transfer);
    else hand(connection, transfer);
  }

  keep(connection: Connection): void {
    if (!this.isClosed && this.idle.length < MOST_IDLE && this.idleMsOf(connection) > 0) {
      connection.idleSince = performance.now();
      this.idle.push(connection);
    } else connection.destroy();
  }

  forget(connection: Connection): void {
    this.open--;
    const place = this.idle.indexOf(connection);
    if (place !== -1) this.idle.splice(place, 1);
  }

  repeat(transfer: Transfer): void {
    void this.connect(transfer);
  }

  closeIdle(now: number): void {
    for (const connection of [...this.idle])
      if (now - connection.idleSince >= this.idleMsOf(connection)) connection.destroy();
  }

  close(): void {
    this.isClosed = true;
    this.closeIdle(Number.POSITIVE_INFINITY);
  }

  /** How long it may be kept without use. */
  private idleMsOf({ idleSeconds }: Connection): number {
    return idleSeconds === undefined ? this.idleMs : Math.min(idleSeconds * 1000 - AHEAD_MS, this.idleMs);
  }

  private async connect(transfer: Transfer): Promise<void> {
    this.open++;
    let connection: Connection;
    try {
      connection = await Connection.open(this.endpoint, this, transfer.outgoing.connectMs);
    } catch (error) {
      this.open--;
      transfer.fail(error);
      return;
    }
    // It may have been aborted meanwhile.
    if (transfer.isOver) this.keep(connection);
    else hand(connection, transfer);
  }
}

function hand(connection: Connection, transfer: Transfer): void {
  const { mayLeadTo } = transfer.outgoing;
  const address = connection.remoteAddress;
  if (mayLeadTo !== undefined && (address === undefined || !mayLeadTo(address))) {
    connection.destroy();
    const message = "The upstream's name leads to an address that is not public.";
    transfer.fail(new UpstreamFailure("EADDRNOTALLOWED", message, false));
  } else connection.begin(transfer);
}

function headText({ method, target, headers, body, length }: UpstreamRequest, host: string): string {
  if (!TARGET.test(target) || !TOKEN.test(method))
    throw new TypeError("What is asked for cannot stand in a request's first line.");
  if (length !== undefined && !(Number.isSafeInteger(length) && length >= 0))
    throw new TypeError("The length of the body is no number of bytes.");
  let text = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    if (!TOKEN.test(name) || NOT_IN_VALUES.test(value))
      throw new TypeError("The name or the value of a header cannot stand in one.");
    text += `${name}: ${value}\r\n`;
  }
  if (body instanceof Uint8Array) text += `content-length: ${body.length}\r\n`;
  else if (body !== null)
    text += length === undefined ? "transfer-encoding: chunked\r\n" : `content-length: ${length}\r\n`;
  return `${text}\r\n`;
}

const TARGET = /^\/[\x21-\x7e]*$/;
/** What a method or a header's name is (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** It could end a line, or is no byte. */
const NOT_IN_VALUES = /[^\t\x20-\xff]/;
