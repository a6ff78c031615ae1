/** Proxy mode as an attacker sees it: over real sockets, byte by byte. What is refused is in the log. */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type LoggedRow, startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";
import { recordingUpstream, reply } from "../support/recording-upstream.ts";

const KEY = "mistral-test-fake-0123456789abcdef";
const upstream = await recordingUpstream();
const gateway = await startGateway({
  env: {
    MISTRAL_API_KEY: KEY,
    OPENAI_API_KEY: "sk-test-fake-0123456789abcdefghij",
    LMK_MISTRAL_UPSTREAM: upstream.url,
    LMK_OPENAI_UPSTREAM: `${upstream.url}/v1`,
    LMK_PROXY_LISTEN: "127.0.0.1:0",
    LMK_PROXY_TUNNEL: "localhost.test,*.allowed.test,rebind.test",
  },
});
const proxyPort = Number(/Proxy mode at http:\/\/127\.0\.0\.1:(\d+)/.exec(gateway.stdout())?.[1]);
const ca = readFileSync(join(gateway.dataDir, "ca.pem"), "utf8");
const token = await (async () => {
  const response = await fetch(`${gateway.url}/lmk/env?format=json&proxy&trust=/t`, {
    headers: gateway.bearer,
  });
  const { HTTPS_PROXY } = (await response.json()) as { HTTPS_PROXY: string };
  return new URL(HTTPS_PROXY).password;
})();
const login = `Proxy-Authorization: Basic ${btoa(`lmk:${token}`)}\r\n`;

/** What the proxy answers to these bytes until it closes, or `waitMs` is over. */
function ask(bytes: string, waitMs = 1500): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(proxyPort, "127.0.0.1");
    let text = "";
    const timer = setTimeout(() => socket.destroy(), waitMs);
    socket.on("data", (piece: Buffer) => (text += piece.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.write(Buffer.from(bytes, "latin1"));
  });
}

const connectTo = (target: string, headers = "") => `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

/** An open connection through the proxy, before any TLS. */
function opened(target: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(proxyPort, "127.0.0.1");
    socket.on("error", reject);
    socket.once("data", (piece: Buffer) => {
      if (piece.toString().startsWith("HTTP/1.1 200 ")) resolve(socket);
      else reject(new Error(piece.toString()));
    });
    socket.write(connectTo(target));
  });
}

/** TLS through the proxy, checked against the gateway's authority alone. */
async function secured(target: string, servername: string): Promise<TLSSocket> {
  const socket = await opened(target);
  return new Promise((resolve, reject) => {
    const tls = connectTls({ socket, servername, ca, host: servername }, () => resolve(tls));
    tls.on("error", reject);
  });
}

async function send(tls: TLSSocket, text: string): Promise<string> {
  let answer = "";
  tls.on("data", (piece: Buffer) => (answer += piece.toString()));
  tls.write(text);
  await poll("answer", async () => (answer.includes("\r\n\r\n") ? answer : undefined));
  await Bun.sleep(50);
  tls.destroy();
  return answer;
}

const auth = `Authorization: Bearer ${gateway.key}\r\n`;

/** The newest row whose endpoint is this. */
async function rowOf(endpoint: string, method = "CONNECT", refusal?: string): Promise<LoggedRow> {
  return poll(`log row of ${endpoint}`, async () =>
    (await gateway.requests()).find(
      (row) =>
        row.endpoint === endpoint &&
        row.method === method &&
        (refusal === undefined || row.refusal === refusal),
    ),
  );
}

describe("a host that is no provider's", () => {
  test.each([
    ["evil.example.com:443", "evil.example.com:443"],
    // Names that only begin, or end, like one.
    ["api.mistral.ai.evil.example.com:443", "api.mistral.ai.evil.example.com:443"],
    ["evilapi.mistral.ai:443", "evilapi.mistral.ai:443"],
    // Below a provider's name, and of a provider's customers.
    ["x.api.mistral.ai:443", "x.api.mistral.ai:443"],
    ["someone.openai.azure.com:443", "someone.openai.azure.com:443"],
    // The right host at another port.
    ["api.mistral.ai:80", "api.mistral.ai:80"],
    ["api.mistral.ai:8443", "api.mistral.ai:8443"],
    // An IDN that looks like it.
    ["xn--pi-7ia.mistral.ai:443", "xn--pi-7ia.mistral.ai:443"],
  ])("%s is refused and logged", async (target, endpoint) => {
    const answer = await ask(connectTo(target));
    expect(answer).toStartWith("HTTP/1.1 403 ");
    expect(answer).toContain("x-llamakey-refusal: host_not_allowed");
    expect(await rowOf(endpoint)).toMatchObject({
      status: 403,
      refusal: "host_not_allowed",
      ending: "refused",
    });
  });
});

describe("what names no host plainly", () => {
  test.each([
    "127.0.0.1:443",
    "[::1]:443",
    "[::ffff:127.0.0.1]:443",
    "2130706433:443",
    "0x7f000001:443",
    "0177.0.0.1:443",
    "api.mistral.ai",
    "api.mistral.ai:",
    "api.mistral.ai:0",
    "api.mistral.ai:99999",
    "api.mistral.ai:443:443",
    "user@api.mistral.ai:443",
    "evil.example.com:443@api.mistral.ai:443",
    "api.mistral.ai:443/path",
    "api.mistral.ai:443?x",
    "https://api.mistral.ai:443",
    "api.mistral.ai..:443",
    ".api.mistral.ai:443",
    "api%2emistral.ai:443",
    "localhost:443",
    "ap\xc3\xad.mistral.ai:443",
    "*:443",
  ])("%j is refused and logged", async (target) => {
    const before = (await gateway.requests()).length;
    const answer = await ask(connectTo(target));
    expect(answer).toMatch(/^HTTP\/1\.1 (?:400|403) |^$/);
    if (answer === "") return;
    await poll("log row", async () => ((await gateway.requests()).length > before ? true : undefined));
    expect((await gateway.requests())[0]).toMatchObject({
      method: "CONNECT",
      status: 400,
      refusal: "bad_request",
    });
  });

  test("no login in the target reaches the log", async () => {
    await ask(connectTo(`${gateway.key}@api.mistral.ai:443`));
    await Bun.sleep(100);
    expect(JSON.stringify(await gateway.requests())).not.toContain(gateway.key);
  });
});

test("upper case and a trailing dot are the same host", async () => {
  for (const target of ["API.Mistral.AI:443", "api.mistral.ai.:443"]) {
    const answer = await send(
      await secured(target, "api.mistral.ai"),
      `GET /v1/models HTTP/1.1\r\nHost: API.MISTRAL.AI:443\r\n${auth}\r\n`,
    );
    expect(answer).toStartWith("HTTP/1.1 200 ");
  }
  expect(upstream.last.target).toBe("/v1/models");
  expect(upstream.raw).not.toContain(gateway.key);
});

describe("plain text through the proxy", () => {
  test.each([
    "http://api.mistral.ai/v1/models",
    "http://evil.example.com/",
    "https://api.mistral.ai/v1/models",
  ])("%s in absolute form is refused and logged", async (url) => {
    const asked = upstream.requests.length;
    const answer = await ask(
      `GET ${url} HTTP/1.1\r\nHost: api.mistral.ai\r\n${auth}Connection: close\r\n\r\n`,
    );
    expect(answer).toStartWith("HTTP/1.1 403 ");
    expect(await rowOf(new URL(url).host, "GET")).toMatchObject({ refusal: "host_not_allowed", status: 403 });
    expect(upstream.requests.length).toBe(asked);
  });

  test("the proxy's own address is no page and no gateway", async () => {
    const answer = await ask(
      `GET /mistral/v1/models HTTP/1.1\r\nHost: x\r\n${auth}Connection: close\r\n\r\n`,
    );
    expect(answer).toStartWith("HTTP/1.1 400 ");
  });
});

describe("two names at once", () => {
  test("a Host that is not the connection's is refused and logged", async () => {
    const asked = upstream.requests.length;
    for (const host of [
      "api.openai.com",
      "evil.example.com",
      "127.0.0.1",
      "api.mistral.ai.evil.example.com",
    ]) {
      const tls = await secured("api.mistral.ai:443", "api.mistral.ai");
      const answer = await send(tls, `GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n${auth}\r\n`);
      expect(answer).toStartWith("HTTP/1.1 421 ");
      expect(answer).toContain("host_not_allowed");
    }
    expect(upstream.requests.length).toBe(asked);
    const rows = (await gateway.requests()).filter(({ status }) => status === 421);
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({ refusal: "host_not_allowed", method: "GET", address: "127.0.0.1" });
  });

  test("a target in absolute form inside is the Host's", async () => {
    const tls = await secured("api.mistral.ai:443", "api.mistral.ai");
    const answer = await send(
      tls,
      `GET http://api.openai.com/v1/models HTTP/1.1\r\nHost: api.openai.com\r\n${auth}\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 4/);
  });

  test("a server name that is not the connection's ends in an alert, and is logged", async () => {
    for (const name of ["api.openai.com", "evil.example.com", ""]) {
      const failure = await secured("api.mistral.ai:443", name).then(
        () => "secured",
        (error: Error) => error.message,
      );
      expect(failure).not.toBe("secured");
    }
    await poll("rows of all three", async () => {
      const rows = (await gateway.requests()).filter(
        (row) => row.endpoint === "api.mistral.ai:443" && row.refusal === "host_not_allowed",
      );
      return rows.length === 3 ? rows : undefined;
    });
  });

  test("what is no TLS is cut", async () => {
    const answer = await ask(
      `${connectTo("api.mistral.ai:443")}GET / HTTP/1.1\r\nHost: api.mistral.ai\r\n\r\n`,
    );
    expect(answer).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
  });
});

test("bytes that come with the request belong to what follows", async () => {
  const head = connectTo("api.mistral.ai:443");
  // A client that sends its first TLS record without waiting for the answer.
  const hello = await new Promise<Buffer>((resolve) => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, bytes) {
          resolve(Buffer.from(bytes));
          socket.end();
        },
      },
    });
    connectTls({ port: server.port, host: "127.0.0.1", servername: "api.mistral.ai" }).on("error", () =>
      server.stop(true),
    );
  });
  for (const cut of [hello.length, 1, 5, 60]) {
    const socket = connect(proxyPort, "127.0.0.1");
    let answer = Buffer.alloc(0);
    socket.on("data", (piece: Buffer) => (answer = Buffer.concat([answer, piece])));
    socket.write(Buffer.concat([Buffer.from(head), hello.subarray(0, cut)]));
    await Bun.sleep(20);
    socket.write(hello.subarray(cut));
    const text = await poll("the server's hello", async () => {
      const all = answer.toString("latin1");
      return all.includes("\x16\x03\x03") ? all : undefined;
    });
    expect(text).toStartWith("HTTP/1.1 200 Connection Established\r\n\r\n\x16\x03\x03");
    socket.destroy();
  }
});

test("nobody reaches the listener behind the proxy past the proxy", async () => {
  const ports = listening(gateway.pid);
  const inner = ports.filter((port) => port !== proxyPort && port !== gateway.port);
  expect(inner).toHaveLength(1);
  const answer = await new Promise<string>((resolve, reject) => {
    const tls = connectTls(
      { port: inner[0] ?? 0, host: "127.0.0.1", servername: "api.mistral.ai", ca },
      () => void send(tls, `GET /v1/models HTTP/1.1\r\nHost: api.mistral.ai\r\n${auth}\r\n`).then(resolve),
    );
    tls.on("error", reject);
  });
  expect(answer).toStartWith("HTTP/1.1 421 ");
});

describe("a redirect of a provider's", () => {
  test.each([
    ["http://127.0.0.1:1/x", "GET"],
    ["https://evil.example.com/x", "POST"],
    ["http://[::1]:1/x", "POST"],
  ])("to %s, of a %s, is not followed", async (location, method) => {
    upstream.answer = reply({ status: 302, headers: [["Location", location]] });
    const tls = await secured("api.mistral.ai:443", "api.mistral.ai");
    const answer = await send(
      tls,
      `${method} /v1/files HTTP/1.1\r\nHost: api.mistral.ai\r\nContent-Length: 0\r\n${auth}\r\n`,
    );
    upstream.answer = reply({ body: "{}", headers: [["Content-Type", "application/json"]] });
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).not.toContain(location);
    expect(await rowOf("/v1/files", method)).toMatchObject({
      refusal: "upstream_unreachable",
      provider: "mistral",
    });
  });
});

describe("a tunnel", () => {
  test("wants the proxy's token", async () => {
    const answer = await ask(connectTo("x.allowed.test:443"));
    expect(answer).toStartWith("HTTP/1.1 407 ");
    expect(answer).toMatch(/proxy-authenticate: Basic/i);
    expect(await rowOf("x.allowed.test:443")).toMatchObject({ status: 407, refusal: "invalid_key" });
  });

  test.each([
    ["a master key", () => gateway.key],
    ["a token of nobody", () => `lmkp.AAAAAAAAAA.${"a".repeat(43)}`],
    ["a token for another key", () => token.replace(/\.[^.]+\./, ".AAAAAAAAAA.")],
    ["nothing", () => ""],
  ])("is not opened by %s", async (_, secret) => {
    const answer = await ask(
      connectTo("x.allowed.test:443", `Proxy-Authorization: Basic ${btoa(`lmk:${secret()}`)}\r\n`),
    );
    expect(answer).toStartWith("HTTP/1.1 407 ");
  });

  test("leads to no host that is not allowed, whatever token there is", async () => {
    for (const target of [
      "other.test:443",
      "allowed.test:443",
      "x.allowed.test:22",
      "x.openai.azure.com:443",
    ]) {
      expect(await ask(connectTo(target, login))).toStartWith("HTTP/1.1 403 ");
      expect(await rowOf(target)).toMatchObject({ refusal: "host_not_allowed" });
    }
  });

  test("leads to no name that is unknown", async () => {
    expect(await ask(connectTo("x.allowed.test:443", login), 15_000)).toStartWith("HTTP/1.1 502 ");
    expect(await rowOf("x.allowed.test:443", "CONNECT", "upstream_unreachable")).toMatchObject({
      userName: expect.any(String),
    });
  });

  test("is opened from where, and until when, its key may call, and no longer", async () => {
    const { items } = await gateway.api<{ items: { id: string }[] }>("GET", "/keys");
    for (const [policy, refusal] of [
      [{ networks: ["10.9.8.0/24"] }, "network_not_allowed"],
      [{ expiresAt: "2020-01-01T00:00:00Z" }, "expired_key"],
    ] as const) {
      await gateway.api("PUT", `/policies/key:${items[0]?.id}`, policy);
      expect(await ask(connectTo("x.allowed.test:443", login))).toContain(`x-llamakey-refusal: ${refusal}`);
    }
    await gateway.api("DELETE", `/policies/key:${items[0]?.id}`);
  });

  test("its token opens nothing else", async () => {
    const response = await fetch(`${gateway.url}/mistral/v1/models`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(401);
    const tls = await secured("api.mistral.ai:443", "api.mistral.ai");
    expect(
      await send(
        tls,
        `GET /v1/models HTTP/1.1\r\nHost: api.mistral.ai\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      ),
    ).toStartWith("HTTP/1.1 401 ");
  });
});

describe("slow and large", () => {
  test("a head of more than 16 KiB is refused", async () => {
    const answer = await ask(connectTo("api.mistral.ai:443", `X: ${"x".repeat(20_000)}\r\n`));
    expect(answer).not.toContain(" 200 ");
  });

  test("a head that does not end, and a handshake that does not begin, are cut after 10 s", async () => {
    const started = performance.now();
    const answers = await Promise.all([
      ask("CONNECT api.mistral.ai:443 HTTP/1.1\r\nX: ", 16_000),
      ask(connectTo("api.mistral.ai:443"), 16_000),
      ask(`${connectTo("api.mistral.ai:443")}\x16\x03\x01`, 16_000),
    ]);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(answers[1]).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
  });

  test("300 connections at once are all answered", async () => {
    const all = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const tls = await secured("api.mistral.ai:443", "api.mistral.ai");
        return send(tls, `GET /v1/models HTTP/1.1\r\nHost: api.mistral.ai\r\n${auth}\r\n`);
      }),
    );
    expect(all.filter((answer) => !answer.startsWith("HTTP/1.1 200 "))).toEqual([]);
  }, 60_000);

  test("a large answer arrives whole, and slowly where it is read slowly", async () => {
    const body = crypto.getRandomValues(new Uint8Array(60_000));
    const large = Buffer.concat(Array.from({ length: 200 }, () => body));
    upstream.answer = reply({ body: large, headers: [["Content-Type", "application/octet-stream"]] });
    const response = await fetch("https://api.mistral.ai/v1/models", {
      proxy: `http://127.0.0.1:${proxyPort}`,
      headers: gateway.bearer,
      tls: { ca },
    });
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body ?? []) {
      pieces.push(piece);
      if (pieces.length % 20 === 0) await Bun.sleep(5);
    }
    upstream.answer = reply({ body: "{}", headers: [["Content-Type", "application/json"]] });
    expect(Buffer.concat(pieces).equals(large)).toBe(true);
  }, 60_000);
});

/** The TCP ports that a process listens on. */
function listening(pid: number): number[] {
  const sockets = spawnSync("ls", ["-l", `/proc/${pid}/fd`], { encoding: "utf8" }).stdout;
  const inodes = new Set([...sockets.matchAll(/socket:\[(\d+)\]/g)].map(([, inode]) => inode));
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A" && inodes.has(fields[9]))
    .map((fields) => Number.parseInt(fields[1]?.split(":")[1] ?? "", 16));
}
