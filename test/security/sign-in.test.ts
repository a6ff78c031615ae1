/** Passwords, passkeys, tokens and sessions against whoever should not get in. */
import { beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Authenticator } from "../support/authenticator.ts";
import { BrowserSession, signedIn } from "../support/browser-session.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";

const PASSWORD = "four fake words here";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
  for (const [name, role] of [
    ["olga", "owner"],
    ["ann", "admin"],
    ["max", "member"],
  ] as const) {
    await gateway.api("POST", "/users", { name, role });
  }
});

const bySession = (name: string) => signedIn(gateway, name);
const fresh = () => new BrowserSession(gateway.url);
const byPassword = (name: string, password: string) =>
  fresh().send<{ code?: string; csrf?: string }>("POST", "/session/password", { name, password });

async function withPassword(name: string): Promise<BrowserSession> {
  const browser = await bySession(name);
  const { status } = await browser.send("PUT", "/me/password", { password: PASSWORD });
  expect(status).toBe(204);
  return browser;
}

async function failures(): Promise<
  { target: { name: string }; after: { method: string; reason: string } }[]
> {
  const { items } = await gateway.api<{ items: never[] }>("GET", "/audit?action=sign_in.fail&limit=1000");
  return items;
}

describe("a password", () => {
  test("opens a session, and is stored as argon2id", async () => {
    await withPassword("ann");
    const browser = fresh();
    const answer = browser.entered(
      await browser.send<{ csrf: string; method: string }>("POST", "/session/password", {
        name: "ann",
        password: PASSWORD,
      }),
    );
    expect(answer).toMatchObject({ status: 200, body: { method: "password", hasPassword: true } });
    expect((await browser.send("GET", "/session")).status).toBe(200);
    const stored = await gateway.databaseText();
    expect(stored).toContain("$argon2id$");
    expect(stored).not.toContain(PASSWORD);
  });

  test("leaves no hash behind that could be tried out, and is asked for each time", async () => {
    const browser = await withPassword("ann");
    const once = { "idempotency-key": "the-same-again" };
    const body = { password: PASSWORD };
    for (let time = 0; time < 2; time++) {
      const { status, headers } = await browser.send("POST", "/session/step-up", body, once);
      expect([status, headers.get("idempotency-replayed")]).toEqual([200, null]);
    }
    const wrong = await browser.send("POST", "/session/step-up", { password: "other words" }, once);
    expect(wrong.status).toBe(403);
    const group = { name: "once" };
    expect((await browser.send("POST", "/groups", group, once)).status).toBe(201);
    const again = await browser.send("POST", "/groups", group, once);
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
    const stored = await gateway.databaseText();
    for (const [path, sent] of [
      ["session/step-up", body],
      ["groups", group],
    ] as const) {
      const text = `/api/v1/${path}\n${JSON.stringify(sent)}`;
      expect(stored).not.toContain(new Bun.CryptoHasher("sha256").update(text).digest("hex"));
    }
  });

  test("ends the other sessions of its user when it changes", async () => {
    const [one, other] = [await withPassword("ann"), await bySession("ann")];
    expect((await one.send("PUT", "/me/password", { password: `${PASSWORD}!` })).status).toBe(204);
    expect((await other.send("GET", "/session")).status).toBe(401);
    expect((await one.send("GET", "/session")).status).toBe(200);
    expect((await one.send("PUT", "/me/password", { password: PASSWORD })).status).toBe(204);
  });

  test("must be long and not the first that anybody tries; nothing else is asked for", async () => {
    const browser = await bySession("max");
    const put = async (password: string) => (await browser.send("PUT", "/me/password", { password })).status;
    for (const bad of [
      "short",
      "elevenchars",
      "aaaaaaaaaaaa",
      "abcabcabcabc",
      "Password1234",
      "qwerty-uiop-123",
      "maxmaxmaxmax",
    ])
      expect([bad, await put(bad)]).toEqual([bad, 422]);
    for (const good of ["nur kleine wörter", "🦙🦙🦙🦙 lama 🦙🦙🦙", "x7".padEnd(256, "y1z2")])
      expect([good, await put(good)]).toEqual([good, 204]);
  });

  test("that is wrong, of nobody, or of somebody without one, gets one and the same answer", async () => {
    const answers = [];
    for (const name of ["ann", "nobody at all", "olga"]) {
      const { status, body, headers } = await byPassword(name, "wrong wrong wrong");
      answers.push({ status, body, names: [...headers.keys()].sort() });
    }
    expect(answers[0]).toMatchObject({ status: 401, body: { code: "password_wrong" } });
    expect(answers[1]).toEqual(answers[0] as never);
    expect(answers[2]).toEqual(answers[0] as never);
    const rows = await failures();
    expect(rows.slice(0, 3).map(({ target, after }) => [target.name, after.reason])).toEqual([
      ["olga", "no password"],
      ["unknown", "no password"],
      ["ann", "wrong password"],
    ]);
    expect(JSON.stringify(rows)).not.toContain("nobody at all");
  });

  test("takes as long for nobody as for somebody", async () => {
    await using other = await startGateway();
    await other.api("POST", "/users", { name: "eva" });
    await (await signedIn(other, "eva")).send("PUT", "/me/password", { password: PASSWORD });
    const least = { eva: Number.POSITIVE_INFINITY, nobody: Number.POSITIVE_INFINITY };
    const ratio = () => Math.max(least.eva, least.nobody) / Math.min(least.eva, least.nobody);
    // The least of several is what the work takes; all else is what the machine was busy with. A name has ten tries.
    for (let at = 0; at < 9 && (at < 4 || ratio() > 1.6); at++) {
      for (const name of ["eva", "nobody"] as const) {
        const begin = performance.now();
        const { status } = await new BrowserSession(other.url).send("POST", "/session/password", {
          name,
          password: "wrong wrong wrong",
        });
        expect(status).toBe(401);
        least[name] = Math.min(least[name], performance.now() - begin);
      }
    }
    expect(least.nobody).toBeGreaterThan(20);
    expect(ratio()).toBeLessThan(1.6);
  });

  test("cannot be guessed on: a name has ten tries, then the right one is not even looked at", async () => {
    await using other = await startGateway();
    await other.api("POST", "/users", { name: "eva" });
    const browser = await signedIn(other, "eva");
    await browser.send("PUT", "/me/password", { password: PASSWORD });
    const attempt = (name: string, password: string) =>
      new BrowserSession(other.url).send<{ code: string }>("POST", "/session/password", { name, password });
    const guesses = await Promise.all(
      Array.from({ length: 14 }, (_, at) => attempt("eva", `guess number ${at}`)),
    );
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(10);
    const blocked = guesses.filter(({ status }) => status === 429);
    expect(blocked).toHaveLength(4);
    expect(Number(blocked[0]?.headers.get("retry-after"))).toBeWithin(1, 40);
    expect(await attempt("EVA", PASSWORD)).toMatchObject({ status: 429, body: { code: "throttled" } });
    // Other ways in stay open.
    expect((await signedIn(other, "eva")).cookie).not.toBe("");
  });

  test("does not open for somebody who was revoked", async () => {
    await gateway.api("POST", "/users", { name: "gone" });
    await withPassword("gone");
    await gateway.api("PATCH", "/users/gone", { revoked: true });
    expect((await byPassword("gone", PASSWORD)).status).toBe(401);
    expect((await failures())[0]).toMatchObject({
      target: { name: "gone" },
      after: { reason: "user is not active" },
    });
  });
});

describe("a passkey", () => {
  const device = new Authenticator();
  const options = async (browser: BrowserSession, path: string) =>
    (await browser.send<never>("POST", path)).body;

  test("is made by its user, and signs them in without a name", async () => {
    const browser = await bySession("olga");
    const created = device.create(await options(browser, "/me/passkeys/options"), browser.origin);
    const added = await browser.send("POST", "/me/passkeys", { name: "key ring", response: created });
    expect(added).toMatchObject({ status: 201, body: { name: "key ring", id: created.id } });

    const other = fresh();
    const assertion = device.get(await options(other, "/session/passkey/options"), other.origin);
    const answer = other.entered(await other.send<{ csrf: string }>("POST", "/session/passkey", assertion));
    expect(answer).toMatchObject({
      status: 200,
      body: { user: { name: "olga" }, method: "passkey", passkeys: 1 },
    });
    const { body } = await other.send<{ items: { lastUsedAt: string | null }[] }>("GET", "/me/passkeys");
    expect(body.items[0]?.lastUsedAt).not.toBeNull();
  });

  test("signs nothing twice, nothing old, nothing for another page, and nothing without its user", async () => {
    const browser = fresh();
    const asked = () =>
      options(browser, "/session/passkey/options") as Promise<{ challenge: string; rpId: string }>;
    const status = async (assertion: unknown) =>
      (await browser.send("POST", "/session/passkey", assertion)).status;
    const once = device.get(await asked(), browser.origin);
    expect([await status(once), await status(once)]).toEqual([200, 401]);

    expect(await status(device.get(await asked(), "https://evil.example"))).toBe(401);
    expect(await status(device.get({ ...(await asked()), rpId: "evil.example" }, browser.origin))).toBe(401);
    expect(
      await status(
        device.get(
          { ...(await asked()), challenge: Buffer.alloc(38, 7).toString("base64url") },
          browser.origin,
        ),
      ),
    ).toBe(401);
    const challengeToRegister = (await options(await bySession("olga"), "/me/passkeys/options")) as {
      challenge: string;
    };
    expect(
      await status(
        device.get({ ...(await asked()), challenge: challengeToRegister.challenge }, browser.origin),
      ),
    ).toBe(401);

    const signed = device.get(await asked(), browser.origin);
    const broken = Buffer.from(signed.response.signature, "base64url");
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    const response = { ...signed.response, signature: broken.toString("base64url") };
    expect(await status({ ...signed, response })).toBe(401);
    const handle = { ...signed.response, userHandle: Buffer.from("usr_other").toString("base64url") };
    expect(await status({ ...signed, response: handle })).toBe(401);
    expect(await status({ ...signed, id: "unknown", rawId: "unknown" })).toBe(401);

    device.verifiesUser = false;
    expect(await status(device.get(await asked(), browser.origin))).toBe(401);
    device.verifiesUser = true;
    const [held] = device.held;
    if (held !== undefined) held.counter = 1;
    // A copy of the key counts from where it was copied.
    expect(await status(device.get(await asked(), browser.origin))).toBe(401);
    if (held !== undefined) held.counter = 1000;
    expect(await status(device.get(await asked(), browser.origin))).toBe(200);
  });

  test("is not made in somebody else's name", async () => {
    const [olga, ann] = [await bySession("olga"), await bySession("ann")];
    const forOlga = device.create(await options(olga, "/me/passkeys/options"), olga.origin);
    expect(await ann.send("POST", "/me/passkeys", { name: "x", response: forOlga })).toMatchObject({
      status: 422,
      body: { code: "passkey_invalid" },
    });
    device.held.pop();
  });

  test("is removed by its user alone, and opens nothing then", async () => {
    const [olga, ann] = [await bySession("olga"), await bySession("ann")];
    const id = device.held[0]?.id.toString("base64url");
    expect((await ann.send("DELETE", `/me/passkeys/${id}`)).status).toBe(404);
    expect((await olga.send("DELETE", `/me/passkeys/${id}`)).status).toBe(204);
    const assertion = device.get(await options(olga, "/session/passkey/options"), olga.origin);
    expect((await fresh().send("POST", "/session/passkey", assertion)).status).toBe(401);
  });
});

describe("a link that an administrator made", () => {
  const linkBy = async (maker: BrowserSession, name: string) =>
    (await maker.send<{ url: string }>("POST", `/users/${name}/sign-in-link`, {})).body.url;

  test("opens nothing above its maker, even if whom it is for has risen since", async () => {
    const link = await linkBy(await bySession("ann"), "max");
    await gateway.api("PATCH", "/users/max", { role: "owner" });
    expect((await fresh().open(link)).status).toBe(401);
    expect((await failures())[0]?.after.reason).toBe("who made the link may not any more");
    await gateway.api("PATCH", "/users/max", { role: "member" });
    expect((await fresh().open(link)).status).toBe(200);
  });

  test("opens nothing once its maker is no administrator any more, or is cut off", async () => {
    await gateway.api("POST", "/users", { name: "leaver", role: "admin" });
    const link = await linkBy(await bySession("leaver"), "max");
    for (const change of [{ role: "auditor" }, { revoked: true }]) {
      await gateway.api("PATCH", "/users/leaver", change);
      expect((await fresh().open(link)).status).toBe(401);
    }
    await gateway.api("PATCH", "/users/leaver", { role: "admin", revoked: false });
    expect((await fresh().open(link)).status).toBe(200);
  });
});

describe("a personal token", () => {
  const inAWeek = () => new Date(Date.now() + 7 * 86_400_000).toISOString();
  const asToken = async (secret: string, method: string, path: string, body?: unknown) => {
    const response = await fetch(`${gateway.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.status;
  };
  const make = async (browser: BrowserSession, scopes: string[]) =>
    browser.send<{ secret: string; token: { id: string } }>("POST", "/tokens", {
      name: "ci",
      scopes,
      expiresAt: inAWeek(),
    });

  test("does what it was made for, as far as its user still may, and nothing else", async () => {
    const ann = await bySession("ann");
    const { status, body } = await make(ann, ["users.read", "users.write"]);
    expect([status, body.secret]).toEqual([201, expect.stringMatching(/^lmk_pat_\w{10}_\w{32}_\w{6}$/)]);
    expect(await asToken(body.secret, "GET", "/users")).toBe(200);
    expect(await asToken(body.secret, "GET", "/keys")).toBe(403);
    expect(await asToken(body.secret, "POST", "/users", { name: "made by ci" })).toBe(201);
    const { items } = await gateway.api<{ items: { actor: unknown; address: string }[] }>(
      "GET",
      "/audit?action=user.add&limit=1",
    );
    expect(items[0]).toMatchObject({
      actor: { kind: "token", id: body.token.id, name: "ann/ci" },
      address: "127.0.0.1",
    });
    await gateway.api("PATCH", "/users/ann", { role: "auditor" });
    expect(await asToken(body.secret, "POST", "/users", { name: "no more" })).toBe(403);
    expect(await asToken(body.secret, "GET", "/users")).toBe(200);
    await gateway.api("PATCH", "/users/ann", { role: "admin" });
    expect((await ann.send("DELETE", `/tokens/${body.token.id}`)).status).toBe(204);
    expect(await asToken(body.secret, "GET", "/users")).toBe(401);
  });

  test("has no permission that its maker lacks, and makes nothing that outlives it", async () => {
    const max = await bySession("max");
    expect((await make(max, ["users.read"])).status).toBe(422);
    const { body } = await make(max, ["self.read", "self.write", "self.sign_in"]);
    expect(
      await asToken(body.secret, "POST", "/tokens", {
        name: "x",
        scopes: ["self.read"],
        expiresAt: inAWeek(),
      }),
    ).toBe(403);
    expect(await asToken(body.secret, "PUT", "/me/password", { password: PASSWORD })).toBe(403);
    expect(await asToken(body.secret, "GET", "/sessions")).toBe(403);
    await gateway.api("PATCH", "/users/max", { revoked: true });
    expect(await asToken(body.secret, "GET", "/session")).toBe(401);
    await gateway.api("PATCH", "/users/max", { revoked: false });
  });

  test("lets nobody in who may do more than it was made for, its own maker neither", async () => {
    const olga = await bySession("olga");
    const { body } = await make(olga, ["users.write", "sign_in_links.write"]);
    for (const name of ["olga", "ann"]) {
      expect([name, await asToken(body.secret, "POST", `/users/${name}/sign-in-link`, {})]).toEqual([
        name,
        403,
      ]);
      expect([name, await asToken(body.secret, "PATCH", `/users/${name}`, { revoked: false })]).toEqual([
        name,
        403,
      ]);
    }
    expect(await asToken(body.secret, "POST", "/users/max/sign-in-link", {})).toBe(201);
  });

  test("is no master key, nor is a master key a token", async () => {
    const { body } = await make(await bySession("max"), ["self.read"]);
    const call = await fetch(`${gateway.url}/openai/v1/models`, {
      headers: { authorization: `Bearer ${body.secret}` },
    });
    expect(call.status).toBe(401);
    expect(await call.text()).toContain("personal token");
    expect(await asToken(gateway.key, "GET", "/users")).toBe(401);
    const damaged = `${body.secret.slice(0, -1)}${body.secret.endsWith("a") ? "b" : "a"}`;
    expect(await asToken(damaged, "GET", "/session")).toBe(401);
  });
});

describe("a request that the console's own page has not made", () => {
  const attacks: Record<string, Record<string, string>> = {
    "from another site": { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    "from another site, by a browser that says less": {
      origin: "https://evil.example",
      "sec-fetch-site": "",
    },
    "from another port of this machine": { origin: "http://localhost:1", "sec-fetch-site": "same-site" },
    "from a sandboxed page": { origin: "null", "sec-fetch-site": "cross-site" },
    "without an origin": { origin: "" },
    "without the session's token": { "x-lmk-csrf": "" },
    "with another session's token": { "x-lmk-csrf": "A".repeat(43) },
    "through a proxy that it claims": { "x-forwarded-for": "127.0.0.1" },
  };
  for (const [what, headers] of Object.entries(attacks)) {
    test(`${what} changes nothing`, async () => {
      const browser = await bySession("olga");
      const before = await gateway.api("GET", "/groups");
      const { status } = await browser.send("POST", "/groups", { name: `by csrf ${what}` }, headers);
      expect([401, 403]).toContain(status);
      expect(await gateway.api("GET", "/groups")).toEqual(before);
    });
  }

  test("signs nobody in, either", async () => {
    for (const headers of [
      { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      { origin: "" },
      { "sec-fetch-site": "cross-site" },
    ] as Record<string, string>[]) {
      const body = { name: "ann", password: PASSWORD };
      const { status, headers: got } = await fresh().send("POST", "/session/password", body, headers);
      expect([status, got.getSetCookie()]).toEqual([403, []]);
    }
  });

  test("reads nothing where the browser says that another page asks", async () => {
    const browser = await bySession("olga");
    for (const site of ["cross-site", "same-site"])
      expect((await browser.send("GET", "/users", undefined, { "sec-fetch-site": site })).status).toBe(401);
    expect((await browser.send("GET", "/users", undefined, { "sec-fetch-site": "none" })).status).toBe(200);
  });

  test("under a name that somebody has pointed here gets no session", async () => {
    const browser = await bySession("olga");
    const rebound = { host: "evil.example", origin: "http://evil.example" };
    expect((await browser.send("GET", "/users", undefined, rebound)).status).toBe(401);
    const { status, body } = await fresh().send(
      "POST",
      "/session/password",
      { name: "ann", password: PASSWORD },
      rebound,
    );
    expect([status, (body as { code: string }).code]).toEqual([403, "insecure"]);
  });
});

test("whoever sends a change slowly keeps nobody else's waiting", async () => {
  const browser = await bySession("max");
  const slow = connect(gateway.port, "127.0.0.1");
  const answered = once(slow, "data");
  const head = [
    "PUT /api/v1/me/password HTTP/1.1",
    `Host: ${new URL(browser.origin).host}`,
    `Origin: ${browser.origin}`,
    `Cookie: ${browser.cookie}`,
    `X-Lmk-Csrf: ${browser.csrf}`,
    "Content-Type: application/json",
  ];
  slow.write(`${head.join("\r\n")}\r\nContent-Length: 17\r\nExpect: 100-continue\r\n\r\n`);
  // Asked for its body: it is under way.
  expect(String(await answered)).toStartWith("HTTP/1.1 100 ");
  slow.write('{"password":');
  await gateway.api("PATCH", "/users/max", { revoked: true });
  await gateway.api("PATCH", "/users/max", { revoked: false });
  const end = once(slow, "data");
  slow.write("null}");
  expect(String(await end)).toStartWith("HTTP/1.1 204 ");
  slow.destroy();
});

test("a change that waits for somebody's server keeps nobody from being cut off", async () => {
  const asked = Promise.withResolvers<void>();
  const silent = createServer(() => asked.resolve());
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const issuer = `http://localhost:${(silent.address() as AddressInfo).port}`;
  const oidc = { issuer, clientId: "x", clientSecret: null, name: "Silent" };
  const waiting = gateway.api("PUT", "/settings/sign-in", { oidc }).then(() => "taken", String);
  await asked.promise;
  await gateway.api("PATCH", "/users/max", { revoked: true });
  await gateway.api("PATCH", "/users/max", { revoked: false });
  silent.closeAllConnections();
  silent.close();
  expect(await waiting).toContain("422");
});

describe("over plain HTTP from elsewhere", () => {
  test("nobody signs in, and the console can say why", async () => {
    await using open = await startedAs("http://10.9.8.7:8000");
    const remote = new BrowserSession(open.url, "http://10.9.8.7:8000");
    const { body } = await remote.send<{ secure: boolean; reason: string; methods: object }>(
      "GET",
      "/sign-in",
    );
    expect(body).toMatchObject({ secure: false, methods: { password: false, passkey: false, oidc: null } });
    expect(body.reason).toContain("https");
    const { url } = await open
      .api<{ url: string }>("POST", "/users", { name: "eva" })
      .then(() => open.api<{ url: string }>("POST", "/users/eva/sign-in-link", {}));
    expect(await remote.open(url)).toMatchObject({ status: 403, body: { code: "insecure" } });
    // The link is still good where it may be used.
    expect((await new BrowserSession(open.url).open(url)).status).toBe(200);
  });

  test("with https in front they do, by a cookie that nothing else can set", async () => {
    const publicUrl = "https://llm.example.com";
    await using open = await startedAs(publicUrl);
    const browser = new BrowserSession(open.url, publicUrl);
    await open.api("POST", "/users", { name: "eva" });
    const { url } = await open.api<{ url: string }>("POST", "/users/eva/sign-in-link", {});
    expect(url).toStartWith(`${publicUrl}/console/#link=`);
    const { status, headers } = await browser.open(url);
    expect(status).toBe(200);
    const [cookie = ""] = headers.getSetCookie();
    expect(cookie).toStartWith("__Host-lmk_session=");
    for (const attribute of ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"])
      expect(cookie).toContain(attribute);
    // As behind a proxy, with and without the name that the browser used.
    const forwarded = { "x-forwarded-for": "203.0.113.9" };
    expect((await browser.send("GET", "/session", undefined, forwarded)).status).toBe(200);
    expect((await browser.send("GET", "/session", undefined, { host: "127.0.0.1:8000" })).status).toBe(200);
    expect((await browser.send("DELETE", "/session", undefined, forwarded)).status).toBe(204);
  });
});

/** A gateway that is known by this address, which leads nowhere here. */
async function startedAs(publicUrl: string): Promise<Gateway> {
  const free = Bun.serve({ port: 0, fetch: () => new Response() });
  const listen = `127.0.0.1:${free.port}`;
  await free.stop(true);
  const started = await startGateway({ env: { LMK_PUBLIC_URL: publicUrl, LMK_LISTEN: listen } });
  started.url = `http://${listen}`;
  return started;
}
