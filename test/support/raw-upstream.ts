import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** One connection to a raw upstream, as the upstream sees it. Texts are latin1: one character is one byte. */
export class RawConnection {
  readonly socket: Socket;
  /** Resolves when the connection is over for both sides. */
  readonly closed: Promise<void>;
  /** What has come and was not taken by `request` yet. */
  text = "";
  /** Whether the client has ended or broken it. */
  isOver = false;
  private wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.text += bytes.toString("latin1");
      this.wake();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    const over = () => {
      this.isOver = true;
      this.wake();
    };
    socket.on("end", over);
    socket.on("close", () => {
      over();
      resolve();
    });
    // What breaks is seen by `closed`.
    socket.on("error", () => {});
  }

  /** The next request, head and body as they came; undefined where the connection ended first. */
  async request(): Promise<string | undefined> {
    for (;;) {
      const end = endOfRequest(this.text);
      if (end !== undefined) {
        const request = this.text.slice(0, end);
        this.text = this.text.slice(end);
        return request;
      }
      if (this.isOver) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** Resolves when it has left this process. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(text, "latin1", () => resolve());
    });
  }
}

/** Where the first request in this text ends; undefined where it does not. */
function endOfRequest(text: string): number | undefined {
  const head = text.indexOf("\r\n\r\n");
  if (head === -1) return undefined;
  const start = head + 4;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, start))?.[1];
  if (length !== undefined) return text.length < start + Number(length) ? undefined : start + Number(length);
  if (!/\r\ntransfer-encoding: chunked\r\n/i.test(text.slice(0, start))) return start;
  const last = text.indexOf("0\r\n\r\n", start);
  return last === -1 ? undefined : last + 5;
}

/** An upstream that does byte by byte what a test says. */
export class RawUpstream {
  readonly connections: RawConnection[] = [];
  private readonly server: Server;
  private readonly scheme: string;
  private readonly host: string;

  /**
   * @param serve Called with each connection, and with how many there were before.
   * @param tls Where it speaks TLS, PEM.
   */
  static async start(
    serve: (connection: RawConnection, before: number) => void | Promise<void>,
    { tls, host = "127.0.0.1" }: { tls?: { key: string; cert: string }; host?: string } = {},
  ): Promise<RawUpstream> {
    const accept = (socket: Socket) => {
      const connection = new RawConnection(socket);
      upstream.connections.push(connection);
      void serve(connection, upstream.connections.length - 1);
    };
    const server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
    // A client that does not like the certificate says so.
    server.on("tlsClientError", () => {});
    const upstream: RawUpstream = new RawUpstream(server, tls === undefined ? "http" : "https", host);
    await new Promise<void>((resolve) => {
      server.listen(0, host, resolve);
    });
    return upstream;
  }

  private constructor(server: Server, scheme: string, host: string) {
    this.server = server;
    this.scheme = scheme;
    this.host = host;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  get origin(): string {
    return `${this.scheme}://${this.host}:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.server.close();
  }
}

/** Answers every request on a connection with the next of these texts; stops where none is left. */
export function answering(...answers: readonly string[]) {
  return async (connection: RawConnection): Promise<void> => {
    for (const answer of answers) {
      if ((await connection.request()) === undefined) return;
      await connection.write(answer);
    }
  };
}
