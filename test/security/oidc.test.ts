/** Signing in with a real identity provider, and what must not get in that way. */
import { beforeAll, describe, expect, test } from "bun:test";
import { BrowserSession, signedIn } from "../support/browser-session.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type IdentityProvider,
  signInThere,
  startIdentityProvider,
} from "../support/identity-provider.ts";
import { runLmk } from "../support/lmk.ts";

let gateway: Gateway;
let provider: IdentityProvider;
beforeAll(async () => {
  gateway = await startGateway();
  provider = await startIdentityProvider(
    {
      "sub-ada": { preferred_username: "ada", groups: ["staff", "llm-admins"] },
      "sub-ben": { preferred_username: "ben", groups: ["staff"] },
      "sub-eve": { preferred_username: "eve", email: "ada@example.com", email_verified: false, groups: [] },
      "sub-ada2": { preferred_username: "ada", groups: ["staff"] },
      "sub-late": { preferred_username: "late", groups: ["staff"] },
    },
    [gateway.url.replace("127.0.0.1", "localhost")],
  );
  await gateway.api("POST", "/groups", { name: "research" });
  await configure({});
});

interface Oidc {
  rules?: object[];
  createUsers?: boolean;
  onlyMatching?: boolean;
}

const rules = [
  { claim: "groups", value: "llm-admins", role: "admin" },
  { claim: "groups", value: "staff", role: "member", group: "research" },
  { claim: "email", value: "*@example.com", role: "owner" },
];

function configure(oidc: Oidc, ssoOnly = false) {
  return gateway.api("PUT", "/settings/sign-in", {
    oidc: {
      issuer: provider.issuer,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      name: "Example Inc.",
      rules,
      createUsers: true,
      ...oidc,
    },
    ssoOnly,
  });
}

const fresh = () => new BrowserSession(gateway.url);

/** Where the provider would be asked to sign somebody in. */
async function started(browser: BrowserSession, what = "sign-in"): Promise<string> {
  const { status, headers } = await browser.send("GET", `/session/oidc/start?for=${what}`);
  expect(status).toBe(302);
  return headers.get("location") ?? "";
}

/** The browser follows the provider's link back: from another site, so that no strict cookie comes along. */
async function returned(browser: BrowserSession, link: string): Promise<string> {
  const strict = browser.cookie.split("; ").filter((pair) => !pair.startsWith("lmk_session"));
  const session = browser.cookie;
  browser.cookie = strict.join("; ");
  const { status, headers } = await browser.send(
    "GET",
    link.slice(link.indexOf("/session/oidc")),
    undefined,
    { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
  );
  if (session.includes("lmk_session") && !browser.cookie.includes("lmk_session")) browser.cookie = session;
  expect(status).toBe(303);
  return headers.get("location") ?? "";
}

async function signIn(account: string, browser = fresh()): Promise<{ browser: BrowserSession; to: string }> {
  const to = await returned(browser, await signInThere(await started(browser), account));
  return { browser, to };
}

interface Me {
  user: { id: string; name: string; role: string; group: { name: string } };
  method: string;
  csrf: string;
  steppedUpAt: string;
}

async function me(browser: BrowserSession): Promise<Me> {
  return browser.entered(await browser.send<Me>("GET", "/session")).body;
}

describe("somebody whom the provider knows", () => {
  test("becomes a user at the first sign-in, with role and group by the first rules that fit", async () => {
    const { browser, to } = await signIn("sub-ada");
    expect(to).toBe("/console/");
    expect(await me(browser)).toMatchObject({
      user: { name: "ada", role: "admin", group: { name: "research" } },
      method: "oidc",
    });
    const again = await me((await signIn("sub-ada")).browser);
    expect(again.user.id).toBe((await me(browser)).user.id);
  });

  test("has the role that the provider's claims give at each sign-in", async () => {
    const { browser } = await signIn("sub-ada");
    provider.accounts["sub-ada"] = { preferred_username: "ada", groups: ["staff"] };
    expect((await me((await signIn("sub-ada")).browser)).user.role).toBe("member");
    expect((await me(browser)).user.role).toBe("member");
  });

  test("is told by issuer and subject, never by name or e-mail", async () => {
    const eve = await me((await signIn("sub-eve")).browser);
    expect(eve.user).toMatchObject({ name: "eve", role: "member", group: { name: "default" } });
    const other = await me((await signIn("sub-ada2")).browser);
    expect(other.user.name).toBe("ada-2");
    const { items } = await gateway.api<{ items: { name: string }[] }>("GET", "/users");
    expect(items.filter(({ name }) => /^ada/.test(name)).map(({ name }) => name)).toEqual(["ada", "ada-2"]);
  });

  test("stays out where nobody is made, where no rule fits, and when revoked", async () => {
    await configure({ createUsers: false });
    provider.accounts["sub-new"] = { preferred_username: "new", groups: ["staff"] };
    const refused = await signIn("sub-new");
    expect(refused.to).toBe("/console/#sign-in-error=unknown");
    expect((await refused.browser.send("GET", "/session")).status).toBe(401);
    expect((await signIn("sub-ada")).to).toBe("/console/");
    await configure({ onlyMatching: true });
    expect((await signIn("sub-eve")).to).toBe("/console/#sign-in-error=unknown");
    await configure({});
    await gateway.api("PATCH", "/users/eve", { revoked: true });
    expect((await signIn("sub-eve")).to).toBe("/console/#sign-in-error=inactive");
    await gateway.api("PATCH", "/users/eve", { revoked: false });
  });

  test("connects this identity to the user that they are already, who keeps their role", async () => {
    await gateway.api("POST", "/users", { name: "olga", role: "auditor" });
    const olga = await signedIn(gateway, "olga");
    provider.accounts["sub-olga"] = { preferred_username: "o", groups: ["llm-admins"] };
    expect(await returned(olga, await signInThere(await started(olga, "connect"), "sub-olga"))).toBe(
      "/console/",
    );
    expect((await me((await signIn("sub-olga")).browser)).user).toMatchObject({
      name: "olga",
      role: "auditor",
    });
    // What is somebody else's cannot be taken over.
    expect(await returned(olga, await signInThere(await started(olga, "connect"), "sub-ada"))).toBe(
      "/console/#sign-in-error=taken",
    );
  });

  test("connects nothing to a user who was cut off meanwhile", async () => {
    const olga = await signedIn(gateway, "olga");
    const back = await signInThere(await started(olga, "connect"), "sub-late");
    await gateway.api("PATCH", "/users/olga", { revoked: true });
    expect(await returned(olga, back)).toBe("/console/#sign-in-error=expired");
    await gateway.api("PATCH", "/users/olga", { revoked: false });
    expect((await me((await signIn("sub-late")).browser)).user.name).toBe("late");
  });

  test("confirms who they are there, and nobody else does it for them", async () => {
    const { browser } = await signIn("sub-olga");
    const before = await me(browser);
    await Bun.sleep(5);
    expect(await returned(browser, await signInThere(await started(browser, "step-up"), "sub-ada"))).toBe(
      "/console/#sign-in-error=failed",
    );
    expect((await me(browser)).steppedUpAt).toBe(before.steppedUpAt);
    expect(await returned(browser, await signInThere(await started(browser, "step-up"), "sub-olga"))).toBe(
      "/console/",
    );
    expect((await me(browser)).steppedUpAt > before.steppedUpAt).toBe(true);
  });
});

describe("a return from the provider", () => {
  const change = (link: string, name: string, value: string) => {
    const url = new URL(link);
    if (value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
    return url.href;
  };

  test("opens nothing for a browser that did not set out: nobody is signed in as somebody else", async () => {
    const link = await signInThere(await started(fresh()), "sub-ben");
    const victim = fresh();
    expect(await returned(victim, link)).toBe("/console/#sign-in-error=failed");
    await started(victim);
    expect(await returned(victim, link)).toBe("/console/#sign-in-error=failed");
    expect(victim.cookie).not.toContain("lmk_session");
  });

  test("opens nothing twice", async () => {
    const browser = fresh();
    const link = await signInThere(await started(browser), "sub-ben");
    const { cookie } = browser;
    expect(await returned(browser, link)).toBe("/console/");
    const copy = fresh();
    copy.cookie = cookie;
    expect(await returned(copy, link)).toBe("/console/#sign-in-error=failed");
  });

  test("opens nothing that was changed, refused, or answered by another provider", async () => {
    for (const [name, value] of [
      ["state", "changed"],
      ["state", ""],
      ["code", "changed"],
      ["code", ""],
      ["iss", "https://evil.example"],
      ["error", "access_denied"],
    ] as const) {
      const browser = fresh();
      const link = await signInThere(await started(browser), "sub-ben");
      expect([name, value, await returned(browser, change(link, name, value))]).toEqual([
        name,
        value,
        "/console/#sign-in-error=failed",
      ]);
      expect(browser.cookie).not.toContain("lmk_session");
    }
    const { items } = await gateway.api<{ items: { after: { method: string } }[] }>(
      "GET",
      "/audit?action=sign_in.fail&limit=6",
    );
    expect(items.map(({ after }) => after.method)).toEqual(Array(6).fill("oidc"));
  });

  test("opens nothing with a cookie that was not made here", async () => {
    const browser = fresh();
    const link = await signInThere(await started(browser), "sub-ben");
    const [name, value = ""] = browser.cookie.split("=");
    const bytes = Buffer.from(value, "base64url");
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    browser.cookie = `${name}=${bytes.toString("base64url")}`;
    expect(await returned(browser, link)).toBe("/console/#sign-in-error=failed");
  });
});

describe("the settings", () => {
  test("show no secret, and its secret is bound to the issuer", async () => {
    const shown = JSON.stringify(await gateway.api("GET", "/settings/sign-in"));
    expect(shown).toContain('"hasSecret":true');
    expect(shown).not.toContain(CLIENT_SECRET);
    const oidc = { issuer: "https://other.example", clientId: CLIENT_ID, name: "x" };
    const change = gateway.api("PUT", "/settings/sign-in", { oidc });
    expect(await change.then(() => "taken", String)).toContain("422");
    const database = await gateway.databaseText();
    expect(database).not.toContain(CLIENT_SECRET);
  });

  test("with single sign-on alone, no other way begins a session, but for the operator's link", async () => {
    await gateway.api("POST", "/users", { name: "sol", role: "owner" });
    const owner = await signedIn(gateway, "sol");
    await owner.send("PUT", "/me/password", { password: "four fake words here" });
    const byOwner = await owner.send<{ url: string }>("POST", "/users/ben/sign-in-link", {});
    await configure({}, true);
    expect((await fresh().send("GET", "/sign-in")).body).toMatchObject({
      methods: { password: false, passkey: false, oidc: { name: "Example Inc." } },
    });
    expect((await fresh().open(byOwner.body.url)).status).toBe(401);
    const password = { name: "sol", password: "four fake words here" };
    expect((await fresh().send("POST", "/session/password", password)).status).toBe(403);
    const passkey = {
      id: "x",
      rawId: "x",
      type: "public-key",
      response: { clientDataJSON: "", authenticatorData: "", signature: "" },
    };
    expect((await fresh().send("POST", "/session/passkey", passkey)).status).toBe(403);
    for (const [method, path, body] of [
      ["POST", "/users/ben/sign-in-link", {}],
      ["PUT", "/me/password", { password: "five other fake words here" }],
      ["POST", "/me/passkeys/options", undefined],
      ["POST", "/session/step-up", { password: password.password }],
    ] as const) {
      const { status, body: said } = await owner.send<{ code: string }>(method, path, body);
      expect([path, [403, 409].includes(status), said.code]).toEqual([path, true, "sso_only"]);
    }
    expect((await signIn("sub-ben")).to).toBe("/console/");
    const { out } = await runLmk(gateway, ["admin", "link", "sol"]);
    expect((await fresh().open(out.trim())).status).toBe(200);
    await configure({});
  });

  test("come from the environment, which then alone decides", async () => {
    const env = {
      LMK_OIDC_ISSUER: provider.issuer,
      LMK_OIDC_CLIENT_ID: CLIENT_ID,
      LMK_OIDC_CLIENT_SECRET: CLIENT_SECRET,
      LMK_OIDC_NAME: "From outside",
      LMK_OIDC_RULES: "groups=llm-admins role=admin; groups=staff group=research",
      LMK_OIDC_CREATE_USERS: "true",
    };
    await gateway.restart(env);
    expect(await gateway.api("GET", "/settings/sign-in")).toMatchObject({
      fixed: true,
      oidc: { name: "From outside", createUsers: true, rules: [{ role: "admin" }, { group: "research" }] },
    });
    expect((await signIn("sub-ben")).to).toBe("/console/");
    expect(await configure({}).then(() => "taken", String)).toContain("409");
  });
});
