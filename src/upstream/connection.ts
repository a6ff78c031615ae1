import type { Socket } from "bun";
import { CLOSED, UpstreamFailure } from "./failure.ts";
import type { Head } from "./head.ts";
import type { Transfer } from "./transfer.ts";

/** Where a connection leads. */
export interface Endpoint {
  readonly hostname: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** Whoever keeps connections. */
export interface Keeper {
  /** It may take another request. */
  keep(connection: Connection): void;
  /** It is closed. */
  forget(connection: Connection): void;
  /** Its request was sent on a connection that the upstream had closed meanwhile, and may be sent again. */
  repeat(transfer: Transfer): void;
}

/** Up to this size a head and its body go out in one write, bytes. */
const ONE_WRITE_BYTES = 64 * 1024;
/**
 * What they are put together in. The socket copies what it takes before it returns, so one is enough for all
 * connections, and a request leaves nothing behind for the collector.
 */
const outbox = Buffer.allocUnsafeSlow(ONE_WRITE_BYTES);

/** One connection to an upstream, for one request at a time. */
export class Connection {
  /** When it was last given back, milliseconds of the keeper's clock. */
  idleSince = 0;
  /** How long the upstream keeps it, seconds, where it has said so. */
  idleSeconds: number | undefined;

  private readonly keeper: Keeper;
  private socket: Socket<Connection> | undefined;
  private transfer: Transfer | undefined;
  private error: Error | undefined;
  private hasServed = false;
  private mayServeMore = true;
  private isClosed = false;
  /** The keeper knows of it. */
  private isKept = false;
  /** What the socket had no room for. */
  private unsent: Uint8Array | undefined;
  private drained: PromiseWithResolvers<void> | undefined;
  /** Of a body that is a stream and is not over. */
  private upload: ReadableStreamDefaultReader<Uint8Array> | undefined;

  private constructor(keeper: Keeper) {
    this.keeper = keeper;
  }

  /**
   * Connects, with TLS where that is spoken there: the certificate must be good, and that host's.
   * @throws UpstreamFailure where it does not come about in time.
   */
  static async open(endpoint: Endpoint, keeper: Keeper, timeoutMs: number): Promise<Connection> {
    const connection = new Connection(keeper);
    const ready = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => ready.reject(failure("ETIMEDOUT", "no connection in time", undefined)),
      timeoutMs,
    );
    const { hostname, port, isTls } = endpoint;
    // An address has no name that the upstream could choose its certificate by.
    const serverName = /^[\d.]+$|:/.test(hostname) ? {} : { serverName: hostname };
    try {
      Bun.connect<Connection>({
        hostname,
        port,
        data: connection,
        ...(isTls && { tls: { ...serverName, ALPNProtocols: "http/1.1", rejectUnauthorized: true } }),
        socket: {
          open: (socket) => {
            connection.socket = socket;
            if (connection.isClosed) socket.terminate();
            else if (!isTls) ready.resolve();
          },
          handshake: (_, isGood, error) => {
            if (isGood && error === null) ready.resolve();
            else ready.reject(failure(codeOf(error), "its certificate is not good", error));
          },
          data: (socket, bytes) => socket.data.received(bytes as Buffer<ArrayBuffer>),
          drain: (socket) => socket.data.flush(),
          error: (socket, error) => {
            socket.data.error = error;
          },
          close: (socket, error) => {
            ready.reject(failure(codeOf(error), "it was closed at once", error));
            socket.data.closed(error ?? undefined);
          },
          connectError: (_, error) => ready.reject(failure(codeOf(error), error.message, error)),
        },
      }).catch((error: Error) => ready.reject(failure(codeOf(error), error.message, error)));
      await ready.promise;
      if (connection.isClosed) throw failure(CLOSED, "it was closed at once", undefined);
      connection.isKept = true;
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The address that it leads to. */
  get remoteAddress(): string | undefined {
    return this.socket?.remoteAddress;
  }

  /** Sends a request; the answer goes to it. */
  begin(transfer: Transfer): void {
    this.transfer = transfer;
    transfer.connection = this;
    // It may have been on another connection before.
    transfer.isWritten = false;
    const { head, body } = transfer.outgoing;
    if (body instanceof ReadableStream) void this.writeStream(transfer, head, body);
    else this.finish(transfer, this.writeWhole(head, body ?? NO_BODY));
  }

  /** What the head of its answer says about the connection. */
  noteAnswer({ keepsAlive, idleSeconds }: Head): void {
    this.mayServeMore &&= keepsAlive;
    this.idleSeconds = idleSeconds ?? this.idleSeconds;
  }

  /** The transfer on it is over. */
  release(isClean: boolean): void {
    this.transfer = undefined;
    this.hasServed = true;
    if (isClean && this.mayServeMore && !this.isClosed) this.keeper.keep(this);
    else this.destroy();
  }

  pause(): void {
    this.socket?.pause();
  }

  resume(): void {
    this.socket?.resume();
  }

  destroy(): void {
    this.isClosed = true;
    this.socket?.terminate();
  }

  private received(bytes: Buffer<ArrayBuffer>): void {
    const { transfer } = this;
    // Nobody asked: whatever it is, the next answer on this connection could be anybody's.
    if (transfer === undefined) this.destroy();
    else transfer.take(bytes);
  }

  private closed(error: Error | undefined): void {
    const { transfer } = this;
    this.isClosed = true;
    this.transfer = undefined;
    this.drained?.resolve();
    this.stopUpload();
    if (this.isKept) this.keeper.forget(this);
    if (transfer === undefined) return;
    if (this.hasServed && transfer.mayRepeat) {
      transfer.connection = undefined;
      this.keeper.repeat(transfer);
      return;
    }
    const cause = error ?? this.error;
    transfer.closed(
      new UpstreamFailure(codeOf(cause), "The upstream closed the connection.", true, { cause }),
    );
  }

  private writeWhole(head: string, body: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    const length = head.length + body.length;
    if (length > outbox.length) {
      const written = this.write(Buffer.from(head, "latin1"));
      return written === undefined ? this.write(body) : written.then(() => this.write(body));
    }
    outbox.write(head, 0, "latin1");
    outbox.set(body, head.length);
    return this.write(outbox, length);
  }

  private async writeStream(
    transfer: Transfer,
    head: string,
    body: ReadableStream<Uint8Array>,
  ): Promise<void> {
    const { length } = transfer.outgoing;
    let sent = 0;
    try {
      const reader = body.getReader();
      this.upload = reader;
      await this.write(Buffer.from(head, "latin1"));
      for (;;) {
        const { done, value } = await reader.read();
        if (transfer.isOver) return;
        if (done) break;
        // An empty chunk would be the last one.
        if (value.length === 0) continue;
        sent += value.length;
        // The upstream would take the rest for another request.
        if (length !== undefined && sent > length) throw wrongLength("longer");
        await this.write(length === undefined ? chunkOf(value) : value);
      }
      // The upstream would take the next request for the rest.
      if (length !== undefined && sent < length) throw wrongLength("shorter");
      if (length === undefined) await this.write(LAST_CHUNK);
      if (transfer.isOver) return;
      this.upload = undefined;
      transfer.isWritten = true;
    } catch (error) {
      // What the client sends broke off: the upstream must not take it for whole.
      transfer.fail(error);
    }
  }

  /** Whoever writes the request's body is told that nobody takes the rest. */
  private stopUpload(): void {
    const { upload } = this;
    if (upload === undefined) return;
    this.upload = undefined;
    // What breaks off in that moment is nobody's any more.
    upload.cancel().catch(() => {});
  }

  private finish(transfer: Transfer, written: Promise<void> | undefined): void {
    if (written === undefined) transfer.isWritten = true;
    else
      void written.then(() => {
        transfer.isWritten = true;
      });
  }

  /**
   * @param length How many of the bytes, from the first on.
   * @returns A promise only where the socket has no room; it resolves when it has, or the connection is closed.
   */
  private write(bytes: Uint8Array, length = bytes.length): Promise<void> | undefined {
    const { socket } = this;
    if (socket === undefined || this.isClosed || length === 0) return undefined;
    const written = Math.max(0, socket.write(bytes, 0, length));
    if (written === length) return undefined;
    const rest = bytes.subarray(written, length);
    // The next request is put together where this one was.
    this.unsent = bytes === outbox ? new Uint8Array(rest) : rest;
    this.drained = Promise.withResolvers();
    return this.drained.promise;
  }

  private flush(): void {
    const { unsent, socket } = this;
    if (unsent === undefined || socket === undefined) return;
    const written = Math.max(0, socket.write(unsent));
    if (written < unsent.length) {
      this.unsent = unsent.subarray(written);
      return;
    }
    this.unsent = undefined;
    this.drained?.resolve();
  }
}

const NO_BODY = new Uint8Array(0);
const LAST_CHUNK = Buffer.from("0\r\n\r\n", "latin1");

function chunkOf(piece: Uint8Array): Buffer {
  const size = `${piece.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + piece.length + 2);
  chunk.write(size, 0, "latin1");
  chunk.set(piece, size.length);
  chunk.write("\r\n", size.length + piece.length, "latin1");
  return chunk;
}

function wrongLength(how: "longer" | "shorter"): UpstreamFailure {
  return new UpstreamFailure("EBODYLENGTH", `The request's body is ${how} than it says.`, true);
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : CLOSED;
}

function failure(code: string, why: string, cause: unknown): UpstreamFailure {
  return new UpstreamFailure(code, `No connection to the upstream came about: ${why}.`, false, { cause });
}
