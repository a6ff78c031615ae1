/** What was seen and what was added, as people see it: a key that leaked, and a server of one's own. */
import { afterAll, describe, expect, test } from "bun:test";
import { axeViolations, noBrowser, startBrowser } from "../support/browser.ts";
import { openConsole, visit } from "../support/console.ts";
import { startGateway } from "../support/gateway.ts";

/** Not recorded: a key that reaches it is what this is about. */
const upstream = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: () => Response.json({ object: "list", data: [] }),
});
afterAll(() => upstream.stop(true));

describe.skipIf(noBrowser !== undefined)("the console", () => {
  test("tells a key's owner and administrators that it was seen, and adds a server, tries it and removes it", async () => {
    const base = `http://127.0.0.1:${upstream.port}/v1`;
    const gateway = await startGateway({
      env: { OPENAI_API_KEY: "sk-test-fake-console-0123456789", LMK_OPENAI_UPSTREAM: base },
    });
    const browser = await startBrowser();
    const { key, secret } = await gateway.addUser("lena");
    await fetch(`${gateway.url}/openai/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: `mine is ${secret}` }] }),
    });

    const admin = await openConsole(browser, gateway, { name: "olga", role: "admin" }, { width: 1360 });
    await visit(admin.page, gateway, "/");
    const notice = admin.page
      .getByRole("alert")
      .filter({ hasText: "A key was seen where it does not belong" });
    await notice.getByText(/lena's key was seen in a prompt/).waitFor();
    expect(await axeViolations(admin.page)).toEqual([]);
    await notice.getByRole("link", { name: "The key" }).click();
    await admin.page
      .getByRole("row", { name: new RegExp(key.id) })
      .getByText(/^seen in a prompt/)
      .waitFor();
    expect(await axeViolations(admin.page)).toEqual([]);

    const owner = await openConsole(browser, gateway, { name: "lena", role: "member" });
    await visit(owner.page, gateway, "/me");
    await owner.page.getByText(/was seen in a prompt .*: others may have it\. Rotate it/).waitFor();
    expect(await axeViolations(owner.page)).toEqual([]);
    for (const { page } of [admin, owner]) expect(await page.content()).not.toContain(secret);

    await visit(admin.page, gateway, "/providers");
    await admin.page.getByRole("button", { name: "Custom server" }).click();
    const dialog = admin.page.getByRole("dialog", { name: "Add a custom server" });
    await dialog.getByLabel("Id").fill("lab");
    await dialog.getByLabel("Address").fill(base);
    await dialog.getByRole("button", { name: "Add and test" }).click();
    await dialog.getByText(/must begin with https/).waitFor();
    await dialog.getByLabel("It is in a network of our own").check();
    expect(await axeViolations(admin.page)).toEqual([]);
    await dialog.getByRole("button", { name: "Add and test" }).click();
    await dialog.getByText("It answers").waitFor();
    const models = await fetch(`${gateway.url}/lab/v1/models`, { headers: gateway.bearer });
    expect(models.status).toBe(200);
    await dialog.getByRole("button", { name: "Done" }).click();

    await visit(admin.page, gateway, "/providers/lab");
    await admin.page.getByRole("button", { name: "Test lab" }).click();
    await admin.page.getByText(/^answered in/).waitFor();
    expect(await axeViolations(admin.page)).toEqual([]);
    await admin.page.getByRole("button", { name: "Remove" }).click();
    await admin.page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await admin.page.getByText("lab is gone").waitFor();
    expect((await fetch(`${gateway.url}/lab/v1/models`, { headers: gateway.bearer })).status).toBe(404);
    // The address that was refused first.
    expect(admin.problems.filter((one) => !one.includes("422"))).toEqual([]);
    expect(owner.problems).toEqual([]);
  }, 120_000);
});
