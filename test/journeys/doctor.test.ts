/**
 * `lmk doctor`: what can be wrong in a user's shell, each once, and that no key leaves for a stranger meanwhile. As the
 * gateway's own command line, and as the client that Node runs.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKey } from "../../src/domain/key.ts";
import {
  authorityCertificate,
  generateKeyPair,
  privateKeyPem,
  serverCertificate,
} from "../../src/tls/x509.ts";
import { startCentProvider } from "../support/cent-provider.ts";
import { atEnd } from "../support/cleanup.ts";
import { type Gateway, root, startGateway } from "../support/gateway.ts";
import { serveRecorded } from "../support/record.ts";
import { noteAddress } from "../support/record-gateway.ts";

const provider = await startCentProvider();
/** An upstream that takes no key. */
const strict = await serveRecorded({
  fetch: () => Response.json({ error: { message: "no such key" } }, { status: 401 }),
});
const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789",
    LMK_OPENAI_UPSTREAM: provider.base,
    MISTRAL_API_KEY: "fake-example-of-a-key-0123456789",
    LMK_MISTRAL_UPSTREAM: await provider.another(),
  },
});

/** Whoever should never see a master key; what it was sent is kept. */
const sent: string[] = [];
const stranger = await serveRecorded({
  fetch(request) {
    sent.push(`${request.url} ${JSON.stringify([...request.headers])}`);
    return new Response("hello from elsewhere");
  },
});

// It may be asked whether it is a gateway, and be told nothing.
noteAddress("storage", stranger.origin);

interface Finding {
  subject: string;
  verdict: "fine" | "note" | "wrong";
  code: string;
  message: string;
}

const folder = mkdtempSync(join(tmpdir(), "lmk-doctor-"));
atEnd(() => rmSync(folder, { recursive: true, force: true }));

const programs = {
  Bun: () => [process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`],
  /** What `npx <gateway>/lmk/cli.tgz` fetches. */
  Node: async () => {
    const bytes = await (await fetch(`${gateway.url}/lmk/cli.tgz`)).bytes();
    await new Bun.Archive(bytes).extract(folder);
    return ["node", join(folder, "package/lmk.mjs")];
  },
};
let program: string[] = [];

async function doctor(env: Record<string, string | undefined>, args: readonly string[] = ["--json"]) {
  const child = Bun.spawn([...program, "doctor", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

/** Files: an authority for `localhost`, and a server's certificate that ends then with its key. */
async function certificates(to: number): Promise<{ file: string; cert: string; key: string }> {
  const validity = { from: to - 86_400_000, to };
  const subject = { names: ["localhost"], addresses: [] };
  const [authority, server] = [await generateKeyPair(), await generateKeyPair()];
  const write = (name: string, text: string) => {
    const file = join(folder, `${to}-${name}.pem`);
    writeFileSync(file, text);
    return file;
  };
  return {
    file: write("ca", await authorityCertificate(authority, subject, validity)),
    cert: write("cert", await serverCertificate(server.publicKey, subject, validity, authority)),
    key: write("key", await privateKeyPem(server.privateKey)),
  };
}

let users = 0;
async function newUser(at: Gateway = gateway) {
  const name = `user${users++}`;
  const added = await at.addUser(name);
  return { name, ...added, env: await at.exportsOf(added.secret) };
}

/** What it finds wrong, as code by subject; and that it says so by its exit code. */
async function wrongs(env: Record<string, string | undefined>): Promise<[string, string][]> {
  const { code, out, err } = await doctor(env);
  // The platform has a word of its own on files that are not there.
  expect(err.replace(/^Warning: Ignoring extra certs.*\n/m, "")).toBe("");
  const findings = JSON.parse(out) as Finding[];
  const wrong = findings.filter(({ verdict }) => verdict === "wrong");
  expect(code).toBe(wrong.length === 0 ? 0 : 1);
  for (const { message } of wrong) expect(message).toMatch(/[.!]$/);
  for (const value of Object.values(env)) if (value?.startsWith("lmk_")) expect(out).not.toContain(value);
  return wrong.map(({ subject, code: what }) => [subject, what]);
}

describe.each(["Bun", "Node"] as const)("on %s", (runtime) => {
  beforeAll(async () => {
    program = await programs[runtime]();
    sent.length = 0;
  }, 60_000);

  describe("in a shell that is set up", () => {
    test("nothing is wrong; each provider is asked once, through the variables", async () => {
      const { name, env } = await newUser();
      expect(await wrongs(env)).toEqual([]);
      const rows = await gateway.rowsOf(name, 1);
      expect(
        rows.map(({ provider: id, method, endpoint, status }) => [id, method, endpoint, status]),
      ).toEqual([["openai", "GET", "/models", 200]]);
      const { code, out, err } = await doctor(env, []);
      expect([code, err]).toEqual([0, "Nothing is wrong.\n"]);
      expect(out).toContain("ok     OpenAI: GET /openai/v1/models is answered.");
      expect(out).toContain("note   Mistral: Its SDKs read no base address");
    });

    test("an alias of the key, another spelling of the base, and a host name of the provider's are no problem", async () => {
      const { env, secret } = await newUser();
      expect(await wrongs({ ...env, OPENAI_API_KEY: `sk-${secret}` })).toEqual([]);
      expect(await wrongs({ ...env, OPENAI_BASE_URL: `${gateway.url}/openai/` })).toEqual([]);
    });
  });

  describe("variables", () => {
    test("that are missing", async () => {
      const { env } = await newUser();
      expect(await wrongs({ ...env, OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined })).toEqual([
        ["OpenAI", "variable_missing"],
      ]);
      expect(await wrongs({ ...env, OPENAI_API_KEY: undefined })).toEqual([["OpenAI", "variable_missing"]]);
      expect(await wrongs({ ...env, OPENAI_BASE_URL: undefined, OPENAI_API_KEY: "sk-own" })).toEqual([
        ["OpenAI", "variable_missing"],
      ]);
      expect(await wrongs({})).toEqual([["LMK_KEY", "variable_missing"]]);
    });

    test("that would send the master key to the provider, or to anybody else: nothing is sent", async () => {
      const { env } = await newUser();
      expect(await wrongs({ ...env, OPENAI_BASE_URL: undefined })).toEqual([["OpenAI", "leaks"]]);
      const elsewhere = [
        `${stranger.origin}/v1`,
        `${stranger.origin}/openai/v1`,
        "https://api.openai.com/v1",
      ];
      for (const base of elsewhere)
        expect([base, await wrongs({ ...env, OPENAI_BASE_URL: base })]).toEqual([
          base,
          [["OpenAI", "leaks"]],
        ]);
      expect(
        await wrongs({ ...env, OPENAI_BASE_URL: `${stranger.origin}/v1`, OPENAI_API_KEY: "sk-own" }),
      ).toEqual([["OpenAI", "past_gateway"]]);
      // Mistral's SDKs read no base address at all.
      expect(await wrongs({ ...env, MISTRAL_API_KEY: env["LMK_KEY"] })).toEqual([["Mistral", "leaks"]]);
      expect(sent).toEqual([]);
    });

    test("with a wrong path", async () => {
      const { env } = await newUser();
      for (const path of ["/v1", "/anthropic/v1", "", "/openai-v1"]) {
        const found = await wrongs({ ...env, OPENAI_BASE_URL: gateway.url + path });
        expect([path, found]).toEqual([path, [["OpenAI", "wrong_path"]]]);
      }
      expect(await wrongs({ ...env, OPENAI_BASE_URL: "127.0.0.1:8000" })).toEqual([["OpenAI", "wrong_path"]]);
    });
  });

  describe("a key", () => {
    test("that is the provider's own, mistyped, or of before a rotation", async () => {
      const { env, key, secret } = await newUser();
      expect(await wrongs({ ...env, OPENAI_API_KEY: "sk-own-0123456789" })).toEqual([
        ["OpenAI", "foreign_key"],
      ]);
      expect(await wrongs({ ...env, OPENAI_API_KEY: `${secret.slice(0, -1)}!` })).toEqual([
        ["OpenAI", "damaged_key"],
      ]);
      const renewed = await gateway.api<{ secret: string }>("POST", `/keys/${key.id}/rotate`, {
        overlapSeconds: 0,
      });
      expect(await wrongs({ ...env, LMK_KEY: renewed.secret })).toEqual([["OpenAI", "old_key"]]);
      expect(await wrongs(env)).toEqual([["LMK_KEY", "old_key"]]);
      expect(await wrongs({ ...env, LMK_KEY: createKey().text })).toEqual([["LMK_KEY", "old_key"]]);
    });

    test("that was revoked, or has expired", async () => {
      const { name, env, key } = await newUser();
      const other = await gateway.addKey(name, "second");
      await gateway.api("PATCH", `/keys/${key.id}`, { revoked: true });
      expect(await wrongs(env)).toEqual([["LMK_KEY", "revoked_key"]]);
      expect(await wrongs({ ...env, LMK_KEY: other.secret })).toEqual([["OpenAI", "revoked_key"]]);
      await gateway.api("PATCH", `/keys/${key.id}`, { revoked: false, expiresAt: new Date().toISOString() });
      expect(await wrongs(env)).toEqual([["LMK_KEY", "expired_key"]]);
      expect(await wrongs({ ...env, LMK_KEY: other.secret })).toEqual([["OpenAI", "expired_key"]]);
    });
  });

  describe("what policies and administrators decide", () => {
    test("a provider, a model or a network that is not open", async () => {
      const { name, env } = await newUser();
      await gateway.api("PUT", `/policies/user:${name}`, { providers: ["mistral"] });
      expect(await wrongs(env)).toEqual([["OpenAI", "provider_not_allowed"]]);
      await gateway.api("PUT", `/policies/user:${name}`, { models: ["gpt-5*"] });
      expect(await wrongs({ ...env, OPENAI_MODEL: "gpt-5-mini", ANTHROPIC_MODEL: "claude-x" })).toEqual([
        ["ANTHROPIC_MODEL", "model_not_allowed"],
      ]);
      await gateway.api("PUT", `/policies/user:${name}`, { networks: ["10.9.8.0/24"] });
      expect(await wrongs(env)).toEqual([["OpenAI", "network_not_allowed"]]);
    });

    test("a provider that is down is no fault of this shell's", async () => {
      await using other = await startGateway({
        env: {
          OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789",
          LMK_OPENAI_UPSTREAM: "http://127.0.0.1:9/v1",
        },
      });
      const { env } = await newUser(other);
      expect(await wrongs(env)).toEqual([]);
      const { out } = await doctor(env);
      const codes = (JSON.parse(out) as Finding[]).map(({ verdict, code }) => `${verdict} ${code}`);
      expect(codes).toContain("note upstream_unreachable");
    });

    test("a real key that the provider does not take", async () => {
      await using other = await startGateway({
        env: {
          OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789",
          LMK_OPENAI_UPSTREAM: `${strict.origin}/v1`,
        },
      });
      const { env } = await newUser(other);
      expect(await wrongs(env)).toEqual([["OpenAI", "credential_rejected"]]);
    });
  });

  describe("the way to the gateway", () => {
    test("nobody there, or somebody else", async () => {
      const { env } = await newUser();
      expect(await wrongs({ ...env, LMK_URL: "http://127.0.0.1:9" })).toEqual([["gateway", "unreachable"]]);
      expect(await wrongs({ ...env, LMK_URL: stranger.origin })).toEqual([["gateway", "not_a_gateway"]]);
      expect(sent.join()).not.toContain("lmk_");
    });

    test("a proxy that does not pass calls on", async () => {
      const { env } = await newUser();
      const proxies = { HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9" };
      expect(await wrongs({ ...env, ...proxies })).toEqual([["gateway", "proxy_wrong"]]);
      expect(await wrongs({ ...env, ...proxies, NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" })).toEqual([]);
    });

    test("a certificate that programs do not trust, each by its own variable", async () => {
      const { file, cert, key } = await certificates(Date.now() + 3_600_000);
      await using secure = await startGateway({
        env: {
          OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789",
          LMK_OPENAI_UPSTREAM: provider.base,
          LMK_TLS_CERT: cert,
          LMK_TLS_KEY: key,
        },
      });
      const secret = secure.key;
      const url = `https://localhost:${secure.port}`;
      const env = {
        LMK_URL: url,
        LMK_KEY: secret,
        OPENAI_BASE_URL: `${url}/openai/v1`,
        OPENAI_API_KEY: secret,
      };
      const trust = { SSL_CERT_FILE: file, REQUESTS_CA_BUNDLE: file, NODE_EXTRA_CA_CERTS: file };
      expect(await wrongs({ ...env, ...trust })).toEqual([]);
      expect(await wrongs(env)).toEqual([["gateway", "tls_untrusted"]]);
      expect(await wrongs({ ...env, ...trust, REQUESTS_CA_BUNDLE: undefined })).toEqual([
        ["REQUESTS_CA_BUNDLE", "tls_untrusted"],
      ]);
      const other = join(folder, "other.pem");
      expect(await wrongs({ ...env, ...trust, NODE_EXTRA_CA_CERTS: other })).toEqual([
        ["NODE_EXTRA_CA_CERTS", "tls_untrusted"],
      ]);
      writeFileSync(other, "");
      expect(await wrongs({ ...env, ...trust, SSL_CERT_FILE: other })).toEqual([
        ["SSL_CERT_FILE", "tls_untrusted"],
      ]);
    });

    test("proxy mode: its variables lead there, or the key is not sent", async () => {
      await using proxying = await startGateway({
        env: {
          MISTRAL_API_KEY: "fake-example-of-a-key-0123456789",
          LMK_MISTRAL_UPSTREAM: await provider.another(),
          LMK_PROXY_LISTEN: "127.0.0.1:0",
        },
      });
      const file = join(proxying.dataDir, "ca.pem");
      const response = await fetch(`${proxying.url}/lmk/env?format=json&proxy&trust=${proxying.dataDir}`, {
        headers: proxying.bearer,
      });
      const env = {
        ...((await response.json()) as Record<string, string>),
        SSL_CERT_FILE: file,
        REQUESTS_CA_BUNDLE: file,
        NODE_EXTRA_CA_CERTS: file,
      };
      expect(await wrongs(env)).toEqual([]);
      expect(await wrongs({ ...env, HTTPS_PROXY: undefined, https_proxy: undefined })).toEqual([
        ["Mistral", "leaks"],
      ]);
      expect(await wrongs({ ...env, HTTPS_PROXY: stranger.origin, https_proxy: stranger.origin })).toEqual([
        ["Mistral", "proxy_wrong"],
      ]);
      expect(await wrongs({ ...env, NO_PROXY: "127.0.0.1,mistral.ai", no_proxy: "mistral.ai" })).toEqual([
        ["Mistral", "leaks"],
      ]);
      expect(sent.join()).not.toContain("lmk_");
      const rows = await proxying.requests();
      expect(rows.filter(({ status }) => status === 200).map(({ provider: id }) => id)).toEqual(["mistral"]);
    });
  });
});
