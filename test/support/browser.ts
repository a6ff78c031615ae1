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
import { type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";
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

type Launched = Awaited<ReturnType<typeof chromium.launch>>;

export class Browser {
  private readonly launched: Launched;
  private readonly contexts: BrowserContext[] = [];

  constructor(launched: Launched) {
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
    this.contexts.push(context);
    const page = await context.newPage();
    const problems: string[] = [];
    const hosts = new Set<string>();
    page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(`console: ${message.text()}`);
    });
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      // Given up by the page itself, as what a page asks for that is left at this moment.
      if (why !== "net::ERR_ABORTED") problems.push(`request: ${request.url()} ${why}`);
    });
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

  /** All that was opened with this one; the process itself serves other files of tests. */
  async close(): Promise<void> {
    await Promise.all(this.contexts.map((context) => context.close()));
  }
}

/** One process for all files of a run, which outlives their modules. */
const shared = globalThis as { lmkChromium?: Promise<Launched> };

/** @throws where there is no browser: ask `noBrowser` first. */
export async function startBrowser(): Promise<Browser> {
  if (executable === undefined) throw new Error(`${noBrowser}; set CHROMIUM to one.`);
  shared.lmkChromium ??= launch(executable);
  const browser = new Browser(await shared.lmkChromium);
  atEnd(() => browser.close());
  return browser;
}

/** It ends with this process, of which Playwright sees to it. */
function launch(executablePath: string): Promise<Launched> {
  const home = mkdtempSync(join(tmpdir(), "lmk-browser-"));
  process.on("exit", () => rmSync(home, { recursive: true, force: true }));
  return chromium.launch({
    executablePath,
    args: FLAGS,
    // It writes beside its profile, too; nothing of that is to be left.
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
  });
}

const axe = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const RUN =
  "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, help, nodes }) => id + ': ' + help + ' (' + nodes.map(({ target }) => target.join(' ')).join(', ') + ')'))";

/** A world of axe's own in each page, for as long as the page's document stands. */
const worlds = new WeakMap<Page, { readonly session: CDPSession; readonly contextId: number }>();

/**
 * What axe finds wrong with the page as it is now, by the rules of WCAG 2.2 AA and good practice: `rule: what (where)`.
 * It runs outside the page's own world, so the page's content security policy stays in force.
 */
export async function axeViolations(page: Page): Promise<string[]> {
  const known = worlds.get(page);
  if (known !== undefined) {
    try {
      return await evaluate(known, RUN);
    } catch (error) {
      // The page has been left for another document.
      if (!/context/i.test(String(error))) throw error;
    }
  }
  // Never detached: that would end virtual authenticators of this page. It ends with the page.
  const session = known?.session ?? (await page.context().newCDPSession(page));
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id,
    worldName: "axe",
  });
  const world = { session, contextId };
  worlds.set(page, world);
  await evaluate(world, `${axe}; []`);
  return evaluate(world, RUN);
}

async function evaluate(
  { session, contextId }: { session: CDPSession; contextId: number },
  expression: string,
): Promise<string[]> {
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression,
    contextId,
    awaitPromise: true,
    returnByValue: true,
  });
  if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description);
  return result.value as string[];
}
