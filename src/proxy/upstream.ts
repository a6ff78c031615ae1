import { connect, isIP, type Socket } from "node:net";
import { Refusal } from "../domain/refusal.ts";
import { isPrivateAddress } from "../gateway/private-address.ts";
import type { Target } from "./target.ts";

/** All addresses of a name. @throws whatever a resolver throws. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const CONNECT_MS = 10_000;

/** The gateway's own listener for what ends here. */
export function openHere(port: number): Promise<Socket> {
  return opened(connect({ host: "127.0.0.1", port }));
}

/**
 * Connects to a host out on the internet, at one of the very addresses that were looked at.
 * @throws Refusal where any of them is not public, or it cannot be reached.
 */
export async function openPublic({ host, port }: Target, resolve: Resolve): Promise<Socket> {
  const [address, ...others] = await addressesOf(host, resolve);
  const all = [address, ...others].filter((one) => one !== undefined);
  // One that is private among public ones is somebody's attempt to have us choose it.
  if (address === undefined || all.some(isPrivateAddress)) {
    throw new Refusal("host_not_allowed", `${host} has no public address, or one that is not public.`);
  }
  // By number, so that the name is not resolved a second time.
  const socket = await opened(connect({ host: address, port, family: isIP(address) })).catch(
    (cause: unknown) => {
      throw new Refusal("upstream_unreachable", `${host} could not be reached.`, { cause });
    },
  );
  if (isPrivateAddress(socket.remoteAddress ?? "")) {
    socket.destroy();
    throw new Refusal("host_not_allowed", `${host} led to an address that is not public.`);
  }
  return socket;
}

async function addressesOf(host: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    return await resolve(host);
  } catch (cause) {
    throw new Refusal("upstream_unreachable", `${host} is not known to the gateway's name server.`, {
      cause,
    });
  }
}

function opened(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error("connect timed out")), CONNECT_MS);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}
