import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

const special4 = new BlockList();
// Apart: the platform would take every IPv4 address for one mapped into IPv6.
const special6 = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  // Relays of 6to4.
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const) {
  special4.addSubnet(network, bits, "ipv4");
}
for (const [network, bits] of [
  // Nothing, this machine, and IPv4 in the clothes of long ago.
  ["::", 96],
  // Thrown away, and IPv4 behind Teredo.
  ["100::", 64],
  ["2001::", 32],
  // IPv4 in IPv6's clothes: mapped, NAT64, 6to4.
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const) {
  special6.addSubnet(network, bits, "ipv6");
}

/** Where clouds tell a machine who it is, its credentials included; none of it is a server of anybody's. */
const metadata4 = new BlockList();
const metadata6 = new BlockList();
metadata4.addSubnet("169.254.0.0", 16, "ipv4");
metadata4.addAddress("100.100.100.200", "ipv4");
for (const [network, bits] of [
  ["fd00:ec2::", 32],
  ["fe80::", 10],
  ["::169.254.0.0", 112],
  ["::ffff:169.254.0.0", 112],
  ["64:ff9b::169.254.0.0", 112],
] as const) {
  metadata6.addSubnet(network, bits, "ipv6");
}

export function isMetadata(address: string): boolean {
  const family = isIP(address);
  return family === 4 ? metadata4.check(address, "ipv4") : family === 6 && metadata6.check(address, "ipv6");
}

/** True for an address that is not out on the public internet. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  return family === 4 ? special4.check(address, "ipv4") : special6.check(address, "ipv6");
}

export function isPublicAddress(address: string): boolean {
  return !isPrivateAddress(address);
}

/**
 * `metadata` where any of its addresses is one at which clouds tell machines their secrets, `private` where any is
 * another that is not public; `unknown` where it does not resolve.
 */
export async function networkOf(hostname: string): Promise<"public" | "private" | "metadata" | "unknown"> {
  const bare = hostname.replace(/^\[|\]$/g, "");
  let addresses = [bare];
  try {
    if (isIP(bare) === 0) addresses = (await lookup(bare, { all: true })).map(({ address }) => address);
  } catch {
    return "unknown";
  }
  if (addresses.some(isMetadata)) return "metadata";
  return addresses.some(isPrivateAddress) ? "private" : "public";
}
