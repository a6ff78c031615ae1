/**
 * A gateway with a certificate of its own: whatever programs there are trust it by the variables that `lmk env` sets, and
 * by nothing else.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trustVariables, writeTrust } from "../../src/client/trust.ts";
import { openSqliteStore } from "../../src/storage/sqlite/open.ts";
import { Authority } from "../../src/tls/authority.ts";
import { Vault } from "../../src/vault/vault.ts";
import { root, startGateway } from "../support/gateway.ts";

const gateway = await startGateway({
  env: { MISTRAL_API_KEY: "mistral-test-fake-0123456789abcdef" },
  args: ["--tls=local"],
});
const folder = mkdtempSync(join(tmpdir(), "lmk-trust-"));
const PATH = process.env["PATH"] ?? "";

/** What a user has whom an administrator has told the fingerprint. */
async function variables(): Promise<Record<string, string>> {
  const fingerprint = /(?:[0-9A-F]{2}:){31}[0-9A-F]{2}/.exec(gateway.stdout())?.[0] ?? "";
  const program = [process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`];
  const args = ["env", "--format", "json", "--url", gateway.url, "--fingerprint", fingerprint];
  const { out, err, code } = await run([...program, ...args], { LMK_KEY: gateway.key });
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out);
}

async function run(command: readonly string[], env: Record<string, string>) {
  const child = Bun.spawn([...command], {
    cwd: folder,
    env: { PATH, HOME: folder, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

/** The gateway speaks no gRPC: a server with another authority's certificate, trusted by the same variables. */
async function startHttp2() {
  const store = await openSqliteStore(join(folder, "authority.db"));
  const sealer = await Vault.open(new Uint8Array(32).fill(7), store);
  const authority = await Authority.open(
    { names: ["localhost"], addresses: [] },
    { store, sealer, clock: { now: Date.now } },
  );
  const [leaf] = await authority.issue([{ names: ["localhost"], addresses: [] }], 3_600_000);
  const server = createSecureServer({ cert: leaf?.cert ?? "", key: leaf?.key ?? "" });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const trust = join(folder, "grpc");
  const trusted = Object.fromEntries(writeTrust(trust, authority.certificate, {}));
  return { server, trusted, address: `localhost:${(server.address() as AddressInfo).port}` };
}

const http2 = await startHttp2();
afterAll(async () => {
  http2.server.close();
  await gateway.end();
  rmSync(folder, { recursive: true, force: true });
});

const python = (client: string) => [
  join(root, ".cache/python/bin/python"),
  join(import.meta.dir, "python/trust.py"),
  client,
];
const NODE =
  'fetch(process.env.ASK_URL).then((answer) => answer.text()).then((text) => console.log("trusted", text))';

const clients: Record<string, { command: string[]; by: string }> = {
  httpx: { command: python("httpx"), by: "SSL_CERT_FILE" },
  "urllib, as all that uses Python's ssl": { command: python("urllib"), by: "SSL_CERT_FILE" },
  aiohttp: { command: python("aiohttp"), by: "SSL_CERT_FILE" },
  requests: { command: python("requests"), by: "REQUESTS_CA_BUNDLE" },
  "botocore, of boto3": { command: python("botocore"), by: "AWS_CA_BUNDLE" },
  gRPC: { command: python("grpc"), by: "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH" },
  Node: { command: ["node", "-e", NODE], by: "NODE_EXTRA_CA_CERTS" },
  Bun: { command: [process.execPath, "-e", NODE], by: "NODE_EXTRA_CA_CERTS" },
  curl: { command: ["curl", "-fsS", "-w", "trusted", `${gateway.url}/healthz`], by: "CURL_CA_BUNDLE" },
};

describe("a gateway with a certificate of its own", async () => {
  const set = await variables();
  const ask = { ASK_URL: `${gateway.url}/healthz`, ASK_GRPC: http2.address };

  test("is trusted by every program that lmk env names something for, by its own variable alone", () => {
    const named = trustVariables("/x").map(([name]) => name);
    expect(named).toEqual(expect.arrayContaining(Object.values(clients).map(({ by }) => by)));
    for (const name of named) expect(readFileSync(set[name] ?? "", "utf8")).toContain("BEGIN CERTIFICATE");
  });

  test.each(Object.entries(clients))(
    "%s",
    async (name, { command, by }) => {
      const trusted = name === "gRPC" ? http2.trusted : set;
      const [without, only, all] = await Promise.all([
        run(command, ask),
        run(command, { ...ask, [by]: trusted[by] ?? "" }),
        run(command, { ...trusted, ...ask }),
      ]);
      expect(without.code, without.out).not.toBe(0);
      for (const { code, out, err } of [only, all]) {
        expect(code, err).toBe(0);
        expect(out).toContain("trusted");
      }
    },
    60_000,
  );
});
