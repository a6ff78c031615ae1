/** What a provider serves under the console's own origin can do nothing there; and no credential reaches a browser. */
import { describe, expect, test } from "bun:test";
import { type Browser, noBrowser, startBrowser } from "../support/browser.ts";
import { found, plantCanaries } from "../support/canaries.ts";
import { openConsole, visit } from "../support/console.ts";
import { startGateway } from "../support/gateway.ts";
import { recordingUpstream, reply } from "../support/recording-upstream.ts";

/** Whatever of it runs says so where it ran. */
const HOSTILE = `globalThis.hostile = true; try { document.title = "taken over"; document.body.append("taken over"); } catch {} try { postMessage("taken over"); onconnect = ({ ports }) => ports[0].postMessage("taken over"); } catch {}`;

async function hostileGateway() {
  const upstream = await recordingUpstream();
  const gateway = await startGateway({
    env: { OPENAI_API_KEY: "sk-test-fake-keys-0123456789", LMK_OPENAI_UPSTREAM: `${upstream.url}/v1` },
  });
  upstream.answer = ({ target }, socket, reader) => {
    const [type, body] = target.includes("page")
      ? [
          "text/html",
          `<!doctype html><body><script>${HOSTILE}</script><script src="/openai/v1/hostile/script"></script></body>`,
        ]
      : target.includes("style")
        ? ["text/css", "body { display: none !important }"]
        : ["text/javascript", HOSTILE];
    return reply({ body, headers: [["Content-Type", type]] })({ target } as never, socket, reader);
  };
  return { upstream, gateway };
}

/** Tries, inside of the console's page, all the ways in which a file of its own origin could come to run. */
async function attempt(key: string): Promise<string[]> {
  const ran: string[] = [];
  const at = (name: string) => `/openai/v1/hostile/${name}?key=${key}`;
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const global = globalThis as { hostile?: boolean };
  const add = async (name: string, element: HTMLElement, place: HTMLElement = document.body) => {
    place.append(element);
    await wait(200);
    if (global.hostile || document.title === "taken over") ran.push(name);
    global.hostile = false;
  };
  await add("script", Object.assign(document.createElement("script"), { src: at("script") }));
  await add("module", Object.assign(document.createElement("script"), { src: at("script"), type: "module" }));
  await add(
    "style",
    Object.assign(document.createElement("link"), { rel: "stylesheet", href: at("style") }),
    document.head,
  );
  if (getComputedStyle(document.body).display === "none") ran.push("style");
  const frame = Object.assign(document.createElement("iframe"), { src: at("page") });
  await add("iframe", frame);
  try {
    if ((frame.contentWindow as { hostile?: boolean } | null)?.hostile) ran.push("iframe");
  } catch {
    // Another origin: it could do nothing here.
  }
  await add("object", Object.assign(document.createElement("object"), { data: at("page") }));
  await add("embed", Object.assign(document.createElement("embed"), { src: at("page") }));
  await import(at("script")).then(
    () => ran.push("import"),
    () => undefined,
  );
  for (const kind of ["classic", "module"] as const) {
    try {
      const worker = new Worker(at("script"), { type: kind });
      worker.onmessage = () => ran.push(`worker ${kind}`);
    } catch {
      // Refused before it was loaded.
    }
  }
  await wait(600);
  await navigator.serviceWorker?.register(at("script")).then(
    () => ran.push("service worker"),
    () => undefined,
  );
  return ran;
}

describe.skipIf(noBrowser !== undefined)("the console's origin", () => {
  test("a hostile file of a provider's can be fetched as data, and acts in no way", async () => {
    const { gateway } = await hostileGateway();
    const browser = await startBrowser();
    const { page, context } = await openConsole(browser, gateway, { name: "olga", role: "owner" });
    await visit(page, gateway, "/users");
    // As data it comes through: what is shown below is that it cannot run, not that it is not there.
    const data = await page.evaluate(async (key) => {
      const answer = await fetch("/openai/v1/hostile/script", {
        headers: { authorization: `Bearer ${key}` },
      });
      return [answer.status, await answer.text()];
    }, gateway.key);
    expect(data).toEqual([200, HOSTILE]);
    expect(await page.evaluate(attempt, gateway.key)).toEqual([]);
    // Opened as a page, with the cookie of whoever is signed in.
    const answer = await page.goto(
      `http://localhost:${gateway.port}/openai/v1/hostile/page?key=${gateway.key}`,
    );
    expect(answer?.status()).toBe(403);
    expect(
      await page.evaluate(() => [document.title, (globalThis as { hostile?: boolean }).hostile]),
    ).toEqual(["", undefined]);
    await context.close();
  }, 90_000);

  test("the test itself sees a file that can act: without the console's policy and the gateway's refusal it would", async () => {
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) =>
        request.url.includes("/hostile/")
          ? new Response(HOSTILE, { headers: { "content-type": "text/javascript" } })
          : new Response("<!doctype html><title>t</title><body></body>", {
              headers: { "content-type": "text/html" },
            }),
    });
    const browser = await startBrowser();
    const { page } = await browser.open(`http://localhost:${server.port}/`);
    expect(await page.evaluate(attempt, "none")).toEqual(
      expect.arrayContaining(["script", "module", "import", "worker classic", "service worker"]),
    );
    await server.stop(true);
  }, 60_000);

  test("21 planted secrets are on no page, and nowhere in the heap of a browser that has seen every page", async () => {
    const { gateway, secrets } = await plantCanaries();
    const browser = await startBrowser();
    const { page, context } = await openConsole(browser, gateway, { name: "olga", role: "owner" });
    for (const path of [
      "/",
      "/requests",
      "/users",
      "/users/groups",
      "/keys",
      "/providers",
      "/providers/openai",
      "/providers/vertex",
      "/policies",
      "/prices",
      "/audit",
      "/settings",
      "/welcome",
      "/me",
      "/me/keys",
      "/me/setup",
      "/me/sign-in",
    ]) {
      await visit(page, gateway, path);
      expect([path, ...found(await page.content(), secrets)]).toEqual([path]);
    }
    await visit(page, gateway, "/providers/openai");
    await page.getByRole("button", { name: /^Test/ }).first().click();
    const heap = await heapOf(context, page);
    expect(heap).toContain("planted openai");
    expect(found(heap, secrets)).toEqual([]);
    // What the session's own cookie holds is not for scripts, either.
    for (const { value } of await context.cookies()) expect(heap).not.toContain(value);
  }, 120_000);
});

type Context = Awaited<ReturnType<Browser["open"]>>["context"];
type Page = Awaited<ReturnType<Browser["open"]>>["page"];

/** Everything that the page's script engine holds, as text. */
async function heapOf(context: Context, page: Page): Promise<string> {
  const session = await context.newCDPSession(page);
  const chunks: string[] = [];
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => chunks.push(chunk));
  await session.send("HeapProfiler.enable");
  await session.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  return chunks.join("");
}
