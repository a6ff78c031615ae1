/** Tunnels: where they may lead. The resolver is the test's, everything else is real. */
import { afterAll, expect, test } from "bun:test";
import { connect, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RequestRecord } from "../domain/request-record.ts";
import { ForwardProxy, type ProxyParts } from "./forward-proxy.ts";

const rows: RequestRecord[] = [];
const answers = new Map<string, string[]>();
let asked = 0;
const revoked = false;
const parts: ProxyParts = {
  endsHere: () => false,
  innerPort: () => 0,
  announce: () => () => {},
  domains: new Set(["openai.azure.com"]),
  tunnels: { any: true, names: new Set(), suffixes: [] },
  identify: () => {
    if (revoked) throw new Error("revoked");
    return { keyId: "key", userId: "user", groupId: "group" };
  },
  resolve: async (host) => {
    asked += 1;
    const found = answers.get(host);
    if (found === undefined) throw new Error("ENOTFOUND");
    return found;
  },
  log: (row) => void rows.push(row),
  nextId: () => `id-${rows.length}`,
  clock: { now: Date.now },
  report: (message) => {
    throw new Error(message);
  },
};
const proxy = await ForwardProxy.listen("127.0.0.1", 0, parts);
afterAll(() => proxy.stop());

function ask(target: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(proxy.port, "127.0.0.1");
    let text = "";
    socket.on("data", (piece: Buffer) => {
      text += piece.toString();
      if (text.startsWith("HTTP/1.1 200 ")) socket.destroy();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", () => {});
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Bearer token\r\n\r\n`);
  });
}

test.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "169.254.169.254",
  "172.16.0.1",
  "192.0.0.1",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:10.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::a00:1",
  "64:ff9b:1::1",
  "2002:a00:1::1",
  "2001::1",
  "fc00::1",
  "fe80::1",
  "fec0::1",
  "ff02::1",
])("a name that leads to %s is refused, alone or among public addresses", async (address) => {
  for (const all of [[address], ["1.1.1.1", address], [address, "1.1.1.1"]]) {
    answers.set("rebind.example", all);
    const answer = await ask("rebind.example:443");
    expect(answer).toStartWith("HTTP/1.1 403 ");
    expect(answer).not.toContain(address);
    expect(rows.at(-1)).toMatchObject({
      endpoint: "rebind.example:443",
      refusal: "host_not_allowed",
      keyId: "key",
    });
  }
});

test("a name without an address, and one that is unknown", async () => {
  answers.set("empty.example", []);
  expect(await ask("empty.example:443")).toStartWith("HTTP/1.1 403 ");
  expect(await ask("unknown.example:443")).toStartWith("HTTP/1.1 502 ");
});

test("no provider's name is resolved, even where every host is allowed", async () => {
  const before = asked;
  for (const host of ["openai.azure.com", "someone.openai.azure.com", "a.b.openai.azure.com"])
    expect(await ask(`${host}:443`)).toStartWith("HTTP/1.1 403 ");
  expect(await ask("plain.example:80")).toStartWith("HTTP/1.1 403 ");
  expect(asked).toBe(before);
});

test("what a client first sends decides whether the tunnel goes on, and is looked at in whatever pieces it comes", async () => {
  const { readClientHello } = await import("./client-hello.ts");
  const hello = await helloFor("a.example");
  expect(readClientHello(hello)).toEqual({ kind: "hello", serverName: "a.example" });
  for (let n = 0; n < hello.length; n++)
    expect(readClientHello(hello.subarray(0, n))).toEqual({ kind: "incomplete" });
  // One byte a record.
  const body = hello.subarray(5);
  const records = Buffer.concat([...body].map((byte) => Buffer.from([22, 3, 1, 0, 1, byte])));
  expect(readClientHello(records)).toEqual(
    records.length > 16 * 1024 ? { kind: "unreadable" } : { kind: "hello", serverName: "a.example" },
  );
  // Any byte of it changed: it is read as something, or refused, and never throws.
  for (let n = 0; n < hello.length; n++) {
    const changed = Buffer.from(hello);
    changed[n] = (changed[n] ?? 0) ^ 0xff;
    expect(["hello", "incomplete", "unreadable"]).toContain(readClientHello(changed).kind);
  }
  expect(readClientHello(Buffer.from("GET / HTTP/1.1\r\n"))).toEqual({ kind: "unreadable" });
  expect(readClientHello(Buffer.from([22, 3, 1, 0, 0]))).toEqual({ kind: "unreadable" });
});

/** A real client's first bytes. */
function helloFor(servername: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) =>
      socket.once("data", (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      }),
    );
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      connectTls({ port, host: "127.0.0.1", servername }).on("error", () => {});
    });
  });
}
