import { type Network, parseAddress } from "../domain/network.ts";

/**
 * Where a call comes from: whoever opened the connection, or, where that is a trusted reverse proxy, the last address on
 * the way that is none. What stands in front of it a client may have written itself.
 * @returns null where that cannot be told: a proxy named no address, or two headers contradict each other.
 */
export function clientAddress(
  headers: Headers,
  peer: string | null,
  trusted: readonly Network[],
): string | null {
  if (peer === null || trusted.length === 0 || !isTrusted(peer, trusted)) return peer;
  const forwardedFor = headers.get("x-forwarded-for");
  const forwarded = headers.get("forwarded");
  if (forwardedFor === null && forwarded === null) return peer;
  // A proxy writes one of them and may let the client's other one pass.
  if (forwardedFor === null) return lastUntrusted(forwardedHops(forwarded ?? ""), trusted);
  const client = lastUntrusted(forwardedFor.split(","), trusted);
  if (forwarded === null || lastUntrusted(forwardedHops(forwarded), trusted) === client) return client;
  return null;
}

function isTrusted(address: string, trusted: readonly Network[]): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && trusted.some((network) => network.contains(parsed));
}

/** @param hops In the order in which the call passed them; each proxy has written whom it was called by. */
function lastUntrusted(hops: readonly string[], trusted: readonly Network[]): string | null {
  let address: string | null = null;
  for (const hop of hops.toReversed()) {
    address = addressIn(hop);
    if (address === null || !isTrusted(address, trusted)) return address;
  }
  return address;
}

/** RFC 7239: `for=192.0.2.60;proto=https, for="[2001:db8::1]:4711"`. */
function forwardedHops(header: string): string[] {
  return header.split(",").map((element) => {
    const pair = element.split(";").find((one) => /^\s*for\s*=/i.test(one)) ?? "";
    return pair.slice(pair.indexOf("=") + 1);
  });
}

/** Without quotes, brackets and port. */
function addressIn(hop: string): string | null {
  const text = hop.trim().replace(/^"(.*)"$/, "$1");
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, "$1");
  return parseAddress(bare) === undefined ? null : bare;
}
