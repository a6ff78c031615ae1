/** What one may not do is not offered, and the API behind it refuses it all the same. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, noBrowser, startBrowser } from "../support/browser.ts";
import { consoleUrl, openConsole, visit } from "../support/console.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";

let browser: Browser;
let gateway: Gateway;
beforeAll(async () => {
  if (noBrowser !== undefined) return;
  browser = await startBrowser();
  gateway = await startGateway({ env: { OPENAI_API_KEY: "sk-test-fake-keys-0123456789" } });
  await gateway.addUser("hidden-hannah");
}, 60_000);
afterAll(() => gateway?.end());

/** A call of the page's own script, with its cookie and its token for changes. */
function fromPage(method: string, path: string, body?: object) {
  return async () => {
    const session = await (await fetch("/api/v1/session")).json();
    const answer = await fetch(`/api/v1${path}`, {
      method,
      headers: { "content-type": "application/json", "x-lmk-csrf": session.csrf },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  };
}

describe.skipIf(noBrowser !== undefined)("roles", () => {
  test("an auditor sees everything and is offered no change; a change by hand is refused", async () => {
    const { page, context } = await openConsole(
      browser,
      gateway,
      { name: "ada", role: "auditor" },
      { width: 1360 },
    );
    const CHANGES = /^(New |Add |Set |Put |Save|Test|Grant|Custom|Revoke|Remove|Change)/;
    for (const path of [
      "/",
      "/users",
      "/keys",
      "/providers",
      "/providers/openai",
      "/policies/organisation",
      "/prices",
      "/settings",
    ]) {
      await visit(page, gateway, path);
      const offered = await page
        .getByRole("button", { name: CHANGES })
        .and(page.locator(":enabled"))
        .allTextContents();
      expect([path, ...offered]).toEqual([path]);
    }
    await visit(page, gateway, "/keys");
    await page.getByText("hidden-hannah").waitFor();
    const id = (await gateway.api<{ items: { id: string }[] }>("GET", "/keys")).items[0]?.id;
    for (const [method, path, body] of [
      ["POST", "/users", { name: "intruder" }],
      ["PATCH", `/keys/${id}`, { revoked: true }],
      ["PUT", "/budgets", { scope: "organisation", amount: "1" }],
    ] as const) {
      const call = `(${fromPage})(${JSON.stringify(method)}, ${JSON.stringify(path)}, ${JSON.stringify(body)})()`;
      expect(await page.evaluate<{ status: number }>(call)).toMatchObject({ status: 403 });
    }
    expect(
      (await gateway.api<{ items: { name: string }[] }>("GET", "/users")).items.map(({ name }) => name),
    ).not.toContain("intruder");
    await context.close();
  }, 90_000);

  test("a member sees only itself, on every page and behind them", async () => {
    await gateway.addUser("mia");
    const { page, context } = await openConsole(
      browser,
      gateway,
      { name: "mia", role: "member" },
      { width: 1360 },
    );
    await page.getByRole("heading", { name: "My LlaMaKey" }).waitFor();
    expect(await page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents()).toEqual(
      ["My LlaMaKey"],
    );
    for (const path of [
      "/",
      "/users",
      "/keys",
      "/requests",
      "/policies",
      "/audit",
      "/settings",
      "/me/keys",
      "/me/calls",
    ]) {
      await page.goto(consoleUrl(gateway, path));
      await page.getByRole("heading", { name: "My LlaMaKey" }).waitFor();
      expect(await page.content()).not.toContain("hidden-hannah");
    }
    for (const path of [
      "/users",
      "/keys",
      "/requests",
      "/overview",
      "/audit",
      "/credentials",
      "/policies",
      "/budgets",
      "/settings",
    ]) {
      const answer = await page.evaluate<{ status: number; text: string }>(
        `(${fromPage})("GET", ${JSON.stringify(path)})()`,
      );
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.text).not.toContain("hidden-hannah");
    }
    await context.close();
  }, 90_000);

  test("whoever signs out leaves nothing behind", async () => {
    const { page, context } = await openConsole(
      browser,
      gateway,
      { name: "otto", role: "owner" },
      { width: 1360 },
    );
    await visit(page, gateway, "/users");
    await page.getByText("hidden-hannah").waitFor();
    await page.getByRole("button", { name: /otto/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to LlaMaKey" }).waitFor();
    expect(await page.content()).not.toContain("hidden-hannah");
    await page.goBack().catch(() => null);
    await page.getByRole("heading", { name: "Sign in to LlaMaKey" }).waitFor();
    await context.close();
  }, 60_000);
});
