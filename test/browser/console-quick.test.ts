/** Whoever is quicker than the gateway, or comes back within a moment, sees what is and loses nothing. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Page, Route } from "playwright-core";
import { type Browser, noBrowser, startBrowser } from "../support/browser.ts";
import { signedIn } from "../support/browser-session.ts";
import { openConsole, visit } from "../support/console.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";

let browser: Browser;
let gateway: Gateway;
beforeAll(async () => {
  if (noBrowser !== undefined) return;
  [browser, gateway] = await Promise.all([
    startBrowser(),
    startGateway({ env: { LMK_OPENAI_UPSTREAM: "http://127.0.0.1:9/v1" } }),
  ]);
}, 60_000);
afterAll(() => gateway?.end());

const OWNER = { name: "olga", role: "owner" } as const;
const WIDE = { width: 1360 };

/** Holds up what the page asks of the admin API, until it is let go. */
async function hold(page: Page, method: string, path: RegExp, isAnswer = false) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const came = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const handler = async (route: Route) => {
    if (route.request().method() !== method) return route.fallback();
    // The gateway answers at once, and the answer is long on its way: it says what was before.
    const response = isAnswer ? await route.fetch() : undefined;
    came.resolve();
    await promise;
    await (response === undefined ? route.continue() : route.fulfill({ response }));
    gone.resolve();
  };
  await page.route(path, handler);
  return {
    came: came.promise,
    letGo: async () => {
      resolve();
      // Whatever is still held when nothing is routed any more goes to the gateway, and is answered anew.
      await gone.promise;
      await page.unroute(path, handler);
    },
  };
}

async function revokeOwn(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: `More for the key ${name} of olga` }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
}

describe.skipIf(noBrowser !== undefined)("a quick user", () => {
  test("sees a change that comes in after the next page was opened", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await gateway.addKey("olga", "early");
    await visit(page, gateway, "/keys");
    const change = await hold(page, "PATCH", /\/api\/v1\/keys\//);
    await revokeOwn(page, "early");
    await change.came;
    await visit(page, gateway, "/me/keys");
    const row = page.getByRole("row", { name: /early/ });
    await row.getByText("active").waitFor();
    await change.letGo();
    await row.getByText("revoked").waitFor();
    await context.close();
  }, 60_000);

  test("sees a change on a page that was left before it was there", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await gateway.addKey("olga", "left");
    await visit(page, gateway, "/keys");
    const answer = await hold(page, "GET", /\/api\/v1\/me\/keys/, true);
    await page.evaluate(() => history.pushState(null, "", "/console/me/keys"));
    await answer.came;
    await visit(page, gateway, "/keys");
    await revokeOwn(page, "left");
    await page.getByRole("row", { name: /left/ }).getByText("revoked").waitFor();
    const late = page.waitForEvent("requestfinished", (request) => request.url().includes("/me/keys"));
    await answer.letGo();
    await late;
    await visit(page, gateway, "/me/keys");
    await page.getByRole("heading", { name: "My LlaMaKey" }).waitFor();
    await page.getByRole("row", { name: /left/ }).getByText("revoked").waitFor();
    await context.close();
  }, 60_000);

  test("sees a change whose answer was lost on its way", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await gateway.addKey("olga", "lost");
    await visit(page, gateway, "/keys");
    await page.route(/\/api\/v1\/keys\//, async (route) => {
      await route.fetch();
      await route.abort();
    });
    await revokeOwn(page, "lost");
    await page.getByRole("dialog").getByText("The gateway does not answer").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("row", { name: /lost/ }).getByText("revoked").waitFor();
    await context.close();
  }, 60_000);

  test("sets a password once", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await visit(page, gateway, "/me/sign-in");
    await page.getByLabel("New password").fill("a sentence that is easy to keep");
    const setting = await hold(page, "PUT", /\/me\/password$/);
    const set = page.getByRole("button", { name: "Set it" });
    await set.click();
    await setting.came;
    expect(await set.isDisabled()).toBe(true);
    await setting.letGo();
    await page.getByText("The password is set").waitFor();
    await context.close();
  }, 60_000);

  test("keeps what is typed into one form when another is saved", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await visit(page, gateway, "/settings");
    const issuer = page.getByLabel("Issuer");
    await issuer.fill("https://login.example.com");
    const zone = page.locator("form").filter({ hasText: "Time zone" });
    const asked = page.waitForResponse(/\/settings\/sign-in$/);
    await zone.getByRole("button", { name: "Save" }).click();
    await asked;
    await page.getByText("The settings are in force").waitFor();
    expect(await issuer.inputValue()).toBe("https://login.example.com");
    await context.close();
  }, 60_000);

  test("is shown each user's own role, whoever's was looked at before", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await gateway.api("POST", "/users", { name: "ada", role: "auditor" });
    await gateway.api("POST", "/users", { name: "mia" });
    const roleOf = async (name: string) => {
      await visit(page, gateway, "/users");
      await page.getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { name, level: 1 }).waitFor();
    };
    await roleOf("ada");
    const ada = new URL(page.url()).pathname.replace("/console", "");
    await roleOf("mia");
    // Straight from one to the other, as the search does it.
    await visit(page, gateway, ada);
    await page.getByRole("heading", { name: "ada", level: 1 }).waitFor();
    await page.getByRole("button", { name: "More for this user" }).click();
    await page.getByRole("menuitem", { name: "Change the role" }).click();
    const dialog = page.getByRole("dialog", { name: "Role of ada" });
    expect(await dialog.getByRole("combobox", { name: "Role" }).inputValue()).toStartWith("Auditor");
    await context.close();
  }, 60_000);

  test("is told of the call that was asked about last, whichever answer comes last", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await visit(page, gateway, "/policies");
    const form = page.locator("form").filter({ hasText: "Body" });
    await form.getByRole("combobox", { name: "User" }).click();
    await page.getByRole("option", { name: "olga" }).click();
    const first = await hold(page, "POST", /\/policies\/explain$/, true);
    const ask = form.getByRole("button", { name: "Ask" });
    await ask.click();
    await first.came;
    // It is being asked: nobody asks for anything else before the answer is there.
    expect(await ask.isDisabled()).toBe(true);
    await first.letGo();
    await page.getByText(/^(It would be sent|Refused by)/).waitFor();
    expect(await ask.isEnabled()).toBe(true);
    await context.close();
  }, 60_000);

  test("who presses twice ends nothing that has taken the place of what ended", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    using database = new Database(join(gateway.dataDir, "llamakey.db"));
    database.run("PRAGMA busy_timeout = 5000");
    for (const name of ["first", "second"])
      database.run(
        "INSERT INTO passkeys SELECT ?, id, ?, x'00', 0, '[]', 0, NULL FROM users WHERE name = 'olga'",
        [name, name],
      );
    await visit(page, gateway, "/me/sign-in");
    const row = (name: string) => page.getByRole("row", { name: new RegExp(name) });
    const remove = page.getByRole("button", { name: /^Remove the passkey/ }).first();
    const box = await remove.boundingBox();
    const [x, y] = [(box?.x ?? 0) + 5, (box?.y ?? 0) + 5];
    await page.mouse.click(x, y);
    await page.waitForTimeout(300);
    await page.mouse.click(x, y);
    await page.waitForTimeout(300);
    expect(database.query("SELECT 1 FROM passkeys").all()).toHaveLength(2);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Remove the passkey first" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await row("first").waitFor({ state: "detached" });
    expect(await row("second").count()).toBe(1);
    await context.close();
  }, 60_000);

  test("grants each wish once, however many are granted at a time", async () => {
    for (const name of ["una", "duo"]) {
      await gateway.api("POST", "/users", { name });
      const budget = { scope: `user:${name}`, name: "all", amount: "1", per: "month" };
      const { id } = await gateway.api<{ id: string }>("PUT", "/budgets", budget);
      const wish = { kind: "budget", budget: id, amount: "2", reason: "please" };
      const { status } = await (await signedIn(gateway, name)).send("POST", "/me/asks", wish);
      expect(status).toBe(201);
    }
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await visit(page, gateway, "/");
    const grant = (name: string) => page.getByRole("button", { name: new RegExp(`^Grant ${name}`) });
    await grant("una").waitFor();
    const granting = await hold(page, "POST", /\/asks\/[^/]+\/grant$/);
    await grant("una").click();
    await granting.came;
    await grant("duo").click();
    expect(await grant("una").isDisabled()).toBe(true);
    await granting.letGo();
    for (const name of ["una", "duo"]) await grant(name).waitFor({ state: "detached" });
    await context.close();
  }, 60_000);

  test("leaves no dialog before its work is done, so that what it shows once is seen", async () => {
    const { page, context } = await openConsole(browser, gateway, OWNER, WIDE);
    await visit(page, gateway, "/providers/openai");
    const adding = await hold(page, "POST", /\/api\/v1\/credentials$/, true);
    const open = () => page.getByRole("button", { name: "Add a credential" }).first().click();
    const dialog = page.getByRole("dialog", { name: "Add a credential" });
    await open();
    await dialog.getByLabel("Secret").fill("sk-test-fake-quick-0123456789");
    await dialog.getByRole("button", { name: "Add and test" }).click();
    await adding.came;
    expect(await dialog.getByRole("button", { name: "Cancel" }).isDisabled()).toBe(true);
    await page.keyboard.press("Escape");
    await adding.letGo();
    await dialog.getByText("It is stored, but the test failed").waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();
    await dialog.waitFor({ state: "hidden" });
    await open();
    expect(await dialog.getByLabel("Secret").inputValue()).toBe("");
    await context.close();
  }, 60_000);
});
