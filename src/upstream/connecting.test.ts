import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "../../test/support/cleanup.ts";
import { answering, RawUpstream } from "../../test/support/raw-upstream.ts";
import { failureOf, requestTo, textOf } from "../../test/support/upstream-call.ts";
import { authorityCertificate, generateKeyPair, privateKeyPem, serverCertificate } from "../tls/x509.ts";
import { UpstreamClient } from "./client.ts";
import { UpstreamFailure } from "./failure.ts";

const client = new UpstreamClient();
afterAll(() => client.close());

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

test("nobody at the port, and a name that nobody has, are told, and nothing was sent", async () => {
  const upstream = await RawUpstream.start(() => {});
  const { origin } = upstream;
  await upstream[Symbol.asyncDispose]();
  for (const [to, code] of [
    [origin, "ECONNREFUSED"],
    // Too long for a name, so that no server of names is asked, which may be slow or not there.
    [`http://${"n".repeat(64)}.invalid`, "ENOTFOUND"],
  ] as const) {
    const failure = await failureOf(client.send(requestTo(to, { method: "POST", body: Buffer.from("{}") })));
    expect(failure).toBeInstanceOf(UpstreamFailure);
    expect(failure).toMatchObject({ code, isSent: false });
  }
});

test("an upstream that closes at once is told from one that closes a request", async () => {
  await using upstream = await RawUpstream.start(({ socket }) => void socket.resetAndDestroy());
  expect(await failureOf(client.send(requestTo(upstream.origin)))).toBeInstanceOf(UpstreamFailure);
  // A kept connection that it closed would be another's: each call has had one of its own.
  expect(await failureOf(client.send(requestTo(upstream.origin)))).toBeInstanceOf(UpstreamFailure);
});

test("a connection that does not come about is waited for as long as the request says", async () => {
  // It listens and never accepts: what its queue has no room for gets no answer at all.
  const script = `
    const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    require("node:fs").writeSync(1, listener.port + "\\n");
    process.kill(process.pid, "SIGSTOP");`;
  const child = Bun.spawn([process.execPath, "--no-env-file", "-e", script], { stdout: "pipe" });
  const fillers: Socket[] = [];
  try {
    const { value } = await child.stdout.getReader().read();
    const port = Number(new TextDecoder().decode(value));
    for (let isFull = false; !isFull; ) {
      const some = Array.from({ length: 200 }, () => connect(port, "127.0.0.1").on("error", () => {}));
      fillers.push(...some);
      await Bun.sleep(100);
      isFull = some.some(({ connecting }) => connecting);
    }
    const started = performance.now();
    const failure = await failureOf(client.send(requestTo(`http://127.0.0.1:${port}`, { connectMs: 200 })));
    expect(failure).toMatchObject({ code: "ETIMEDOUT", isSent: false });
    expect(performance.now() - started).toBeWithin(190, 1_500);
  } finally {
    for (const filler of fillers) filler.destroy();
    child.kill("SIGKILL");
  }
});

test("a TLS upstream that never says hello is waited for as long as the request says", async () => {
  await using upstream = await RawUpstream.start(() => {});
  const origin = upstream.origin.replace("http:", "https:");
  const failure = await failureOf(client.send(requestTo(origin, { connectMs: 200 })));
  expect(failure).toMatchObject({ code: "ETIMEDOUT", isSent: false });
  await upstream.connections[0]?.closed;
});

/** Certificates of an authority that this file makes. */
let folder: string;
let authority: CryptoKeyPair;
const DAY_MS = 24 * 3_600_000;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lmk-upstream-"));
  authority = await generateKeyPair();
  // The platform's TLS does not know constraints of addresses; where there are none, any is permitted.
  const permitted = { names: ["localhost", "other.example"], addresses: [] };
  const now = Date.now();
  const validity = { from: now - 400 * DAY_MS, to: now + DAY_MS };
  await writeFile(join(folder, "ca.pem"), await authorityCertificate(authority, permitted, validity));
});
atEnd(() => rm(folder, { recursive: true }));

async function certificate(names: string[], addresses: string[], isOver = false, by = authority) {
  const pair = await generateKeyPair();
  const now = Date.now();
  const validity = { from: now - 30 * DAY_MS, to: isOver ? now - DAY_MS : now + DAY_MS };
  const cert = await serverCertificate(pair.publicKey, { names, addresses }, validity, by);
  return { cert, key: await privateKeyPem(pair.privateKey) };
}

/** What a process that trusts the authority is answered, or the failure's code. */
async function called(origin: string, mayTrust = true): Promise<string> {
  const script = `
    import { UpstreamClient } from "${import.meta.dirname}/client.ts";
    import { requestTo, textOf } from "${import.meta.dirname}/../../test/support/upstream-call.ts";
    try {
      console.log(await textOf(await new UpstreamClient().send(requestTo("${origin}"))));
    } catch ({ code, isSent }) {
      console.log(code, isSent);
    }
    process.exit();`;
  const env = { ...process.env, ...(mayTrust && { NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") }) };
  const child = Bun.spawn([process.execPath, "--no-env-file", "-e", script], { env, stderr: "inherit" });
  return (await new Response(child.stdout).text()).trim();
}

test("a good certificate of whoever is called is taken, and no other", async () => {
  const stranger = await generateKeyPair();
  const localhost = await certificate(["localhost"], []);
  const cases = [
    [localhost, "localhost", true, "ok"],
    [await certificate([], ["127.0.0.1"]), "127.0.0.1", true, "ok"],
    [localhost, "localhost", false, "UNABLE_TO_VERIFY_LEAF_SIGNATURE false"],
    [
      await certificate(["localhost"], [], false, stranger),
      "localhost",
      true,
      expect.stringMatching(/^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE) false$/),
    ],
    [localhost, "127.0.0.1", true, "ERR_TLS_CERT_ALTNAME_INVALID false"],
    [await certificate([], ["127.0.0.1"]), "localhost", true, "ERR_TLS_CERT_ALTNAME_INVALID false"],
    [await certificate(["other.example"], []), "localhost", true, "ERR_TLS_CERT_ALTNAME_INVALID false"],
    [await certificate(["localhost"], [], true), "localhost", true, "CERT_HAS_EXPIRED false"],
  ] as const;
  for (const [tls, host, mayTrust, expected] of cases) {
    await using upstream = await RawUpstream.start(answering(OK), { tls, host });
    expect(await called(upstream.origin, mayTrust)).toEqual(expected);
    if (expected !== "ok") expect(upstream.connections.map(({ text }) => text).join("")).toBe("");
  }
});

test("an answer over TLS whose connection is cut within its length is broken", async () => {
  const tls = await certificate(["localhost"], []);
  await using upstream = await RawUpstream.start(
    async (connection) => {
      await connection.request();
      await connection.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
      await Bun.sleep(50);
      connection.socket.end();
    },
    { tls, host: "localhost" },
  );
  // Between the two: it ends the connection, and TLS knows nothing of it.
  await using cutter = await RawUpstream.start(
    ({ socket }) => {
      const inner = connect(upstream.port, "localhost");
      inner.on("error", () => {});
      socket.pipe(inner);
      let passed = 0;
      inner.on("data", (bytes) => {
        passed += bytes.length;
        socket.write(bytes);
        // Behind the handshake.
        if (passed > 2_000) setTimeout(() => socket.end(), 20);
      });
    },
    { host: "localhost" },
  );
  const isSent = "ECLOSED true";
  expect(await called(upstream.origin)).toBe(isSent);
  expect(await called(cutter.origin.replace("http:", "https:"))).toMatch(/^ECLOSED (true|false)$/);
});

test("to an address that may not be led to nothing but a TLS greeting goes", async () => {
  await using upstream = await RawUpstream.start(answering(OK), {
    tls: await certificate(["localhost"], []),
    host: "localhost",
  });
  const its = { mayLeadTo: () => false };
  expect(await failureOf(client.send(requestTo(upstream.origin, its)))).toMatchObject({ isSent: false });
  expect(upstream.connections.map(({ text }) => text).join("")).toBe("");
});

test("a server on IPv6 is reached by its address", async () => {
  await using upstream = await RawUpstream.start(answering(OK), { host: "::1" });
  const answer = await client.send(requestTo(`http://[::1]:${upstream.port}`));
  expect(await textOf(answer)).toBe("ok");
});
