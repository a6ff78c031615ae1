/**
 * The record of a run: every byte that stand-ins received, and whose each address and each secret is. `test/egress/`
 * reads it when all other suites are over.
 */
import { appendFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { atEnd } from "./cleanup.ts";

export type Note =
  /** A stand-in listens here. */
  | { what: "stand-in"; origin: string }
  /** What came to it, base64; pieces of one connection belong together in their order. */
  | { what: "bytes"; origin: string; connection: string; bytes: string }
  | Address
  | Secret
  /** From here on nothing leaves this machine unseen: see `sealed.py`. */
  | { what: "sealed" }
  | { what: "packet"; protocol: string; to: string; port: number; name: string | null };

/** Where a gateway was told to find a provider. */
export interface Address {
  what: "address";
  /** A provider's id, or `storage` for what takes no credential at all. */
  owner: string;
  /** Scheme, host and port. */
  origin: string;
  /** Paths there that are this owner's; empty for all. */
  path: string;
  /** The owner's token server. */
  gives?: "tokens";
}

export interface Secret {
  what: "secret";
  /** The provider that it is for, or `gateway` for master keys and operator tokens. */
  owner: string;
  text: string;
}

/** Where `npm test` keeps the record of the suite that runs; none where a file is run by itself. */
const folder = process.env["EGRESS_RECORD"];
const file = folder === undefined ? undefined : `${folder}/${process.pid}.jsonl`;

export function note(one: Note, to = file): void {
  if (to !== undefined) appendFileSync(to, `${JSON.stringify(one)}\n`);
}

/** Writes down what comes in on this connection. */
export function recordSocket(socket: Socket, origin: string, to = file): void {
  if (to === undefined) return;
  const connection = crypto.randomUUID();
  socket.on("data", (piece: Buffer) =>
    note({ what: "bytes", origin, connection, bytes: piece.toString("base64") }, to),
  );
}

/** An address in front of a server, whose every byte is written down before the server sees it. */
export interface Recorded {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * @param server The port of a server on loopback.
 * @param port Where to listen; the system chooses by default.
 * @param to The file to write to; the run's own by default.
 */
export async function recorded(server: number, port = 0, to = file): Promise<Recorded> {
  const open = new Set<Socket>();
  let origin = "";
  const relay = createServer({ allowHalfOpen: true }, (client) => {
    const inner = connect({ port: server, host: "127.0.0.1", allowHalfOpen: true });
    recordSocket(client, origin, to);
    for (const [socket, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  const at = await listenAnew(relay, port);
  origin = `http://127.0.0.1:${at}`;
  note({ what: "stand-in", origin }, to);
  const stop = async () => {
    const closed = new Promise((resolve) => relay.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  };
  return { origin, port: at, stop };
}

const taken = new Set<number>();

/**
 * Listens on loopback, at a port that no stand-in of this run has had: by its port the record tells whose an address is.
 * @param port The system chooses by default.
 */
export async function listenAnew(server: Server, port = 0): Promise<number> {
  for (;;) {
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The stand-in has no port.");
    if (port !== 0 || !taken.has(address.port)) {
      taken.add(address.port);
      return address.port;
    }
    await new Promise((resolve) => server.close(resolve));
  }
}

/** What a stand-in is made of. */
export interface Served {
  fetch(request: Request): Response | Promise<Response>;
  /** Seconds; 0 for none. */
  idleTimeout?: number;
}

export interface Elsewhere {
  /** A further address of the same, where the record is to tell two providers apart. */
  another(): Promise<string>;
}

/** A stand-in on loopback that is recorded; ends with the file that is being set up. */
export async function serveRecorded(options: Served): Promise<Recorded & Elsewhere> {
  const server = Bun.serve({ ...options, port: 0, hostname: "127.0.0.1" });
  const fronts = [await recorded(server.port ?? 0)];
  const stop = async () => {
    await Promise.all(fronts.map((front) => front.stop()));
    await server.stop(true);
  };
  atEnd(stop);
  const another = async () => {
    const front = await recorded(server.port ?? 0);
    fronts.push(front);
    return front.origin;
  };
  return { ...(fronts[0] as Recorded), another, stop };
}
