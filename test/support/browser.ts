/**
 * Headless Chromium for journeys through pages of the gateway.
 *
 *   const browser = await startBrowser();                  // at the top of a file: ends with it
 *   const { page, problems } = await browser.open(url, { scheme: "dark", width: 390 });
 *   await browser.screenshot(page, "claim-dark");          // .cache/test/screenshots/claim-dark.png
 *   expect(await axeViolations(page)).toEqual([]);
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { atEnd } from "./cleanup.ts";
import { root } from "./gateway.ts";

/** Where Debian, other distributions and macOS put it. */
const PLACES = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const executable = PLACES.find((place) => place !== "" && existsSync(place));

/** Why there is no browser here, for `test.skipIf`; undefined where there is one. */
export const noBrowser: string | undefined =
  executable === undefined ? "there is no Chromium on this machine" : undefined;

/** It must not look for anything outside, and root may not sandbox. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

const screenshots = `${root}/.cache/test/screenshots`;

export interface View {
  readonly scheme?: "light" | "dark";
  /** Pixels; 390 is a phone's. */
  readonly width?: number;
  readonly height?: number;
  readonly reducedMotion?: boolean;
}

export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What went wrong in it: errors of scripts, what the content security policy refused, requests that failed. */
  readonly problems: string[];
  /** Hosts, with ports, that anything was asked of. */
  readonly hosts: Set<string>;
}

export class Browser {
  private readonly launched: Awaited<ReturnType<typeof chromium.launch>>;

  constructor(launched: Awaited<ReturnType<typeof chromium.launch>>) {
    this.launched = launched;
  }

  /** A page without any state of another; closed with the browser. */
  async open(url: string, view: View = {}): Promise<Opened> {
    const { scheme = "light", width = 1280, height = 900, reducedMotion = true } = view;
    const context = await this.launched.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: reducedMotion ? "reduce" : "no-preference",
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = await context.newPage();
    const problems: string[] = [];
    const hosts = new Set<string>();
    page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(`console: ${message.text()}`);
    });
    page.on("requestfailed", (request) =>
      problems.push(`request: ${request.url()} ${request.failure()?.errorText}`),
    );
    page.on("request", (request) => {
      if (/^https?:/.test(request.url())) hosts.add(new URL(request.url()).host);
    });
    await page.goto(url);
    return { page, context, problems, hosts };
  }

  /** The whole page, however long. @returns the file */
  async screenshot(page: Page, name: string): Promise<string> {
    mkdirSync(screenshots, { recursive: true });
    const path = join(screenshots, `${name}.png`);
    await page.screenshot({ path, fullPage: true });
    return path;
  }

  async close(): Promise<void> {
    await this.launched.close();
  }
}

/** @throws where there is no browser: ask `noBrowser` first. */
export async function startBrowser(): Promise<Browser> {
  if (executable === undefined) throw new Error(`${noBrowser}; set CHROMIUM to one.`);
  const home = mkdtempSync(join(tmpdir(), "lmk-browser-"));
  const launched = await chromium.launch({
    executablePath: executable,
    args: FLAGS,
    // It writes beside its profile, too; nothing of that is to be left.
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
  });
  const browser = new Browser(launched);
  atEnd(async () => {
    await browser.close();
    rmSync(home, { recursive: true, force: true });
  });
  return browser;
}

const axe = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/**
 * What axe finds wrong with the page as it is now, by the rules of WCAG 2.2 AA and good practice: `rule: what (where)`.
 * It runs outside the page's own world, so the page's content security policy stays in force.
 */
export async function axeViolations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id,
    worldName: "axe",
  });
  const evaluate = async (expression: string) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      expression,
      contextId: executionContextId,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description);
    return result.value as unknown;
  };
  await evaluate(`${axe}; undefined`);
  const found = await evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, help, nodes }) => id + ': ' + help + ' (' + nodes.map(({ target }) => target.join(' ')).join(', ') + ')'))",
  );
  // Not detached: that would end virtual authenticators of this page. It ends with the page.
  return found as string[];
}
