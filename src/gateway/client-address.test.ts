import { expect, test } from "bun:test";
import { parseNetwork } from "../domain/network.ts";
import { clientAddress } from "./client-address.ts";

const trusted = ["10.0.0.0/8", "fd00::/8"].flatMap((text) => parseNetwork(text) ?? []);

test.each([
  // Nobody is trusted who is not listed.
  ["203.0.113.9", { "x-forwarded-for": "10.9.9.9" }, "203.0.113.9"],
  ["10.0.0.1", {}, "10.0.0.1"],
  ["10.0.0.1", { "x-forwarded-for": "198.51.100.7" }, "198.51.100.7"],
  ["::ffff:10.0.0.1", { "x-forwarded-for": "198.51.100.7" }, "198.51.100.7"],
  // What the client wrote itself stands in front.
  ["10.0.0.1", { "x-forwarded-for": "10.5.5.5, 198.51.100.7" }, "198.51.100.7"],
  ["10.0.0.1", { "x-forwarded-for": "192.0.2.1, 198.51.100.7, 10.0.0.2" }, "198.51.100.7"],
  ["10.0.0.1", { "x-forwarded-for": "10.0.0.3, 10.0.0.2" }, "10.0.0.3"],
  ["10.0.0.1", { "x-forwarded-for": "198.51.100.7:5123" }, "198.51.100.7"],
  ["10.0.0.1", { "x-forwarded-for": "[2001:db8::7]:5123" }, "2001:db8::7"],
  ["10.0.0.1", { "x-forwarded-for": "198.51.100.7, unknown" }, null],
  ["10.0.0.1", { "x-forwarded-for": "" }, null],
  ["10.0.0.1", { forwarded: 'for=192.0.2.1, proto=https;For="[2001:db8::7]:4711"' }, "2001:db8::7"],
  ["10.0.0.1", { forwarded: "proto=https" }, null],
  ["10.0.0.1", { forwarded: "for=_hidden" }, null],
  // One of them is the client's.
  ["10.0.0.1", { forwarded: "for=10.9.9.9", "x-forwarded-for": "198.51.100.7" }, null],
  ["10.0.0.1", { forwarded: "for=198.51.100.7", "x-forwarded-for": "198.51.100.7" }, "198.51.100.7"],
] as const)("%s with %j is %p", (peer, headers, expected) => {
  expect(clientAddress(new Headers(headers as Record<string, string>), peer, trusted)).toBe(expected);
});

test("without trusted proxies no header counts", () => {
  expect(clientAddress(new Headers({ "x-forwarded-for": "192.0.2.1" }), "10.0.0.1", [])).toBe("10.0.0.1");
});
