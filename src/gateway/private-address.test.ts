import { expect, test } from "bun:test";
import { isPrivateAddress, networkOf } from "./private-address.ts";

const inside = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.168.0.1",
  "198.18.0.1",
  "198.19.255.255",
  "192.88.99.1",
  "224.0.0.1",
  "239.255.255.250",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::a00:1",
  "100::1",
  "2001::1",
  "::ffff:127.0.0.1",
  "::ffff:10.0.0.1",
  "::ffff:8.8.8.8",
  "::ffff:7f00:1",
  "64:ff9b::7f00:1",
  "64:ff9b:1::1",
  "2002:7f00:1::",
  "2002:a00:1::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "febf::1",
  "fec0::1",
  "feff::1",
  "ff02::1",
];
const outside = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.1",
  "100.63.255.255",
  "100.128.0.1",
  "126.255.255.255",
  "128.0.0.1",
  "169.253.1.1",
  "172.15.255.255",
  "172.32.0.1",
  "192.0.1.1",
  "192.167.1.1",
  "198.17.1.1",
  "198.20.0.1",
  "223.255.255.255",
  "2606:4700::1111",
  "2001:4860:4860::8888",
  "2003::1",
  "fbff::1",
];

test("addresses that are not out on the internet are private, in every form of theirs", () => {
  for (const address of inside) expect([address, isPrivateAddress(address)]).toEqual([address, true]);
  for (const text of ["", "localhost", "1.2.3", "1.2.3.4.5", "::g"])
    expect(isPrivateAddress(text)).toBe(true);
});

test("addresses that are out on the internet are not", () => {
  for (const address of outside) expect([address, isPrivateAddress(address)]).toEqual([address, false]);
});

test("a host is private in every spelling that a URL reads as a private address", async () => {
  for (const host of [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "localhost",
    "LOCALHOST",
    "①②⑦.0.0.1",
  ]) {
    const { hostname } = new URL(`http://${host}/`);
    expect([host, await networkOf(hostname)]).toEqual([host, "private"]);
  }
});

test("where clouds tell machines their secrets is more than private, in every spelling", async () => {
  for (const host of [
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "100.100.100.200",
    "[fd00:ec2::254]",
    "[fe80::a9fe:a9fe]",
    "[::169.254.169.254]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
  ]) {
    const { hostname } = new URL(`http://${host}/`);
    expect([host, await networkOf(hostname)]).toEqual([host, "metadata"]);
  }
  for (const host of ["169.253.1.1", "100.100.100.201", "[fd00:ec3::254]"]) {
    const { hostname } = new URL(`http://${host}/`);
    expect([host, await networkOf(hostname)]).not.toEqual([host, "metadata"]);
  }
});

test("a host that does not resolve is neither", async () => {
  expect(await networkOf("does-not-exist.invalid")).toBe("unknown");
});

test("a public address is a public host", async () => {
  expect(await networkOf("8.8.8.8")).toBe("public");
  expect(await networkOf("[2606:4700::1111]")).toBe("public");
});
