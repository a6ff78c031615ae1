/** Two ways in as people take them: the company's identity provider, and a passkey of the browser's own. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { axeViolations, type Browser, noBrowser, startBrowser } from "../support/browser.ts";
import { consoleUrl, openConsole, visit } from "../support/console.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { CLIENT_ID, CLIENT_SECRET, startIdentityProvider } from "../support/identity-provider.ts";

let browser: Browser;
let gateway: Gateway;
beforeAll(async () => {
  if (noBrowser !== undefined) return;
  [browser, gateway] = await Promise.all([startBrowser(), startGateway()]);
}, 60_000);
afterAll(() => gateway?.end());

const OWNER = { name: "olga", role: "owner" } as const;
const WIDE = { width: 1360 };

/** A whole sign-in at the provider's own pages, from the console's button and back. */
async function signInAtProvider(account: string): Promise<Page> {
  const { page } = await browser.open(consoleUrl(gateway), WIDE);
  page.setDefaultTimeout(15_000);
  await page.getByRole("link", { name: "Example Inc." }).click();
  await page.locator('input[name="login"]').fill(account);
  await page.locator('input[name="password"]').fill("any");
  await page.getByRole("button", { name: /sign-in/i }).click();
  await page.getByRole("button", { name: /continue/i }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor({ state: "attached" });
  return page;
}

describe.skipIf(noBrowser !== undefined)("signing in", () => {
  test("with the company's identity provider: set up on the settings page, with rules in their order", async () => {
    const accounts = {
      "sub-ada": { preferred_username: "ada", groups: ["staff", "llm-admins"] },
      "sub-ben": { preferred_username: "ben", groups: ["staff"] },
    };
    const { issuer } = await startIdentityProvider(accounts, [`http://localhost:${gateway.port}`]);
    await gateway.api("POST", "/groups", { name: "research" });
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await visit(page, gateway, "/settings");
    await page.getByLabel("Issuer").fill(issuer);
    await page.getByLabel("Client id").fill(CLIENT_ID);
    await page.getByLabel("Client secret").fill(CLIENT_SECRET);
    await page.getByLabel("What the button says").fill("Example Inc.");
    for (const [at, { value, role, group }] of [
      { value: "llm-admins", role: "admin", group: "" },
      { value: "staff", role: "member", group: "research" },
    ].entries()) {
      await page.getByRole("button", { name: "Add a rule" }).click();
      await page.getByLabel(`Value of rule ${at + 1}`).fill(value);
      await page.getByRole("combobox", { name: `Role of rule ${at + 1}` }).click();
      await page.getByRole("option", { name: role, exact: true }).click();
      await page.getByLabel(`Group of rule ${at + 1}`).fill(group);
    }
    expect(await axeViolations(page)).toEqual([]);
    await browser.screenshot(page, "settings-single-sign-on");
    const form = page.locator("form").filter({ hasText: "Single sign-on" });
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("People can sign in with it now").waitFor();
    expect(await page.content()).not.toContain(CLIENT_SECRET);

    // Both rules fit: the first gives the role, the second, the first to name one, the group.
    const ada = await signInAtProvider("sub-ada");
    expect(new URL(ada.url()).pathname).toBe("/console/");
    expect(ada.url()).not.toContain("code=");
    await ada.getByRole("button", { name: /ada admin/ }).waitFor();
    await ada.getByRole("link", { name: "Users & groups" }).click();
    await ada.getByRole("row", { name: /ada/ }).getByText("research").waitFor();
    await ada.context().close();

    const ben = await signInAtProvider("sub-ben");
    await ben.getByRole("heading", { name: "My LlaMaKey" }).waitFor();
    await ben.getByRole("button", { name: /ben member/ }).waitFor();
    await ben.context().close();
    expect(await gateway.api("GET", "/users/ben")).toMatchObject({
      role: "member",
      group: { name: "research" },
    });
    // On the page of whoever is known by something else, the provider can be connected.
    await visit(page, gateway, "/me/sign-in");
    await page.getByRole("link", { name: "Connect: Example Inc." }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    // A change shows on the other pages at once, also where they were looked at a moment ago.
    await visit(page, gateway, "/settings");
    await page.getByLabel("What the button says").fill("Example Ltd.");
    // What said so the first time may still stand there.
    const saved = page.waitForResponse((response) => response.request().method() === "PUT");
    await form.getByRole("button", { name: "Save" }).click();
    expect((await saved).status()).toBe(200);
    await visit(page, gateway, "/me/sign-in");
    await page.getByRole("link", { name: "Connect: Example Ltd." }).waitFor();
    await context.close();
  }, 90_000);

  test("with a passkey: added, used to come in, and used once more where access is given away", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    const session = await context.newCDPSession(page);
    await session.send("WebAuthn.enable");
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await visit(page, gateway, "/me/sign-in");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    const adding = page.getByRole("dialog", { name: "Add a passkey" });
    await adding.getByLabel("Name").fill("key ring");
    await adding.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("row", { name: /key ring/ }).waitFor();
    const { credentials } = await session.send("WebAuthn.getCredentials", { authenticatorId });
    expect(credentials).toHaveLength(1);
    expect(credentials[0]?.rpId).toBe("localhost");

    await page.getByRole("button", { name: /olga owner/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByRole("button", { name: /olga owner/ }).waitFor();
    expect(await gateway.api("GET", "/audit?action=session.start&limit=1")).toMatchObject({
      items: [{ after: { method: "passkey" } }],
    });

    // A quarter of an hour later.
    const database = new Database(join(gateway.dataDir, "llamakey.db"));
    database.run("UPDATE sessions SET stepped_up_at = ?", [Date.now() - 16 * 60_000]);
    database.close();
    await visit(page, gateway, "/me/sign-in");
    await page.getByRole("button", { name: "New token" }).click();
    const making = page.getByRole("dialog", { name: "New token" });
    await making.getByLabel("Name").fill("nightly report");
    await making.getByRole("combobox", { name: "It may" }).fill("usage.read");
    await page.getByRole("option", { name: "usage.read", exact: true }).click();
    await page.keyboard.press("Tab");
    await making.getByRole("button", { name: "Make the token" }).click();
    const isIt = page.getByRole("dialog", { name: "Is it you?" });
    await isIt.waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await isIt.getByRole("button", { name: "Use a passkey" }).click();
    await making.getByText("Copy it now").waitFor();
    const token = (await making.locator("pre").textContent()) ?? "";
    const usage = await fetch(`${gateway.url}/api/v1/usage`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(usage.status).toBe(200);
    await context.close();
  }, 90_000);
});
