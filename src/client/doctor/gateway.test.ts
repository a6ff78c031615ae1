import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authorityCertificate, generateKeyPair, privateKeyPem, serverCertificate } from "../../tls/x509.ts";
import { lookAtGateway } from "./gateway.ts";

const folder = mkdtempSync(join(tmpdir(), "lmk-doctor-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What it finds wrong at a server that answers so. */
async function wrongAt(
  answer: () => Response,
  environment: Record<string, string> = {},
  tls?: { cert: string; key: string },
): Promise<string[]> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer, ...(tls && { tls }) });
  const address = tls === undefined ? `http://127.0.0.1:${server.port}` : `https://localhost:${server.port}`;
  const { findings } = await lookAtGateway(address, environment);
  await server.stop(true);
  return findings.flatMap(({ verdict, code }) => (verdict === "wrong" ? [code] : []));
}

test("a clock that differs by minutes is wrong, by seconds is not", async () => {
  const at = (offsetMs: number) => () =>
    new Response("ok\n", { headers: { date: new Date(Date.now() + offsetMs).toUTCString() } });
  expect(await wrongAt(at(0))).toEqual([]);
  expect(await wrongAt(at(60_000))).toEqual([]);
  expect(await wrongAt(at(3_600_000))).toEqual(["clock"]);
  expect(await wrongAt(at(-3_600_000))).toEqual(["clock"]);
});

test("a certificate that has ended may be the clock's fault; one that nobody knows is not", async () => {
  const subject = { names: ["localhost"], addresses: [] };
  const now = Date.now();
  for (const [to, code, trusts] of [
    [now - 1000, "clock", true],
    [now + 3_600_000, undefined, true],
    [now + 3_600_000, "tls_untrusted", false],
  ] as const) {
    const validity = { from: now - 86_400_000, to };
    const [authority, server] = [await generateKeyPair(), await generateKeyPair()];
    const file = join(folder, "ca.pem");
    writeFileSync(file, await authorityCertificate(authority, subject, validity));
    const cert = await serverCertificate(server.publicKey, subject, validity, authority);
    const key = await privateKeyPem(server.privateKey);
    const environment: Record<string, string> = trusts
      ? { SSL_CERT_FILE: file, REQUESTS_CA_BUNDLE: file, NODE_EXTRA_CA_CERTS: file }
      : {};
    const found = await wrongAt(() => new Response("ok\n"), environment, { cert, key });
    expect([to - now, trusts, found]).toEqual([to - now, trusts, code === undefined ? [] : [code]]);
  }
});

test("a name that nobody has, and a server that is something else", async () => {
  const { findings, isThere } = await lookAtGateway("http://gateway.invalid", {});
  expect([isThere, findings[0]?.code]).toEqual([false, "unreachable"]);
  expect(await wrongAt(() => new Response("hello"))).toEqual(["not_a_gateway"]);
  expect(await wrongAt(() => new Response("ok\n", { status: 500 }))).toEqual(["not_a_gateway"]);
});
