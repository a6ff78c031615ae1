/** Vertex and Vectara take tokens that are made of their credentials: once, ahead of time, and for nobody else. */
import { beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { startGateway } from "../support/gateway.ts";
import { header } from "../support/http1.ts";
import { poll } from "../support/poll.ts";
import { recordingUpstream, reply } from "../support/recording-upstream.ts";
import { serviceAccountFile, startTokenServer } from "../support/token-server.ts";

const path = "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent";
const tokens = await startTokenServer();
const upstream = await recordingUpstream();
const account = serviceAccountFile(`${tokens.url}/token`);
const { file } = account;

beforeEach(() => {
  Object.assign(tokens, { asked: [], lifetime: 3600, refuses: undefined });
  upstream.clear();
  upstream.answer = reply({ headers: [["Content-Type", "application/json"]], body: "{}" });
});

const vertex = { GOOGLE_APPLICATION_CREDENTIALS: file, LMK_VERTEX_UPSTREAM: upstream.url };
const vectara = {
  VECTARA_CLIENT_ID: "app-client-1",
  VECTARA_CLIENT_SECRET: "vectara-PLANTED-secret-0123456789",
  VECTARA_CUSTOMER_ID: "4242",
  LMK_VECTARA_UPSTREAM: await upstream.another(),
  LMK_VECTARA_AUTH: tokens.url,
};

type Gateway = Awaited<ReturnType<typeof startGateway>>;

function generate(gateway: Gateway): Promise<Response> {
  return fetch(`${gateway.url}/vertex${path}`, {
    method: "POST",
    headers: { ...gateway.bearer, "content-type": "application/json", "x-goog-user-project": "mine" },
    body: "{}",
  });
}

describe("a service account", () => {
  test("gives one token for twenty calls at a time, and is not sent itself", async () => {
    await using gateway = await startGateway({ env: vertex });
    expect(gateway.stdout()).toContain("gateway@a-project.iam.gserviceaccount.com (env)");
    expect(tokens.asked).toHaveLength(0);
    const answers = await Promise.all(Array.from({ length: 20 }, () => generate(gateway)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(tokens.asked.map(({ path, type }) => [path, type])).toEqual([
      ["/token", "application/x-www-form-urlencoded"],
    ]);
    expect(new Set(upstream.requests.map((request) => header(request, "authorization")))).toEqual(
      new Set(["Bearer ya29.minted-1"]),
    );
    expect(upstream.last.target).toBe(path);
    expect(header(upstream.last, "x-goog-user-project")).toBeUndefined();
  });

  test("gives the next token before the first has ended", async () => {
    tokens.lifetime = 6;
    await using gateway = await startGateway({ env: vertex });
    await generate(gateway);
    await Bun.sleep(3_100);
    expect((await generate(gateway)).status).toBe(200);
    expect(header(upstream.last, "authorization")).toBe("Bearer ya29.minted-1");
    tokens.lifetime = 3600;
    await poll("second token", async () => {
      await generate(gateway);
      return header(upstream.last, "authorization") === "Bearer ya29.minted-2" || undefined;
    });
    expect(tokens.asked).toHaveLength(2);
  });

  test("that Google does not take is no fault of the user, and shown to the operator", async () => {
    tokens.refuses = () => Response.json({ error: "invalid_grant" }, { status: 400 });
    await using gateway = await startGateway({ env: vertex });
    const refused = await generate(gateway);
    expect([refused.status, refused.headers.get("x-llamakey-refusal")]).toEqual([502, "credential_rejected"]);
    expect((await refused.json()).error.status).toBe("UNAVAILABLE");
    expect(upstream.requests).toHaveLength(0);
    const { items } = await gateway.api<{ items: { rejection: { message: string } | null }[] }>(
      "GET",
      "/credentials",
    );
    expect(items[0]?.rejection?.message).toContain("invalid_grant");
    expect(gateway.stderr()).toContain('gives no token for the credential "env"');
  });

  test("whose token server is down is told from one that it does not take", async () => {
    tokens.refuses = () => new Response(null, { status: 503 });
    await using gateway = await startGateway({ env: vertex });
    const refused = await generate(gateway);
    expect([refused.status, refused.headers.get("x-llamakey-refusal")]).toEqual([
      502,
      "upstream_unreachable",
    ]);
    expect(gateway.stderr()).toContain("token server");
  });

  test("gives another token after Google took the last one no more", async () => {
    await using gateway = await startGateway({ env: vertex });
    upstream.answer = reply({ status: 401, body: "Bearer ya29.minted-1 is not valid" });
    expect((await generate(gateway)).headers.get("x-llamakey-refusal")).toBe("credential_rejected");
    upstream.answer = reply({ body: "{}" });
    expect((await generate(gateway)).status).toBe(200);
    expect(header(upstream.last, "authorization")).toBe("Bearer ya29.minted-2");
  });

  test("can be stored, tested, and survives a restart", async () => {
    await using gateway = await startGateway({ env: { LMK_VERTEX_UPSTREAM: upstream.url } });
    const add = (secret: string) =>
      gateway.api<{ id: string; masked: string }>("POST", "/credentials", { provider: "vertex", secret });
    expect(add(account.json.replace("service_account", "authorized_user"))).rejects.toThrow(
      "service account",
    );
    const { id, masked } = await add(account.json);
    expect(masked).toBe("gateway@a-project.iam.gserviceaccount.com");
    expect(await gateway.api("POST", `/credentials/${id}/test`)).toMatchObject({ ok: true, status: 200 });
    expect(header(upstream.last, "authorization")).toBe("Bearer ya29.minted-1");
    // A change of other credentials leaves the token as it is.
    await gateway.api("POST", "/credentials", { provider: "openai", secret: "sk-proj-0123456789" });
    expect((await generate(gateway)).status).toBe(200);
    expect(tokens.asked).toHaveLength(1);
    await gateway.restart();
    expect((await generate(gateway)).status).toBe(200);
    tokens.refuses = () => new Response(null, { status: 401 });
    await gateway.restart();
    expect(await gateway.api("POST", `/credentials/${id}/test`)).toMatchObject({ ok: false, status: null });
  });

  test("in a file that cannot be used is warned of, and the gateway starts", async () => {
    const broken = `${file}.broken`;
    for (const [text, why] of [
      [undefined, "cannot be read"],
      ["{}", "is not a service account's JSON"],
      ['{"refresh_token":"lmk_x"}', "written for a client"],
    ] as const) {
      if (text !== undefined) writeFileSync(broken, text);
      await using gateway = await startGateway({
        env: { ...vertex, GOOGLE_APPLICATION_CREDENTIALS: broken },
      });
      expect(gateway.stderr()).toContain(why);
      expect((await generate(gateway)).headers.get("x-llamakey-refusal")).toBe("no_credential");
    }
  });
});

describe("an app client of Vectara", () => {
  const query = (gateway: Gateway, version: string) =>
    fetch(`${gateway.url}/vectara${version}/query`, {
      method: "POST",
      headers: { "x-api-key": gateway.key, "customer-id": "666", "content-type": "application/json" },
      body: "{}",
    });

  test("gives a token, and version 1 is told the customer", async () => {
    await using gateway = await startGateway({ env: vectara });
    expect((await query(gateway, "/v2")).status).toBe(200);
    expect(tokens.asked).toEqual([
      {
        path: "/oauth2/token",
        type: "application/x-www-form-urlencoded",
        body: `client_id=app-client-1&client_secret=${vectara.VECTARA_CLIENT_SECRET}&grant_type=client_credentials`,
      },
    ]);
    const named = ["authorization", "x-api-key", "customer-id"];
    expect(named.map((name) => header(upstream.last, name))).toEqual([
      "Bearer ya29.minted-vectara-1",
      undefined,
      undefined,
    ]);
    await query(gateway, "/v1");
    expect(header(upstream.last, "customer-id")).toBe("4242");
  });

  test("is not asked where there is an API key", async () => {
    await using gateway = await startGateway({ env: { ...vectara, VECTARA_API_KEY: "zut_0123456789" } });
    await query(gateway, "/v1");
    expect(header(upstream.last, "x-api-key")).toBe("zut_0123456789");
    expect(header(upstream.last, "customer-id")).toBe("4242");
    expect(tokens.asked).toHaveLength(0);
  });

  test("that is stored goes to no other token server", async () => {
    const { LMK_VECTARA_UPSTREAM, LMK_VECTARA_AUTH } = vectara;
    await using gateway = await startGateway({ env: { LMK_VECTARA_UPSTREAM, LMK_VECTARA_AUTH } });
    const secret = JSON.stringify({ client_id: "i", client_secret: "stored-secret" });
    await gateway.api("POST", "/credentials", { provider: "vectara", secret });
    expect((await query(gateway, "/v2")).status).toBe(200);
    await gateway.restart({ LMK_VECTARA_AUTH: `${tokens.url}/elsewhere` });
    expect((await query(gateway, "/v2")).headers.get("x-llamakey-refusal")).toBe("no_credential");
    expect(tokens.asked).toHaveLength(1);
  });
});
