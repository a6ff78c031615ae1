/** The console in a browser, signed in as one of the gateway's users. */
import type { Page } from "playwright-core";
import type { Browser, Opened, View } from "./browser.ts";
import type { Gateway, Named } from "./gateway.ts";

export type Role = "owner" | "admin" | "auditor" | "member";

/** A busy machine's console answers within this time, milliseconds. */
const LIMIT_MS = 15_000;

/** Where browsers find the console: passkeys refuse bare addresses, so this machine has its name. */
export function consoleUrl(gateway: Gateway, path = "/"): string {
  return `http://localhost:${gateway.port}/console${path}`;
}

/** Opens the console as this user, who is made where there is none, by a sign-in link, as people do. */
export async function openConsole(
  browser: Browser,
  gateway: Gateway,
  user: { readonly name: string; readonly role: Role },
  view: View = {},
): Promise<Opened> {
  const { items } = await gateway.api<{ items: Named[] }>("GET", "/users?limit=1000");
  if (!items.some(({ name }) => name === user.name)) await gateway.api("POST", "/users", { name: user.name });
  await gateway.api("PATCH", `/users/${user.name}`, { role: user.role });
  const { url } = await gateway.api<{ url: string }>("POST", `/users/${user.name}/sign-in-link`, {});
  const opened = await browser.open(url, view);
  opened.page.setDefaultTimeout(LIMIT_MS);
  await signInByLink(opened.page);
  await settled(opened.page);
  // That nobody was signed in before is an answer 401, which browsers write down as an error.
  opened.problems.length = 0;
  return opened;
}

/** On the page of a sign-in link. */
export async function signInByLink(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign in with this link" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor({ state: "attached" });
}

/** Goes to a page of the console as its links do, and waits until all that it asks for has come. */
export async function visit(page: Page, gateway: Gateway, path: string): Promise<void> {
  const url = consoleUrl(gateway, path);
  // As a link of the console does it, where the console is open: without loading it anew.
  if (page.url().startsWith(consoleUrl(gateway))) {
    await page.evaluate((to) => {
      history.pushState(null, "", to);
      return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    }, url);
  } else await page.goto(url);
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await settled(page);
}

/** The same with everything loaded anew, as whoever opens a bookmark does. */
export async function load(page: Page, gateway: Gateway, path: string): Promise<void> {
  await page.goto("about:blank");
  await visit(page, gateway, path);
}

/** Nothing is loading any more. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    () => document.querySelector('[aria-label="Loading"], .mantine-Skeleton-root') === null,
  );
}
