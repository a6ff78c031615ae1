/**
 * `npm run screenshots`: every page of the console in light and dark, on a desktop and a phone, of a gateway that looks
 * used and of an empty one, into .cache/screenshots; and those that the README shows, into docs/images.
 *
 *   npm run screenshots -- readme        those of the README alone
 *   npm run screenshots -- home keys     these only, and none for the README
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { type Opened, startBrowser, type View } from "../test/support/browser.ts";
import { consoleUrl, openConsole, visit } from "../test/support/console.ts";
import { type Gateway, root, startGateway } from "../test/support/gateway.ts";
import { startLivelyGateway } from "./lively-gateway.ts";

interface Shot {
  readonly name: string;
  /** Below /console. */
  readonly path: string;
  /** What is pressed before the picture is taken. */
  readonly act?: (page: Page) => Promise<unknown>;
}

const press = (name: string | RegExp) => async (page: Page) => {
  await page.getByRole("button", { name }).first().click();
  await page.getByRole("dialog").first().waitFor();
};

/** What would happen to a call, on a page of policies. */
async function explain(page: Page): Promise<void> {
  await page.getByRole("combobox", { name: "User" }).click();
  await page.getByRole("option", { name: "ann" }).click();
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page
    .getByText(/budget/i)
    .last()
    .waitFor();
}

/** Of what an empty gateway does not have. */
const LIVELY_ONLY = new Set(["request", "new-budget"]);

const SHOTS: readonly Shot[] = [
  { name: "home", path: "/?range=30d" },
  { name: "home-day", path: "/" },
  { name: "requests", path: "/requests" },
  { name: "request", path: "/requests?model=claude-opus-5", act: press(/^The call of/) },
  { name: "live", path: "/requests?live=1" },
  { name: "users", path: "/users" },
  { name: "user", path: "/users/ann" },
  { name: "groups", path: "/users/groups" },
  { name: "keys", path: "/keys" },
  { name: "new-key", path: "/keys", act: press("New key") },
  { name: "providers", path: "/providers" },
  { name: "provider", path: "/providers/openai" },
  { name: "new-credential", path: "/providers", act: press(/^Add a credential/) },
  { name: "policies", path: "/policies" },
  { name: "policy", path: "/policies/group%3Aresearch" },
  { name: "new-budget", path: "/policies/group%3Aresearch", act: press("New budget") },
  { name: "explain", path: "/policies", act: explain },
  { name: "prices", path: "/prices" },
  { name: "audit", path: "/audit" },
  { name: "settings", path: "/settings" },
  { name: "me", path: "/me" },
  { name: "me-keys", path: "/me/keys" },
  { name: "me-calls", path: "/me/calls" },
  { name: "me-setup", path: "/me/setup" },
  { name: "me-asks", path: "/me/asks" },
  { name: "me-sign-in", path: "/me/sign-in" },
  { name: "welcome", path: "/welcome" },
  { name: "palette", path: "/", act: (page) => page.keyboard.press("Control+k") },
  { name: "nowhere", path: "/no/such/page" },
];

const DESKTOP = { width: 1360, height: 900 };
const PHONE = { width: 390, height: 844 };
const VIEWS: Readonly<Record<string, View>> = {
  light: DESKTOP,
  dark: { ...DESKTOP, scheme: "dark" },
  "phone-light": PHONE,
  "phone-dark": { ...PHONE, scheme: "dark" },
};

/** Pixels: what comes further down in a long list looks like what is above. */
const LONGEST = 2000;

/** In the README, in both colours. */
const SHOWN = ["home", "request", "explain", "me"];

const chosen = process.argv.slice(2);
const readmeOnly = chosen.includes("readme");
const forReadme = chosen.length === 0 || readmeOnly;
const isChosen = (name: string) =>
  chosen.length === 0 || chosen.includes(name) || (readmeOnly && SHOWN.includes(name));
const browser = await startBrowser();
for (const [kind, start] of [
  ["lively", startLivelyGateway],
  ["empty", () => startGateway()],
] as const) {
  if (readmeOnly && kind === "empty") continue;
  const gateway = await start();
  for (const view of readmeOnly ? ["light", "dark"] : Object.keys(VIEWS)) await takeAll(gateway, kind, view);
  await gateway.end();
}
process.exit(0);

async function takeAll(gateway: Gateway, kind: string, view: string): Promise<void> {
  const folder = join(root, ".cache/screenshots", kind);
  mkdirSync(folder, { recursive: true });
  const options = VIEWS[view] ?? {};
  const opened = await openConsole(browser, gateway, { name: "ann", role: "owner" }, options);
  for (const { name, path, act } of SHOTS) {
    if (!isChosen(name) || (kind === "empty" && LIVELY_ONLY.has(name))) continue;
    const { page } = opened;
    try {
      await visit(page, gateway, path);
      await act?.(page);
      await quiet(page);
      const { width = 1360, height = 900 } = options;
      const long = await page.evaluate(() => document.documentElement.scrollHeight);
      const clip = { x: 0, y: 0, width, height: act === undefined ? Math.min(long, LONGEST) : height };
      writeFileSync(join(folder, `${name}-${view}.png`), await page.screenshot({ fullPage: true, clip }));
      if (forReadme && kind === "lively" && !view.startsWith("phone") && SHOWN.includes(name))
        await publish(opened, `${name}-${view}`);
    } catch (error) {
      console.error(
        `${kind} ${name} ${view}: ${error instanceof Error ? error.message.split("\n")[0] : error}`,
      );
    }
  }
  await opened.context.close();
  for (const [name, path] of [
    ["sign-in", consoleUrl(gateway)],
    ["api-docs", `${gateway.url}/api/docs`],
  ] as const) {
    if (!isChosen(name)) continue;
    const { page, context } = await browser.open(path, options);
    await quiet(page);
    writeFileSync(join(folder, `${name}-${view}.png`), await page.screenshot());
    await context.close();
  }
}

/** Charts and late parts have come. */
async function quiet(page: Page): Promise<void> {
  if (!page.url().includes("live=1")) await page.waitForLoadState("networkidle");
  await page.waitForTimeout(250);
}

/** As WebP, which browsers make smaller than PNG, at twice the size of the picture. */
async function publish({ page, context }: Opened, name: string): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setDeviceMetricsOverride", {
    ...DESKTOP,
    deviceScaleFactor: 1.5,
    mobile: false,
  });
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 82 });
  mkdirSync(join(root, "docs/images"), { recursive: true });
  writeFileSync(join(root, "docs/images", `${name}.webp`), Buffer.from(data, "base64"));
  await session.send("Emulation.clearDeviceMetricsOverride");
  await session.detach();
}
