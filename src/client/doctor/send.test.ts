/** The same answers, and the same reasons for none, on Bun and on Node. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect, createServer as createSilent, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { authorityCertificate, generateKeyPair, privateKeyPem, serverCertificate } from "../../tls/x509.ts";
import { type Attempt, isAnswer, type NoAnswer, send } from "./send.ts";

const folder = mkdtempSync(join(tmpdir(), "lmk-send-"));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** No addresses: what Bun checks with knows no constraints on them. */
const subject = { names: ["localhost", "api.example.com"], addresses: [] };
const now = Date.now();
const authority = await generateKeyPair();
const ca = await authorityCertificate(authority, subject, { from: now - 9e7, to: now + 9e7 });

async function secure(to: number, names = subject.names): Promise<number> {
  const pair = await generateKeyPair();
  const cert = await serverCertificate(
    pair.publicKey,
    { ...subject, names },
    { from: now - 8e7, to },
    authority,
  );
  const key = await privateKeyPem(pair.privateKey);
  return portOf(createHttps({ cert, key }, (request, response) => response.end(`https ${request.url}`)));
}

const followed: string[] = [];
const plain = await portOf(
  createHttp((request, response) => {
    followed.push(request.url ?? "");
    if (request.url === "/there") response.writeHead(302, { location: "/followed" }).end();
    else response.end(`http ${request.url} ${request.headers["authorization"]}`);
  }),
);
const tls = await secure(now + 9e7);
const ended = await secure(now - 1000);
const misnamed = await secure(now + 9e7, ["api.example.com"]);

/** Takes one login, and leads every host to the server of that port. */
const asked: string[] = [];
const proxyServer = createHttp((request, response) => response.end(`proxied ${request.url}`));
proxyServer.on("connect", (request, socket) => {
  asked.push(`${request.url} ${request.headers["proxy-authorization"]}`);
  if (request.url?.startsWith("refused.")) return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  const upstream = connect(tls, "127.0.0.1");
  for (const one of [socket, upstream]) one.on("error", () => {});
  socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  socket.pipe(upstream).pipe(socket);
});
const proxy = `http://lmk:s%20ecret@127.0.0.1:${await portOf(proxyServer)}`;
const login = `Basic ${btoa("lmk:s ecret")}`;

const attempts: Record<string, Attempt> = {
  plain: { url: `http://127.0.0.1:${plain}/a?b`, headers: { authorization: "Bearer key" } },
  redirect: { url: `http://127.0.0.1:${plain}/there` },
  trusted: { url: `https://localhost:${tls}/`, ca },
  untrusted: { url: `https://localhost:${tls}/` },
  "of another name": { url: `https://localhost:${misnamed}/`, ca },
  ended: { url: `https://localhost:${ended}/`, ca },
  "through the proxy": { url: "https://api.example.com/v1", ca, proxy },
  "untrusted, through the proxy": { url: "https://api.example.com/v1", proxy },
  "of another name, through the proxy": { url: "https://api.example.org/v1", ca, proxy },
  "plain, through the proxy": { url: "http://api.example.com/v1", proxy },
  "refused by the proxy": { url: "https://refused.example.com/v1", ca, proxy },
  "no proxy there": { url: "https://api.example.com/v1", ca, proxy: "http://127.0.0.1:9" },
  "an unknown proxy": { url: "https://api.example.com/v1", ca, proxy: "socks5://127.0.0.1:9" },
  "nobody there": { url: "http://127.0.0.1:9/" },
  "no such host": { url: "http://gateway.invalid/" },
};

/** Its kind, or where it is of no kind, its reason. Also part of the program below, as it stands here. */
const outcome = ({ kind, reason }: NoAnswer) => (kind === "other" ? reason : kind);

const expected: Record<string, unknown> = {
  plain: [200, "http /a?b Bearer key"],
  redirect: [302, ""],
  trusted: [200, "https /"],
  untrusted: "untrusted",
  "of another name": "untrusted",
  ended: "certificate_time",
  "through the proxy": [200, "https /v1"],
  "untrusted, through the proxy": "untrusted",
  "of another name, through the proxy": "untrusted",
  "plain, through the proxy": [200, "proxied http://api.example.com/v1"],
  "refused by the proxy": "the proxy answers with status 403",
  "no proxy there": "refused",
  "an unknown proxy": "a proxy of the kind socks5:// is not known here",
  "nobody there": "refused",
  "no such host": "unknown_host",
};

let program: string;
beforeAll(async () => {
  const built = await Bun.build({
    entrypoints: [fileURLToPath(new URL("send.ts", import.meta.url))],
    target: "node",
  });
  program = join(folder, "send.mjs");
  const main = `
    const outcome = ${outcome};
    const told = {};
    for (const [name, attempt] of Object.entries(JSON.parse(process.argv[2]))) {
      const result = await send(attempt);
      told[name] = isAnswer(result) ? [result.status, await result.text()] : outcome(result);
    }
    console.log(JSON.stringify(told));`;
  writeFileSync(program, `${await built.outputs[0]?.text()}${main}`);
});

async function here(): Promise<unknown> {
  const told: Record<string, unknown> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    const result: Response | NoAnswer = await send(attempt);
    told[name] = isAnswer(result) ? [result.status, await result.text()] : outcome(result);
  }
  return told;
}

/** Not synchronously: it is this process that answers. */
async function onNode(): Promise<unknown> {
  const child = spawn("node", [program, JSON.stringify(attempts)], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const piece of child.stdout) text += piece;
  return JSON.parse(text);
}

test.each([
  ["Bun", here],
  ["Node", onNode],
])("on %s", async (_, run) => {
  followed.length = 0;
  asked.length = 0;
  expect(await run()).toEqual(expected);
  expect(followed).toEqual(["/a?b", "/there"]);
  expect(asked.slice(0, 1)).toEqual([`api.example.com:443 ${login}`]);
});

test("who takes the connection and says nothing is waited for only so long", async () => {
  const { ask } = await import("../ask.ts");
  const port = await portOf(createSilent());
  for (const more of [{}, { proxy: `http://127.0.0.1:${port}` }]) {
    const url = Object.keys(more).length === 0 ? `http://127.0.0.1:${port}` : "https://api.example.com";
    const error = await ask({ url, timeoutMs: 50, ...more }).catch((reason: unknown) => reason);
    expect((error as Error).name).toBe("TimeoutError");
  }
});
