/** SDKs that insist on a token server get tokens for the master key: the requests are those that they were seen to make. */
import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { clientToken } from "../../src/gateway/client-token.ts";
import { readSqliteStore } from "../../src/storage/sqlite/read.ts";
import { loadVaultKey } from "../../src/vault/key-file.ts";
import { Vault } from "../../src/vault/vault.ts";
import { type Behind, behindGateway } from "../support/behind-gateway.ts";
import { root } from "../support/gateway.ts";
import { header } from "../support/http1.ts";
import { reply } from "../support/recording-upstream.ts";
import { serviceAccount, startTokenServer } from "../support/token-server.ts";

const path = "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent";
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const tokens = await startTokenServer();
let behind: Behind;
let upstreams: Record<string, string>;

beforeAll(async () => {
  behind = await behindGateway({
    env: { GEMINI_API_KEY: "AIzaPLANTED0123456789", VECTARA_API_KEY: "zut_PLANTED0123456789" },
  });
  const { upstream } = behind;
  upstreams = {
    LMK_VERTEX_UPSTREAM: await upstream.another(),
    LMK_GEMINI_UPSTREAM: await upstream.another(),
    LMK_VECTARA_UPSTREAM: await upstream.another(),
  };
  await restart();
  const secret = serviceAccount(`${tokens.url}/token`).json;
  await behind.gateway.api("POST", "/credentials", { provider: "vertex", secret });
});
beforeEach(() => {
  behind.upstream.clear();
  behind.upstream.answer = reply({ headers: [["Content-Type", "application/json"]], body: "{}" });
});

function restart(): Promise<void> {
  return behind.gateway.restart(upstreams);
}

interface Granted {
  access_token: string;
  expires_in: number;
  token_type: string;
  issued_token_type: string;
}

/** As google-auth asks: a form, and a client that is nobody's in `Basic`. */
function ask(form: Record<string, string>, address = "/vertex/oauth2/token"): Promise<Response> {
  return fetch(behind.gateway.url + address, {
    method: "POST",
    headers: { authorization: `Basic ${btoa("llamakey:llamakey")}` },
    body: new URLSearchParams(form),
  });
}

async function tokenOf(key: string): Promise<string> {
  const reply = await ask({ grant_type: "refresh_token", refresh_token: key });
  return ((await reply.json()) as Granted).access_token;
}

function call(address: string, token: string): Promise<Response> {
  return fetch(behind.gateway.url + address, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: "{}",
  });
}

const outcome = (response: Response) => [response.status, response.headers.get("x-llamakey-refusal")];

describe("Google's clients", () => {
  test("refresh with the master key, or exchange it, and get a token for Vertex", async () => {
    for (const form of [
      { grant_type: "refresh_token", refresh_token: behind.key },
      {
        grant_type: EXCHANGE,
        audience: "//llamakey",
        scope: "https://www.googleapis.com/auth/cloud-platform",
        requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
        subject_token: behind.key,
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      },
    ]) {
      const response = await ask(form);
      expect(response.headers.get("cache-control")).toBe("no-store");
      const granted = (await response.json()) as Granted;
      expect(granted).toEqual({
        access_token: expect.stringMatching(/^lmkt\.[\w.-]+$/),
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        token_type: "Bearer",
        expires_in: 3600,
      });
      expect(granted.access_token).not.toContain(behind.key.slice(15, 47));

      const answer = await call(`/vertex${path}`, granted.access_token);
      expect(answer.status).toBe(200);
      expect(header(behind.upstream.last, "authorization")).toBe("Bearer ya29.minted-1");
      expect(behind.upstream.raw).not.toContain("lmkt");
      const row = await behind.gateway.requestRow(answer.headers.get("x-llamakey-request-id"));
      expect(row.keyId).toBe(behind.key.slice(4, 14));
    }
  });

  test("may come by the Gemini path, as Python's google-genai does", async () => {
    const token = await tokenOf(behind.key);
    expect((await call("/gemini/v1beta1/publishers/google/models/m:generateContent", token)).status).toBe(
      200,
    );
    expect(header(behind.upstream.last, "authorization")).toBe("Bearer ya29.minted-1");
  });

  test("get their file from the gateway, with or without lmk", async () => {
    const url = `${behind.gateway.url}/lmk/env?format=adc`;
    const text = await (await fetch(url, { headers: behind.gateway.bearer })).text();
    const file = JSON.parse(text) as Record<string, string>;
    expect(file).toEqual({
      type: "external_account_authorized_user",
      audience: "//llamakey",
      client_id: "llamakey",
      client_secret: "llamakey",
      refresh_token: behind.key,
      token_url: `${behind.gateway.url}/vertex/oauth2/token`,
    });
    const env = { PATH: process.env["PATH"] ?? "", LMK_URL: behind.gateway.url, LMK_KEY: behind.key };
    const lmk = (...args: string[]) =>
      spawnSync(process.execPath, [`${root}/src/main.ts`, "env", ...args], { env, encoding: "utf8" });
    expect(lmk("--format", "adc").stdout).toBe(text);
    expect(lmk("--format", "adc", "--unset").stderr).toContain("remove the file");
  });
});

describe("a token", () => {
  test("opens nothing but its provider", async () => {
    const token = await tokenOf(behind.key);
    for (const address of ["/openai/v1/x", "/anthropic/v1/x", "/gemini/v1beta/models", "/vectara/v2/query"])
      expect([address, ...outcome(await call(address, token))]).toEqual([address, 401, "invalid_key"]);
    for (const address of ["/lmk/env", "/lmk/me", "/api/v1/keys"]) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(behind.gateway.url + address, { headers })).status).toBe(401);
    }
    const again = await ask({ grant_type: "refresh_token", refresh_token: token });
    expect(outcome(again)).toEqual([401, "invalid_key"]);
    expect(behind.upstream.requests).toHaveLength(0);
  });

  test("that was forged is refused", async () => {
    const [prefix, keyId, expiry = "", signature = ""] = (await tokenOf(behind.key)).split(".");
    const later = (Number.parseInt(expiry, 36) + 1).toString(36);
    for (const forged of [
      [prefix, keyId, later, signature],
      [prefix, "0000000000", expiry, signature],
      [prefix, keyId, expiry, signature.toLowerCase()],
      [prefix, keyId, expiry],
      [prefix],
    ]) {
      expect(outcome(await call(`/vertex${path}`, forged.join(".")))).toEqual([401, "invalid_key"]);
    }
  });

  test("ends with its key, or with the secret that it was given for", async () => {
    const { secret, key } = await behind.gateway.addUser("leaver");
    const token = await tokenOf(secret);
    expect((await call(`/vertex${path}`, token)).status).toBe(200);
    const rotated = await behind.gateway.api<{ secret: string }>("POST", `/keys/${key.id}/rotate`, {
      overlapSeconds: 0,
    });
    expect(outcome(await call(`/vertex${path}`, token))).toEqual([401, "invalid_key"]);
    const next = await tokenOf(rotated.secret);
    expect((await call(`/vertex${path}`, next)).status).toBe(200);
    await behind.gateway.revoke(key.id);
    expect(outcome(await call(`/vertex${path}`, next))).toEqual([401, "invalid_key"]);
    expect(outcome(await ask({ grant_type: "refresh_token", refresh_token: rotated.secret }))).toEqual([
      401,
      "invalid_key",
    ]);
  });

  test("ends after an hour", async () => {
    const { dataDir } = behind.gateway;
    // The gateway runs: it alone may write there.
    const store = await readSqliteStore(join(dataDir, "llamakey.db"));
    const vault = await Vault.open(loadVaultKey(undefined, join(dataDir, "vault.key"), false), store);
    const id = behind.key.slice(4, 14);
    const given = (minutesAgo: number, provider = "vertex") =>
      clientToken(provider, id, vault.hashKey(behind.key), vault, Date.now() - minutesAgo * 60_000);
    expect((await call(`/vertex${path}`, given(59))).status).toBe(200);
    expect(outcome(await call(`/vertex${path}`, given(60)))).toEqual([401, "expired_key"]);
    expect(outcome(await call(`/vertex${path}`, given(0, "vectara")))).toEqual([401, "invalid_key"]);
    await store.close();
  });

  test("outlives a restart", async () => {
    const token = await tokenOf(behind.key);
    await restart();
    expect((await call(`/vertex${path}`, token)).status).toBe(200);
  });
});

describe("Vectara's clients", () => {
  const trade = (body: unknown) =>
    fetch(`${behind.gateway.url}/vectara-auth/oauth/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  test("give the master key as their secret, and the token is good for Vectara alone", async () => {
    const response = await trade({
      client_id: "anything",
      client_secret: behind.key,
      grant_type: "client_credentials",
    });
    const { access_token, expires_in } = (await response.json()) as Granted;
    expect(expires_in).toBe(3600);
    expect((await call("/vectara/v2/query", access_token)).status).toBe(200);
    expect(header(behind.upstream.last, "authorization")).toBeUndefined();
    expect(outcome(await call(`/vertex${path}`, access_token))).toEqual([401, "invalid_key"]);
  });

  test("may leave out which grant they mean", async () => {
    const response = await trade({ client_id: "anything", client_secret: behind.key });
    const { access_token } = (await response.json()) as Granted;
    expect((await call("/vectara/v2/query", access_token)).status).toBe(200);
    expect((await trade({ client_secret: behind.key, grant_type: "password" })).status).toBe(400);
  });

  test("ask at the newer address with a form, or as version 1 does with their secret in Basic", async () => {
    const grant = { grant_type: "client_credentials" };
    const form = { ...grant, client_id: "anything", client_secret: behind.key };
    const address = "/vectara-auth/oauth2/token";
    const password = (secret: string) => ({ authorization: `Basic ${btoa(`anything:${secret}`)}` });
    for (const [body, headers] of [
      [form, {}],
      [grant, password(behind.key)],
    ] as const) {
      const init = { method: "POST", headers, body: new URLSearchParams(body) };
      const response = await fetch(behind.gateway.url + address, init);
      const { access_token } = (await response.json()) as Granted;
      const query = await fetch(`${behind.gateway.url}/vectara/v1/query`, {
        method: "POST",
        headers: { authorization: `Bearer ${access_token}`, "customer-id": "4242" },
        body: "{}",
      });
      expect(query.status).toBe(200);
      expect(header(behind.upstream.last, "x-api-key")).toBe("zut_PLANTED0123456789");
    }
    for (const headers of [password("x"), password(`${behind.key}x`), { authorization: "Basic !" }]) {
      const init = { method: "POST", headers, body: new URLSearchParams(grant) };
      const refused = await fetch(behind.gateway.url + address, init);
      expect([400, 401]).toContain(refused.status);
    }
  });

  test("with a wrong secret get none", async () => {
    for (const client_secret of ["x", `${behind.key}x`, "lmk_wrong"]) {
      const refused = await trade({ client_secret, grant_type: "client_credentials" });
      expect(outcome(refused)).toEqual([401, "invalid_key"]);
    }
  });
});

test("what is no request for a token is answered as token servers do, and never forwarded", async () => {
  const cases: [Promise<Response>, number, string][] = [
    [ask({}), 400, "unsupported_grant_type"],
    [ask({ grant_type: "password", password: behind.key }), 400, "unsupported_grant_type"],
    [ask({ grant_type: "constructor", constructor: behind.key }), 400, "unsupported_grant_type"],
    [ask({ grant_type: "refresh_token" }), 400, "invalid_request"],
    [ask({ grant_type: "refresh_token", refresh_token: "x".repeat(20_000) }), 413, "invalid_request"],
    [ask({ grant_type: "refresh_token", refresh_token: "ya29.x" }), 401, "invalid_grant"],
    [fetch(`${behind.gateway.url}/vertex/oauth2/token`), 405, "invalid_request"],
  ];
  for (const [answer, status, error] of cases) {
    const response = await answer;
    expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([status, error]);
  }
  const form = { grant_type: "refresh_token", refresh_token: behind.key };
  for (const address of [
    "/vertex//oauth2/token",
    "/vertex/oauth2/token/",
    "/vertex/%6fauth2/token",
    "/vertex/OAuth2/token",
  ]) {
    const response = await ask(form, address);
    expect([address, response.status]).toEqual([address, 401]);
    const keyed = await fetch(behind.gateway.url + address, {
      method: "POST",
      headers: behind.gateway.bearer,
      body: new URLSearchParams(form),
    });
    expect([address, ...outcome(keyed)]).toEqual([address, 403, "endpoint_not_allowed"]);
  }
  expect(behind.upstream.requests).toHaveLength(0);
});
