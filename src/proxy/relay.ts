import type { Socket } from "node:net";

export interface Relayed {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ending: "complete" | "client_closed" | "upstream_broken" | "timeout";
}

/** Clients that vanish without a word are noticed so. Milliseconds. */
const PROBE_MS = 60_000;
/** How long the rest may take, without a byte, once one side has said all. Milliseconds. */
const LINGER_MS = 60_000;

/**
 * Passes bytes both ways until one side ends; whoever reads slowly is waited for.
 * @param idleMs After this long without a byte it ends; 0 for never.
 */
export function relay(client: Socket, upstream: Socket, idleMs: number): Promise<Relayed> {
  const { promise, resolve } = Promise.withResolvers<Relayed>();
  let bytesIn = 0;
  let bytesOut = 0;
  let ending: Relayed["ending"] = "complete";
  client.setKeepAlive(true, PROBE_MS);
  for (const socket of [client, upstream]) {
    socket.setNoDelay(true);
    if (idleMs > 0) {
      socket.setTimeout(idleMs, () => {
        ending = "timeout";
        socket.destroy();
      });
    }
  }
  client.on("data", (piece: Buffer) => (bytesIn += piece.length));
  upstream.on("data", (piece: Buffer) => (bytesOut += piece.length));
  client.on("error", () => (ending = "client_closed"));
  upstream.on("error", () => {
    ending = "upstream_broken";
    upstream.destroy();
  });
  client.on("close", () => {
    upstream.destroy();
    resolve({ bytesIn, bytesOut, ending });
  });
  upstream.on("close", () => {
    // What has come is still on its way to the client.
    if (!upstream.readableEnded) client.destroy();
  });
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    socket.on("end", () => other.setTimeout(LINGER_MS, () => other.destroy()));
  }
  client.pipe(upstream);
  upstream.pipe(client);
  return promise;
}
