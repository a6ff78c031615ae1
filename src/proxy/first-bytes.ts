import type { Socket } from "node:net";
import { MAX_HELLO_BYTES, readClientHello } from "./client-hello.ts";

/** How long a client may take to say what it wants, milliseconds. */
const HELLO_MS = 10_000;

/**
 * What a client sends first, and the server that it asks for by TLS; the socket is paused behind it.
 * @param head What came with the request for the connection.
 * @returns undefined where it is gone, too slow, or what it says is no TLS; the socket is then destroyed.
 */
export function firstBytes(
  socket: Socket,
  head: Buffer,
): Promise<{ bytes: Buffer; serverName: string | undefined } | undefined> {
  const { promise, resolve } = Promise.withResolvers<
    { bytes: Buffer; serverName: string | undefined } | undefined
  >();
  let bytes = head;
  const timer = setTimeout(() => end(undefined), HELLO_MS);
  const end = (serverName: string | undefined, isWhole = false) => {
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("close", onGone);
    socket.off("end", onGone);
    socket.pause();
    if (isWhole) return resolve({ bytes, serverName });
    socket.destroy();
    resolve(undefined);
  };
  const look = () => {
    const hello = readClientHello(bytes);
    if (hello.kind === "hello") end(hello.serverName, true);
    else if (hello.kind === "unreadable" || bytes.length > MAX_HELLO_BYTES) end(undefined);
  };
  const onData = (piece: Buffer) => {
    bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
    look();
  };
  const onGone = () => end(undefined);
  socket.on("data", onData);
  socket.on("close", onGone);
  socket.on("end", onGone);
  if (bytes.length > 0) look();
  return promise;
}
