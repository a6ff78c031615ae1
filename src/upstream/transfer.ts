import { Answer, type AnswerBody } from "./answer.ts";
import { ChunkReader } from "./chunks.ts";
import { CLOSED, MalformedAnswer, UpstreamFailure } from "./failure.ts";
import { Gathered } from "./gathered.ts";
import { type Framing, type Head, parseHead } from "./head.ts";

/** What is sent as a request's body. */
export type RequestBody = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;

/** A request in the form in which it goes over the wire. */
export interface Outgoing {
  readonly method: string;
  /** Request line and headers up to and with the empty line; a character for each byte. */
  readonly head: string;
  readonly body: RequestBody;
  /** Of a body that is a stream, what the head says; undefined where it goes in chunks. */
  readonly length: number | undefined;
  /** How long a connection may take to come about, milliseconds. */
  readonly connectMs: number;
  /** Looks at the address that the connection leads to; nothing is sent where it says no. */
  readonly mayLeadTo: ((address: string) => boolean) | undefined;
}

/** What a transfer asks of the connection that it is on. */
interface Carrier {
  noteAnswer(head: Head): void;
  pause(): void;
  resume(): void;
  /** @param isClean Whether nothing stands in the way of another request on it. */
  release(isClean: boolean): void;
}

/** The empty line; as bytes, for of a text each search would make them anew. */
const HEAD_END = Buffer.from("\r\n\r\n");
/** What every answer begins with. */
const HTTP = "HTTP/1.";
/** Of the answer's head, and again of all those that come before it. */
const MAX_HEAD_BYTES = 256 * 1024;
/** So much of an answer may wait for its reader; then the upstream is not read from until half of it is taken. */
const MAX_WAITING_BYTES = 256 * 1024;
/** What a piece that waits costs beside its bytes. */
const PIECE_BYTES = 128;
/** What came in more than this and is little of it is copied, or it would keep all of that in memory while it waits. */
const LARGE_PACKET_BYTES = 4096;
/** They may be sent twice where nobody knows whether the first one arrived (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** One request and its answer. */
export class Transfer implements AnswerBody {
  readonly outgoing: Outgoing;
  readonly answer: Promise<Answer>;
  /** The connection that it is on; undefined before and after. */
  connection: Carrier | undefined;
  /** Whether all of the request has left: before, the connection is nobody else's. */
  isWritten = false;

  private readonly head: PromiseWithResolvers<Answer> = Promise.withResolvers();
  private state: "head" | "body" | "over" = "head";
  /** Whether a byte has come. */
  private hasHeard = false;
  /** Of a head that is not over. */
  private partial: Gathered | undefined;
  /** Of answers that others follow. */
  private interimBytes = 0;
  private framing: Framing = { kind: "none" };
  /** Of a body with a length, what is still to come. */
  private left = 0;
  private chunks: ChunkReader | undefined;
  /** What waits for its reader: of most answers one piece, which needs no list. */
  private first: Uint8Array<ArrayBuffer> | undefined;
  private others: Uint8Array<ArrayBuffer>[] | undefined;
  private waitingBytes = 0;
  private isPaused = false;
  private reading: PromiseWithResolvers<Uint8Array<ArrayBuffer> | null> | undefined;
  private failure: unknown;

  constructor(outgoing: Outgoing) {
    this.outgoing = outgoing;
    this.answer = this.head.promise;
  }

  get isOver(): boolean {
    return this.state === "over";
  }

  /** Whether it may be sent again after its connection broke. */
  get mayRepeat(): boolean {
    const { body, method } = this.outgoing;
    return !this.isOver && !this.hasHeard && !(body instanceof ReadableStream) && IDEMPOTENT.has(method);
  }

  /** What came over its connection. */
  take(bytes: Buffer<ArrayBuffer>): void {
    this.hasHeard = true;
    let isClean: boolean;
    try {
      const rest = this.state === "head" ? this.takeHead(bytes) : bytes;
      if (rest === undefined) return;
      isClean = rest.length === 0 || (this.state === "body" && this.takeBody(rest) === rest.length);
    } catch (error) {
      // Whatever else it is: thrown here, it would reach nobody, and whoever waits would wait on.
      const isMalformed = error instanceof MalformedAnswer;
      const message = isMalformed ? `The upstream's answer is not HTTP: ${error.message}.` : "";
      this.fail(isMalformed ? new UpstreamFailure("EBADANSWER", message, true) : error);
      return;
    }
    if (this.isOver) this.leave(isClean);
  }

  /** Its connection was closed, by the upstream or by the network. */
  closed(failure: UpstreamFailure): void {
    this.connection = undefined;
    if (this.state === "body" && this.framing.kind === "close" && failure.code === CLOSED) this.end();
    else this.fail(failure);
  }

  /** It is over: nothing more is read or sent. Whoever waits for its answer, or reads its body, is told. */
  fail(reason: unknown): void {
    if (this.isOver) return;
    this.state = "over";
    this.failure = reason;
    // Nothing, where the head was there already.
    this.head.reject(reason);
    this.reading?.reject(reason);
    this.reading = undefined;
    this.leave(false);
  }

  /** As `fail`, and what waits for its reader is forgotten. */
  abort(reason: unknown): void {
    this.first = undefined;
    this.others = undefined;
    if (this.isOver) this.failure ??= reason;
    else this.fail(reason);
  }

  read(): Uint8Array<ArrayBuffer> | null | Promise<Uint8Array<ArrayBuffer> | null> {
    const piece = this.first;
    if (piece !== undefined) {
      this.first = this.others?.shift();
      this.waitingBytes -= piece.length + PIECE_BYTES;
      if (this.isPaused && this.waitingBytes <= MAX_WAITING_BYTES / 2) {
        this.isPaused = false;
        this.connection?.resume();
      }
      return piece;
    }
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.isOver) return null;
    this.reading ??= Promise.withResolvers();
    return this.reading.promise;
  }

  cancel(): void {
    this.abort(new UpstreamFailure("ECANCELED", "Nobody reads the answer any more.", true));
  }

  /** @returns What came behind the head; undefined where that is not over. */
  private takeHead(bytes: Buffer<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    const before = this.partial?.length ?? 0;
    let all = this.partial?.add(bytes) ?? bytes;
    // The empty line may have begun in what was here before.
    let from = Math.max(0, before - 3);
    for (;;) {
      const end = all.indexOf(HEAD_END, from);
      if (end === -1) {
        // What begins otherwise need not be waited for: it may never end.
        if (!HTTP.startsWith(all.toString("latin1", 0, HTTP.length)))
          throw new MalformedAnswer("it does not begin as HTTP does");
        if (all.length > MAX_HEAD_BYTES) throw new MalformedAnswer("its head is too long");
        this.partial ??= new Gathered(all);
        return undefined;
      }
      const head = parseHead(all.toString("latin1", 0, end), this.outgoing.method);
      this.partial = undefined;
      if (head.status >= 200) {
        this.begin(head);
        return all.subarray(end + 4);
      }
      // Other answers follow; this one is between the two hops.
      if (head.status === 101) throw new MalformedAnswer("it switches to another protocol");
      this.interimBytes += end + 4;
      if (this.interimBytes > MAX_HEAD_BYTES) throw new MalformedAnswer("too much goes before it");
      all = all.subarray(end + 4);
      from = 0;
    }
  }

  private begin(head: Head): void {
    const { framing } = head;
    this.framing = framing;
    this.connection?.noteAnswer(head);
    if (framing.kind === "length") this.left = framing.bytes;
    else if (framing.kind === "chunked") this.chunks = new ChunkReader();
    this.state = "body";
    if (framing.kind === "none") this.end();
    this.head.resolve(new Answer(head.status, head.headers, framing.kind === "none" ? null : this));
  }

  /** @returns How many of the bytes are the body's; others came behind its end. */
  private takeBody(bytes: Uint8Array<ArrayBuffer>): number {
    if (this.chunks !== undefined) return this.takeChunks(bytes, this.chunks);
    if (this.framing.kind === "close") {
      this.deliver(bytes, bytes.length);
      return bytes.length;
    }
    const { left } = this;
    const piece = bytes.length <= left ? bytes : bytes.subarray(0, left);
    this.left -= piece.length;
    this.deliver(piece, bytes.length);
    if (this.left === 0) this.end();
    return piece.length;
  }

  private takeChunks(bytes: Uint8Array<ArrayBuffer>, chunks: ChunkReader): number {
    let first: Uint8Array<ArrayBuffer> | undefined;
    let others: Uint8Array<ArrayBuffer>[] | undefined;
    const end = chunks.push(bytes, (piece) => {
      if (first === undefined) first = piece;
      else {
        others ??= [first];
        others.push(piece);
      }
    });
    // What came together is passed on together.
    if (others !== undefined) this.deliver(Buffer.concat(others), 0);
    else if (first !== undefined) this.deliver(first, bytes.length);
    if (chunks.isOver) this.end();
    return end;
  }

  /** @param packetBytes How much is kept in memory with it. */
  private deliver(piece: Uint8Array<ArrayBuffer>, packetBytes: number): void {
    const { reading } = this;
    if (reading !== undefined) {
      this.reading = undefined;
      reading.resolve(piece);
      return;
    }
    const isSmallPart = packetBytes > LARGE_PACKET_BYTES && piece.length < packetBytes / 2;
    const kept = isSmallPart ? new Uint8Array(piece) : piece;
    if (this.first === undefined) this.first = kept;
    else {
      this.others ??= [];
      this.others.push(kept);
    }
    this.waitingBytes += piece.length + PIECE_BYTES;
    if (this.waitingBytes <= MAX_WAITING_BYTES || this.isPaused) return;
    this.isPaused = true;
    this.connection?.pause();
  }

  private end(): void {
    this.state = "over";
    this.reading?.resolve(null);
    this.reading = undefined;
  }

  private leave(isClean: boolean): void {
    const { connection } = this;
    this.connection = undefined;
    if (this.isPaused) {
      // All of it is here: the next answer is not to wait for who reads this one.
      this.isPaused = false;
      connection?.resume();
    }
    connection?.release(isClean && this.isWritten);
  }
}
