/** How people come into the console: the first link, sessions, and what makes them end. */
import { beforeAll, describe, expect, test } from "bun:test";
import { BrowserSession, printedLink, signedIn } from "../support/browser-session.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";

let gateway: Gateway;
let printed: string;
beforeAll(async () => {
  gateway = await startGateway();
  printed = printedLink(gateway);
});

interface Me {
  user: { id: string; name: string; role: string; group: { name: string } };
  permissions: string[];
  csrf: string;
  hasPassword: boolean;
  passkeys: number;
}

describe("the first start", () => {
  test("prints a link that signs the first user in as owner, once", async () => {
    expect(printed).toStartWith(`http://localhost:${gateway.port}/console/#link=`);
    const browser = new BrowserSession(gateway.url);
    expect((await browser.open(printed)).status).toBe(200);
    const { status, body } = await browser.send<Me>("GET", "/session");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      user: { role: "owner", group: { name: "default" } },
      hasPassword: false,
      passkeys: 0,
    });
    expect(body.permissions).toContain("users.role");

    const second = await new BrowserSession(gateway.url).open(printed);
    expect(second).toMatchObject({ status: 401, body: { code: "link_invalid" } });
    expect(second.headers.getSetCookie()).toEqual([]);
  });

  test("stores nothing that the link could be told from", async () => {
    expect(await gateway.databaseText()).not.toContain(printed.split("#link=")[1] ?? "");
  });

  test("is the only one to print one; lmk admin link makes another at any time", async () => {
    await gateway.restart();
    expect(gateway.stdout()).not.toContain("#link=");
    expect(gateway.stdout()).toContain(`Console: http://localhost:${gateway.port}/console/`);
    const { code, out, err } = await runLmk(gateway, ["admin", "link"]);
    expect([code, err]).toEqual([0, expect.stringContaining("signs")]);
    const browser = new BrowserSession(gateway.url);
    expect((await browser.open(out.trim())).status).toBe(200);
    expect((await browser.send<Me>("GET", "/session")).body.user.role).toBe("owner");
  });
});

describe("a session", () => {
  test("has a cookie that no script reads and no other site sends", async () => {
    const owner = await ownerName();
    const { url } = await gateway.api<{ url: string }>("POST", `/users/${owner}/sign-in-link`, {});
    const { headers } = await new BrowserSession(gateway.url).open(url);
    const [cookie] = headers.getSetCookie();
    expect(cookie).toMatch(/^lmk_session_\d+=\w{43};/);
    for (const attribute of ["HttpOnly", "SameSite=Strict", "Path=/"]) expect(cookie).toContain(attribute);
    expect(cookie).not.toContain("Domain");
  });

  test("ends when its user signs out, and its cookie opens nothing any more", async () => {
    await gateway.api("POST", "/users", { name: "ada", role: "admin" });
    const browser = await signedIn(gateway, "ada");
    const { cookie } = browser;
    expect((await browser.send("DELETE", "/session")).status).toBe(204);
    expect(browser.cookie).toBe("");
    browser.cookie = cookie;
    expect((await browser.send("GET", "/session")).status).toBe(401);
  });

  test("ends with its user, and with its user's group", async () => {
    await gateway.api("POST", "/groups", { name: "lab" });
    await gateway.api("POST", "/users", { name: "ben", group: "lab" });
    const browser = await signedIn(gateway, "ben");
    expect((await browser.send("GET", "/session")).status).toBe(200);
    for (const path of ["/users/ben", "/groups/lab"]) {
      await gateway.api("PATCH", path, { revoked: true });
      expect((await browser.send("GET", "/session")).status).toBe(401);
      await gateway.api("PATCH", path, { revoked: false });
      expect((await browser.send("GET", "/session")).status).toBe(200);
    }
  });

  test("has what its user's role allows at each call, not at the beginning", async () => {
    await gateway.api("POST", "/users", { name: "cem", role: "admin" });
    const browser = await signedIn(gateway, "cem");
    expect((await browser.send("GET", "/users")).status).toBe(200);
    await gateway.api("PATCH", "/users/cem", { role: "member" });
    expect((await browser.send("GET", "/users")).status).toBe(403);
  });

  test("is listed to its user, and ended from there", async () => {
    const [one, other] = [await signedIn(gateway, "ada"), await signedIn(gateway, "ada")];
    interface Listed {
      items: { id: string; current: boolean; agent: string; user: { name: string } }[];
    }
    const { items } = (await one.send<Listed>("GET", "/sessions")).body;
    expect(items.map(({ agent, user }) => [agent, user.name])).toEqual([
      ["TestBrowser/1.0", "ada"],
      ["TestBrowser/1.0", "ada"],
    ]);
    const theOther = items.find(({ current }) => !current)?.id ?? "";
    expect((await one.send("DELETE", `/sessions/${theOther}`)).status).toBe(204);
    expect((await other.send("GET", "/session")).status).toBe(401);
    expect((await one.send("GET", "/sessions?all=true")).status).toBe(403);
  });
});

describe("roles", () => {
  test("only owners give them, and nobody takes the last owner's away", async () => {
    const owner = await signedIn(gateway, await ownerName());
    const admin = await (async () => {
      await gateway.api("POST", "/users", { name: "eve", role: "admin" });
      return signedIn(gateway, "eve");
    })();
    const refused = { status: 403, body: { code: "permission_missing" } };
    expect(await admin.send("PATCH", "/users/ben", { role: "admin" })).toMatchObject(refused);
    expect(await admin.send("POST", "/users", { name: "mallory", role: "owner" })).toMatchObject(refused);
    const above = { status: 403, body: { code: "outranked" } };
    const name = await ownerName();
    expect(await admin.send("PATCH", `/users/${name}`, { revoked: true })).toMatchObject(above);
    expect(await admin.send("POST", `/users/${name}/sign-in-link`, {})).toMatchObject(above);

    // Nor by way of the group that they are in.
    for (const change of [{ revoked: true }, { expiresAt: "2099-01-01T00:00:00Z" }])
      expect(await admin.send("PATCH", "/groups/default", change)).toMatchObject(above);

    for (const change of [{ role: "admin" }, { revoked: true }, { expiresAt: "2099-01-01T00:00:00Z" }]) {
      expect((await owner.send("PATCH", `/users/${name}`, change)).status).toBe(409);
    }
    expect((await owner.send("PATCH", "/groups/default", { revoked: true })).status).toBe(409);
    expect((await owner.send("PATCH", "/users/eve", { role: "owner" })).status).toBe(200);
    expect((await owner.send("PATCH", `/users/${name}`, { role: "member" })).status).toBe(200);
    await gateway.api("PATCH", `/users/${name}`, { role: "owner" });
  });
});

/** Whoever has been owner for longest. */
async function ownerName(): Promise<string> {
  const { items } = await gateway.api<{ items: { name: string; role: string; createdAt: string }[] }>(
    "GET",
    "/users",
  );
  const owners = items.filter(({ role }) => role === "owner");
  return owners.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))[0]?.name ?? "";
}
