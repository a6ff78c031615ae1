/**
 * A provider as a bare socket: records the exact bytes of what it is asked, answers exactly the bytes it is told.
 */
import { createServer, type Server, type Socket } from "node:net";
import { atEnd } from "./cleanup.ts";
import {
  chunk,
  type Framing,
  type Head,
  type HeaderList,
  headBytes,
  LAST_CHUNK,
  SocketReader,
} from "./http1.ts";
import { listenAnew, note, recordSocket } from "./record.ts";

export interface RecordedRequest extends Head {
  method: string;
  target: string;
  /** Without its framing. */
  body: Buffer;
  framing: Framing;
  /** False where the connection ended before the body did. */
  complete: boolean;
}

export type Answer = (request: RecordedRequest, socket: Socket, reader: SocketReader) => void | Promise<void>;

export interface Reply {
  status?: number;
  reason?: string;
  headers?: HeaderList;
  body?: string | Uint8Array;
  /** By default the body's length is given; `close` gives none and ends the connection. */
  framing?: Framing;
  /** How many bytes each piece of the body has, one after another; the rest follows as one. */
  cuts?: readonly number[];
}

export class RecordingUpstream {
  readonly requests: RecordedRequest[] = [];
  /** Everything that was ever received, head and body as they came. */
  raw = "";
  answer: Answer = reply({ body: "{}", headers: [["Content-Type", "application/json"]] });
  /** Answers as soon as the head is there; the body is then the answer's to read. */
  answersAtHead = false;
  connections = 0;
  readonly open = new Set<Socket>();
  readonly server: Server;
  private readonly others: Server[] = [];
  port = 0;

  constructor() {
    this.server = this.listener();
  }

  private listener(): Server {
    return createServer((socket) => {
      this.connections++;
      this.open.add(socket);
      socket.on("close", () => this.open.delete(socket));
      socket.on("error", () => {});
      socket.setNoDelay(true);
      recordSocket(socket, `http://127.0.0.1:${socket.localPort}`);
      void this.converse(socket);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The last request, of which there must have been one. */
  get last(): RecordedRequest {
    const request = this.requests.at(-1);
    if (request === undefined) throw new Error("The upstream was asked nothing.");
    return request;
  }

  /** Forgets what was recorded. */
  clear(): void {
    this.requests.length = 0;
    this.raw = "";
  }

  private async converse(socket: Socket): Promise<void> {
    const reader = new SocketReader(socket);
    for (;;) {
      const head = await reader.head();
      if (head === null) return;
      const [method = "", target = ""] = head.startLine.split(" ");
      const request: RecordedRequest = {
        ...head,
        method,
        target,
        body: Buffer.alloc(0),
        framing: "none",
        complete: false,
      };
      this.requests.push(request);
      this.raw += headBytes(head.startLine, head.headers).toString("latin1");
      if (!this.answersAtHead) {
        const body = await reader.body(head.headers, false);
        Object.assign(request, { body: body.bytes, framing: body.framing, complete: body.complete });
        if (body.bytes.length < 1024 * 1024) this.raw += body.bytes.toString("latin1");
        if (!body.complete) return;
      }
      await this.answer(request, socket, reader);
      if (socket.destroyed || socket.writableEnded) return;
    }
  }

  async listen(): Promise<void> {
    this.port = await opened(this.server);
  }

  /** A further address of it, where the record is to tell two providers apart. */
  async another(): Promise<string> {
    const server = this.listener();
    this.others.push(server);
    return `http://127.0.0.1:${await opened(server)}`;
  }

  close(): void {
    for (const socket of this.open) socket.destroy();
    for (const server of [this.server, ...this.others]) server.close();
  }
}

async function opened(server: Server): Promise<number> {
  const port = await listenAnew(server);
  note({ what: "stand-in", origin: `http://127.0.0.1:${port}` });
  return port;
}

export async function recordingUpstream(): Promise<RecordingUpstream> {
  const upstream = new RecordingUpstream();
  await upstream.listen();
  atEnd(() => upstream.close());
  return upstream;
}

/** Answers with this. */
export function reply(given: Reply | ((request: RecordedRequest) => Reply)): Answer {
  return async (request, socket) => {
    const made = typeof given === "function" ? given(request) : given;
    const { status = 200, reason = "OK", headers = [], framing = "length", cuts = [] } = made;
    const body = typeof made.body === "string" ? Buffer.from(made.body) : Buffer.from(made.body ?? "");
    const bodiless = request.method === "HEAD" || status === 204 || status === 304;
    const framed: HeaderList =
      framing === "length"
        ? [...headers, ["Content-Length", String(body.length)]]
        : framing === "chunked"
          ? [...headers, ["Transfer-Encoding", "chunked"]]
          : framing === "close"
            ? [...headers, ["Connection", "close"]]
            : headers;
    socket.write(headBytes(`HTTP/1.1 ${status} ${reason}`, status === 204 ? headers : framed));
    if (!bodiless) {
      for (const piece of cut(body, cuts)) {
        await write(socket, framing === "chunked" ? chunk(piece) : piece);
        // Its own segment, so that it arrives as its own piece.
        if (cuts.length > 0) await Bun.sleep(0);
      }
      if (framing === "chunked") socket.write(LAST_CHUNK);
    }
    if (framing === "close") socket.end();
  };
}

/** Writes and waits while the peer reads slowly; false where it is gone. */
export async function write(socket: Socket, bytes: string | Uint8Array): Promise<boolean> {
  if (socket.destroyed) return false;
  if (!socket.write(bytes)) {
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off("drain", done);
        socket.off("close", done);
        resolve();
      };
      socket.on("drain", done);
      socket.on("close", done);
    });
  }
  return !socket.destroyed;
}

function* cut(body: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    if (at >= body.length) return;
    if (size > 0) yield body.subarray(at, at + size);
    at += size;
  }
  if (at < body.length) yield body.subarray(at);
}
