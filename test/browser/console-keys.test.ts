/** A key's life as people lead it: a link is sent, claimed and used, and the key is taken back. */
import { describe, expect, test } from "bun:test";
import { startStandIn } from "../../src/serve/stand-in.ts";
import { axeViolations, noBrowser, startBrowser } from "../support/browser.ts";
import { atEnd } from "../support/cleanup.ts";
import { openConsole, visit } from "../support/console.ts";
import { startGateway } from "../support/gateway.ts";

const SECRET = "sk-simulated-keys-0123456789";

describe.skipIf(noBrowser !== undefined)("a key", () => {
  test("is claimed by its user, calls, and is revoked: the administrator never sees it", async () => {
    const standIn = startStandIn(SECRET);
    atEnd(() => standIn.stop());
    const gateway = await startGateway({
      env: { OPENAI_API_KEY: SECRET, LMK_OPENAI_UPSTREAM: `${standIn.url}/openai/v1` },
    });
    const browser = await startBrowser();
    await gateway.api("POST", "/users", { name: "yara" });
    const admin = await openConsole(browser, gateway, { name: "olga", role: "admin" }, { width: 1360 });
    await visit(admin.page, gateway, "/keys");
    await admin.page.getByRole("button", { name: "New key" }).click();
    const dialog = admin.page.getByRole("dialog", { name: "New key" });
    await dialog.getByRole("combobox", { name: "User" }).click();
    await admin.page.getByRole("option", { name: "yara" }).click();
    await dialog.getByLabel("Name").fill("laptop");
    await dialog.getByText("By a claim link").click();
    expect(await axeViolations(admin.page)).toEqual([]);
    await dialog.getByRole("button", { name: "Make the link" }).click();
    const made = admin.page.getByRole("dialog", { name: "A link to claim the key" });
    const link = (await made.locator("pre").textContent()) ?? "";
    await made.getByRole("button", { name: "Done" }).click();

    const user = await browser.open(link);
    user.page.setDefaultTimeout(15_000);
    await user.page.getByRole("button", { name: "Make my key" }).click();
    const key = user.page.locator("#key");
    await key.getByText(/^lmk_/).waitFor();
    const secret = (await key.textContent()) ?? "";
    const ask = () =>
      fetch(`${gateway.url}/openai/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] }),
      });
    expect((await ask()).status).toBe(200);
    const again = await browser.open(link);
    await again.page.getByText(/used/i).first().waitFor();

    await visit(admin.page, gateway, "/keys?search=yara");
    expect(await admin.page.content()).not.toContain(secret);
    const row = admin.page.getByRole("row", { name: /laptop/ });
    await row.getByRole("button", { name: /^More for the key laptop/ }).click();
    await admin.page.getByRole("menuitem", { name: "Revoke" }).click();
    await admin.page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await row.getByText("revoked").waitFor();
    expect((await ask()).status).toBe(401);
    expect(admin.problems.filter((one) => !one.includes("401"))).toEqual([]);
  }, 90_000);
});
