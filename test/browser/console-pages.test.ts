/** Every page of the console: nothing wrong for axe, nothing refused by its own policy, nothing from elsewhere. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  axeViolations,
  type Browser,
  noBrowser,
  type Opened,
  startBrowser,
  type View,
} from "../support/browser.ts";
import { consoleUrl, load, openConsole, visit } from "../support/console.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";

const PAGES: Readonly<Record<string, string>> = {
  home: "/",
  requests: "/requests",
  live: "/requests?live=1",
  users: "/users",
  groups: "/users/groups",
  keys: "/keys",
  providers: "/providers",
  provider: "/providers/openai",
  policies: "/policies",
  policy: "/policies/group%3Aresearch",
  prices: "/prices",
  audit: "/audit",
  settings: "/settings",
  me: "/me",
  "me-keys": "/me/keys",
  "me-calls": "/me/calls",
  "me-setup": "/me/setup",
  "me-asks": "/me/asks",
  "me-sign-in": "/me/sign-in",
  welcome: "/welcome",
  nowhere: "/no/such/page",
};

const DESKTOP = { width: 1360, height: 900 };
const PHONE = { width: 390, height: 844 };
const VIEWS: Readonly<Record<string, View>> = {
  light: DESKTOP,
  "dark-phone": { ...PHONE, scheme: "dark" },
  ...(process.env["LMK_TEST_FULL"] === "1" && {
    dark: { ...DESKTOP, scheme: "dark" as const },
    "light-phone": PHONE,
  }),
};

/** What a first visit may load, gzipped. */
const FIRST_LOAD_BYTES = 400 * 1024;
/** What browsers call good. */
const LAYOUT_SHIFT = 0.1;

let browser: Browser;
let demo: Gateway;

beforeAll(async () => {
  if (noBrowser !== undefined) return;
  browser = await startBrowser();
  demo = await startGateway({ verb: "demo", dataDir: "llamakey-demo", args: ["--listen", "127.0.0.1:0"] });
  await demo.api("PUT", "/budgets", {
    scope: "group:research",
    name: "research",
    amount: "0.02",
    per: "month",
  });
  await demo.api("PUT", "/budgets", { scope: "organisation", name: "all", amount: "250", per: "month" });
  await demo.api("PATCH", "/policies/group:research", {
    models: ["gpt-*", "claude-*"],
    limits: { requestsPerMinute: 600 },
  });
  await poll(
    "traffic of the demo",
    async () => ((await demo.requests()).length >= 12 ? true : undefined),
    30_000,
  );
}, 60_000);
afterAll(() => demo?.end());

describe.skipIf(noBrowser !== undefined)("every page of the console", () => {
  for (const [view, options] of Object.entries(VIEWS)) {
    test(`is accessible, complete and quiet: ${view}`, async () => {
      const opened = await openConsole(browser, demo, { name: "ann", role: "owner" }, options);
      const wrong: Record<string, unknown> = {};
      for (const [name, path] of Object.entries(PAGES)) {
        await visit(opened.page, demo, path);
        // What comes late, such as a chart, belongs to the page that it is on.
        await opened.page.waitForTimeout(60);
        const found = [
          ...(await axeViolations(opened.page)),
          ...opened.problems.splice(0),
          ...(await overflow(opened)),
        ];
        if (found.length > 0) wrong[name] = found;
        if (process.env["LMK_TEST_FULL"] === "1") await browser.screenshot(opened.page, `${name}-${view}`);
      }
      expect(wrong).toEqual({});
      expect([...opened.hosts]).toEqual([`localhost:${demo.port}`]);
      await opened.context.close();
    }, 120_000);
  }

  test("for whoever is not signed in there is the way in, in both colours", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const { page, problems, context } = await browser.open(consoleUrl(demo), { scheme, ...PHONE });
      await page.getByRole("heading", { name: "Sign in to LlaMaKey" }).waitFor();
      await page.waitForLoadState("networkidle");
      expect(await axeViolations(page)).toEqual([]);
      // That nobody is signed in is a 401, which browsers write down as an error.
      expect(problems.filter((one) => !one.includes("401"))).toEqual([]);
      await browser.screenshot(page, `sign-in-${scheme}`);
      await context.close();
    }
  });

  test("the reference of the admin API is as good to read, in both colours and on a phone", async () => {
    for (const view of [DESKTOP, { ...PHONE, scheme: "dark" as const }]) {
      const opened = await browser.open(`http://localhost:${demo.port}/api/docs`, view);
      await opened.page.getByRole("heading", { level: 1 }).waitFor();
      expect(await axeViolations(opened.page)).toEqual([]);
      expect([...opened.problems, ...(await overflow(opened))]).toEqual([]);
      await opened.context.close();
    }
  });

  test("a request's drawer shows times, cost and the call again, without a violation", async () => {
    const { page, problems, context } = await openConsole(
      browser,
      demo,
      { name: "ann", role: "owner" },
      DESKTOP,
    );
    await visit(page, demo, "/requests?model=claude-sonnet-5");
    await page
      .getByRole("button", { name: /^The call of/ })
      .first()
      .click();
    const drawer = page.getByRole("dialog", { name: "A call" });
    await drawer.getByText("Replay as curl").waitFor();
    for (const text of ["first byte after", "input tokens", "output tokens", "/anthropic/v1/messages"])
      expect(await drawer.textContent()).toContain(text);
    expect(await axeViolations(page)).toEqual([]);
    await browser.screenshot(page, "request-light");
    expect(problems).toEqual([]);
    await context.close();
  });

  test("the keyboard alone goes everywhere: letters, the palette, the way past the menu", async () => {
    const { page, context } = await openConsole(browser, demo, { name: "ann", role: "owner" }, DESKTOP);
    await visit(page, demo, "/");
    await page.keyboard.press("g");
    await page.keyboard.press("k");
    await page.getByRole("heading", { name: "Keys", level: 1 }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder("Pages, users, keys…").fill("cem");
    await page.getByRole("button", { name: /cem/ }).first().waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await browser.screenshot(page, "palette-light");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "cem", level: 1 }).waitFor();
    await page.keyboard.press("Tab");
    await context.close();
  });

  test("a first visit loads little, and nothing jumps", async () => {
    const { page, context } = await openConsole(browser, demo, { name: "ann", role: "owner" }, DESKTOP);
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    let loaded = 0;
    const late: string[] = [];
    const scripts = new Map<string, string>();
    session.on("Network.responseReceived", ({ requestId, response }) => scripts.set(requestId, response.url));
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      const url = scripts.get(requestId) ?? "";
      if (url.includes("/charts-")) late.push(url);
      else if (url.includes("/console")) loaded += encodedDataLength;
    });
    await page.addInitScript(() => {
      (globalThis as { shift?: number }).shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const { value, hadRecentInput } = entry as PerformanceEntry & {
            value: number;
            hadRecentInput: boolean;
          };
          if (!hadRecentInput)
            (globalThis as { shift?: number }).shift =
              ((globalThis as { shift?: number }).shift ?? 0) + value;
        }
      }).observe({ type: "layout-shift", buffered: true });
    });
    await load(page, demo, "/");
    await poll("the chart", () => late[0]);
    await page.waitForTimeout(1500);
    expect(loaded).toBeGreaterThan(100_000);
    expect(loaded).toBeLessThan(FIRST_LOAD_BYTES);
    expect(late).toHaveLength(1);
    expect(await page.evaluate(() => (globalThis as { shift?: number }).shift)).toBeLessThan(LAYOUT_SHIFT);
    await context.close();
  });
});

/** A page is never wider than the window. */
async function overflow({ page }: Opened): Promise<string[]> {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  return (wide ?? 0) > (window ?? 0) ? [`it is ${wide} wide in a window of ${window}`] : [];
}
