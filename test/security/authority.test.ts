/** What the local authority can vouch for, as those see it who check: OpenSSL, Python, Node and curl. */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../src/storage/sqlite/open.ts";
import { Authority } from "../../src/tls/authority.ts";
import { privateKeyPem, readKeyPair, serverCertificate } from "../../src/tls/x509.ts";
import { Vault } from "../../src/vault/vault.ts";
import { atEnd } from "../support/cleanup.ts";

const folder = mkdtempSync(join(tmpdir(), "lmk-authority-"));
atEnd(() => rmSync(folder, { recursive: true, force: true }));
const clock = { now: Date.now };
const store = await openSqliteStore(join(folder, "test.db"));
const vault = await Vault.open(new Uint8Array(32).fill(7), store);
const permitted = {
  names: ["api.openai.com", "localhost", "openai.azure.com"],
  addresses: ["127.0.0.1", "::1"],
};
const authority = await Authority.open(permitted, { store, sealer: vault, clock });
const caFile = join(folder, "ca.pem");
writeFileSync(caFile, authority.certificate);

interface Served {
  readonly cert: string;
  readonly key: string;
  readonly port: number;
}

/** A server that shows a certificate of the authority's for these names. */
async function serve(names: readonly string[], addresses: readonly string[] = []): Promise<Served> {
  const [leaf] = await authority.issue([{ names, addresses }], 3_600_000);
  if (leaf === undefined) throw new Error("no certificate");
  const server = createServer({ cert: leaf.cert, key: leaf.key }, (_, response) => response.end("hello"));
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
  atEnd(() => {
    server.close();
  });
  return { ...leaf, port };
}

/** Each connects to this port for this host, and trusts the authority alone; true where it takes the certificate. */
const verifiers: Readonly<Record<string, (host: string, port: number) => Promise<boolean>>> = {
  openssl: (host, port) =>
    succeeds([
      ...["openssl", "s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", caFile, "-verify_return_error"],
      ...[
        "-x509_strict",
        ...(/^[\d.]+$/.test(host) ? ["-verify_ip", host] : ["-servername", host, "-verify_hostname", host]),
      ],
    ]),
  python: (host, port) => succeeds(["python3", "-c", PYTHON, host, String(port), caFile]),
  node: (host, port) => succeeds(["node", "-e", NODE, host, String(port)], { NODE_EXTRA_CA_CERTS: caFile }),
  curl: (host, port) =>
    succeeds([
      ...["curl", "-fsS", "--noproxy", "*", "--cacert", caFile, "--resolve", `${host}:${port}:127.0.0.1`],
      `https://${host}:${port}/`,
    ]),
  bun: (host, port) =>
    fetch(`https://127.0.0.1:${port}/`, {
      headers: { host },
      tls: { ca: authority.certificate, serverName: host },
    } as RequestInit).then(
      () => true,
      () => false,
    ),
};

const PYTHON = `
import socket, ssl, sys
host, port, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.verify_flags |= ssl.VERIFY_X509_STRICT
with socket.create_connection(("127.0.0.1", int(port))) as plain:
    context.wrap_socket(plain, server_hostname=host)
`;
const NODE = `
const [host, port] = process.argv.slice(1);
require("node:tls").connect({ host: "127.0.0.1", port, servername: /^[\\d.]+$/.test(host) ? "" : host,
  checkServerIdentity: (_, cert) => require("node:tls").checkServerIdentity(host, cert) },
  () => process.exit(0)).on("error", () => process.exit(1));
`;

async function succeeds(command: string[], env: Record<string, string> = {}): Promise<boolean> {
  const child = Bun.spawn(command, {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  return (await child.exited) === 0;
}

describe.each(Object.entries(verifiers))("%s", (name, takes) => {
  test("takes certificates for what the authority may vouch for", async () => {
    for (const host of ["api.openai.com", "someone.openai.azure.com", "localhost"])
      expect([host, await takes(host, (await serve([host])).port)]).toEqual([host, true]);
    if (name !== "curl" && name !== "bun")
      expect(await takes("127.0.0.1", (await serve([], ["127.0.0.1"])).port)).toBe(true);
  });

  test("rejects those for anything else", async () => {
    for (const host of [
      "example.com",
      "openai.com",
      "platform.openai.com",
      "evilapi.openai.com",
      "azure.com",
    ])
      expect([host, await takes(host, (await serve([host])).port)]).toEqual([host, false]);
    // A name that it may vouch for beside one that it may not.
    expect(await takes("api.openai.com", (await serve(["api.openai.com", "example.com"])).port)).toBe(false);
    if (name !== "curl" && name !== "bun")
      expect(await takes("10.0.0.1", (await serve([], ["10.0.0.1"])).port)).toBe(false);
  });
});

test("it makes no further authority", async () => {
  const [leaf] = await authority.issue([{ names: ["api.openai.com"], addresses: [] }], 3_600_000);
  const pair = await readKeyPair(leaf?.key ?? "");
  const validity = { from: Date.now() - 1000, to: Date.now() + 3_600_000 };
  const below = await serverCertificate(
    pair.publicKey,
    { names: ["api.openai.com"], addresses: [] },
    validity,
    pair,
  );
  const [chain, file] = [join(folder, "chain.pem"), join(folder, "below.pem")];
  writeFileSync(chain, leaf?.cert ?? "");
  writeFileSync(file, below);
  expect(spawnSync("openssl", ["verify", "-CAfile", caFile, "-untrusted", chain, file]).status).not.toBe(0);
});

test("its certificate is critical in what it may not, and has one level below it", () => {
  const text = spawnSync("openssl", ["x509", "-in", caFile, "-noout", "-text"], { encoding: "utf8" }).stdout;
  expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  expect(text).toMatch(/Name Constraints: critical\s+Permitted:/);
  for (const name of permitted.names) expect(text).toContain(`DNS:${name}`);
  expect(text).toContain("IP:127.0.0.1/255.255.255.255");
});

test("its key lies sealed, and stays the same while its certificate is made anew for further names", async () => {
  const bytes = readFileSync(join(folder, "test.db")).toString("latin1");
  const wal = readFileSync(join(folder, "test.db-wal")).toString("latin1");
  expect(bytes + wal).not.toContain("PRIVATE KEY");
  const sealed = await store.readSecret("tls-authority-key");
  expect(Buffer.from(sealed ?? []).toString("latin1")).not.toContain("PRIVATE");
  const again = await Authority.open(permitted, { store, sealer: vault, clock });
  expect(again.certificate).toBe(authority.certificate);
  const wider = { ...permitted, names: [...permitted.names, "api.mistral.ai"] };
  const other = await Authority.open(wider, { store, sealer: vault, clock });
  expect(other.certificate).not.toBe(authority.certificate);
  const keyOf = (one: Authority) =>
    new X509Certificate(one.certificate).publicKey.export({ type: "spki", format: "pem" });
  expect(keyOf(other)).toBe(keyOf(authority));
  // Whoever trusted the first goes on being able to talk about what that one was made for.
  const [leaf] = await other.issue([{ names: ["api.openai.com"], addresses: [] }], 3_600_000);
  writeFileSync(join(folder, "leaf.pem"), leaf?.cert ?? "");
  expect(spawnSync("openssl", ["verify", "-CAfile", caFile, join(folder, "leaf.pem")]).status).toBe(0);
});

test("its certificate is made anew before it ends; leaves are short", async () => {
  let now = Date.now();
  const moving = { now: () => now };
  now += 9.2 * 365 * 24 * 3_600_000;
  const later = await Authority.open(permitted, { store, sealer: vault, clock: moving });
  expect(later.certificate).not.toBe(authority.certificate);
  const [leaf] = await authority.issue([{ names: ["localhost"], addresses: [] }], 3_600_000);
  const certificate = new X509Certificate(leaf?.cert ?? "");
  expect(Date.parse(certificate.validTo) - Date.now()).toBeLessThanOrEqual(3_600_000);
  expect(leaf?.renewAt).toBeLessThan(Date.parse(certificate.validTo));
  expect(certificate.checkPrivateKey(createPrivateKey(leaf?.key ?? ""))).toBe(true);
  expect(await privateKeyPem((await readKeyPair(leaf?.key ?? "")).privateKey)).toBe(leaf?.key ?? "");
});
