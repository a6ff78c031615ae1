import { expect, test } from "bun:test";
import { BlockList } from "node:net";
import fc from "fast-check";
import { parseAddress, parseNetwork } from "./network.ts";

function isIn(network: string, address: string): boolean | undefined {
  const parsed = parseAddress(address);
  return parsed && parseNetwork(network)?.contains(parsed);
}

test.each([
  ["10.0.0.0/8", "10.255.255.255", true],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["10.1.2.3", "10.1.2.3", true],
  ["10.1.2.3", "10.1.2.4", false],
  ["0.0.0.0/0", "203.0.113.7", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "203.0.113.7", false],
  ["10.0.0.0/8", "::ffff:10.1.2.3", true],
  ["10.0.0.0/8", "::ffff:a01:203", true],
  ["::ffff:10.0.0.0/104", "10.1.2.3", true],
  ["2001:db8::/32", "2001:DB8:1::", true],
  ["2001:db8::/32", "2001:db9::", false],
  ["fe80::1", "fe80::1%eth0", true],
  ["::1", "0:0:0:0:0:0:0:1", true],
] as const)("%s: %s is %p", (network, address, expected) => {
  expect(isIn(network, address)).toBe(expected);
});

test.each([
  "",
  "10.0.0.1/8",
  "10.0.0.0/33",
  "10.0.0/24",
  "010.0.0.0/8",
  "256.0.0.0",
  "10.0.0.0/",
  "1:2:3",
  "::1::2",
  "1:2:3:4:5:6:7:8:9",
  "::/129",
  "::ffff:10.0.0.0/95",
  "example.com",
  "10.0.0.0 /8",
])("%j is no network", (bad) => {
  expect(parseNetwork(bad)).toBeUndefined();
});

test("agrees with the platform on all addresses and prefixes", () => {
  const quad = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }).map((parts) => parts.join("."));
  fc.assert(
    fc.property(fc.oneof(quad, fc.ipV6()), fc.oneof(quad, fc.ipV6()), fc.nat(128), (base, other, n) => {
      const family = base.includes(":") ? 6 : 4;
      // The platform takes IPv4 for mapped IPv6; we keep them apart.
      if (family !== (other.includes(":") ? 6 : 4) || parseAddress(base)?.family !== family) return;
      if (parseAddress(other)?.family !== family) return;
      const length = family === 4 ? n % 33 : n;
      const list = new BlockList();
      list.addSubnet(base, length, family === 4 ? "ipv4" : "ipv6");
      const network = parseNetwork(`${base}/${length}`);
      // Refused where bits stand behind the prefix.
      if (network === undefined) return;
      const address = parseAddress(other);
      expect(address && network.contains(address)).toBe(list.check(other, family === 4 ? "ipv4" : "ipv6"));
    }),
    { numRuns: 3000 },
  );
});
