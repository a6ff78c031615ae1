/** The browser that journeys run in sees what is wrong with a page. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { axeViolations, noBrowser, startBrowser } from "../support/browser.ts";

const html = (body: string) =>
  `<!doctype html><html lang="en"><head><title>t</title></head><body><main><h1>h</h1>${body}</main></body></html>`;

const pages: Readonly<Record<string, string>> = {
  "/good": html("<p>fine</p>"),
  "/unlabelled": html("<input>"),
  "/inline": html("<script>document.title = 'ran'</script>"),
  "/broken": html("<script src='/throws.js'></script>"),
};

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/throws.js")
      return new Response("throw new Error('on purpose')", {
        headers: { "content-type": "text/javascript" },
      });
    return new Response(pages[pathname] ?? "", {
      headers: { "content-type": "text/html", "content-security-policy": "default-src 'self'" },
    });
  },
});

describe.skipIf(noBrowser !== undefined)("the browser", async () => {
  const browser = noBrowser === undefined ? await startBrowser() : undefined;
  const open = (path: string) => {
    if (browser === undefined) throw new Error(noBrowser);
    return browser.open(new URL(path, server.url).href);
  };

  test("finds nothing wrong with a good page, and takes its picture", async () => {
    const { page, problems } = await open("/good");
    expect(await axeViolations(page)).toEqual([]);
    expect(problems.filter((one) => !one.includes("favicon"))).toEqual([]);
    const file = await browser?.screenshot(page, "good");
    expect(existsSync(file ?? "")).toBe(true);
  });

  test("finds what is not accessible", async () => {
    const { page } = await open("/unlabelled");
    expect((await axeViolations(page)).join()).toContain("label");
  });

  test("tells of requests that failed, but not of those that the page itself gave up", async () => {
    const { page, problems } = await open("/good");
    await page.route("**/cut", (route) => route.abort("connectionreset"));
    const late = Promise.withResolvers<void>();
    await page.route("**/late", async (route) => {
      await late.promise;
      await route.abort();
    });
    await page.evaluate(async () => {
      await fetch("/late", { signal: AbortSignal.timeout(50) }).catch(() => {});
      await fetch("/cut").catch(() => {});
    });
    late.resolve();
    const told = problems.filter((one) => one.startsWith("request:"));
    expect(told).toEqual([expect.stringMatching(/\/cut net::ERR_CONNECTION_RESET$/)]);
  });

  test("tells of scripts that throw, and of those that the policy refused", async () => {
    expect((await open("/broken")).problems.join()).toContain("on purpose");
    const inline = await open("/inline");
    expect(await inline.page.title()).toBe("t");
    expect(inline.problems.join()).toContain("Content Security Policy");
  });
});
