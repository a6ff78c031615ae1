/** A claim link, from the administrator's terminal to a user's first call. */
import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { axeViolations, type Browser, noBrowser, startBrowser, type View } from "../support/browser.ts";
import { startChatUpstream } from "../support/chat-upstream.ts";
import { startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { poll } from "../support/poll.ts";

const upstream = await startChatUpstream();
const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: "sk-test-fake-keys-0123456789",
    LMK_OPENAI_UPSTREAM: upstream.base,
    ANTHROPIC_API_KEY: "sk-ant-test-fake-keys-0123456789",
    LMK_ANTHROPIC_UPSTREAM: upstream.base,
  },
});

let users = 0;
async function newUser(): Promise<string> {
  const name = `user${users++}`;
  await gateway.api("POST", "/users", { name });
  return name;
}

interface Made {
  claim: { id: string };
  url: string;
}

async function claimFor(user: string, more: object = {}): Promise<Made> {
  return gateway.api("POST", "/claims", { user, ...more });
}

function use(url: string, path = "key", body?: string): Promise<Response> {
  return fetch(`${gateway.url}/claim/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: body ?? JSON.stringify({ token: new URL(url).hash.slice(1) }),
  });
}

async function keysOf(user: string): Promise<unknown[]> {
  return (await gateway.api<{ items: unknown[] }>("GET", `/keys?user=${user}`)).items;
}

async function says(response: Response): Promise<[number, string]> {
  return [response.status, ((await response.json()) as { message: string }).message];
}

describe("a claim link", () => {
  test("is printed once, and its token is stored nowhere and reaches no log", async () => {
    const user = await newUser();
    const made = await runLmk(gateway, ["key", "claim", user, "--ttl", "2h", "--name", "laptop"]);
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining(`For ${user}, once, until`) });
    const token = new URL(made.out.trim()).hash.slice(1);
    expect(made.out).toStartWith(`${gateway.url}/claim#`);
    const [id, secret] = token.split(".") as [string, string];
    const listed = await runLmk(gateway, ["key", "claims", "--user", user]);
    expect(listed.out).toContain(id);
    expect(listed.out).toContain("open");
    expect((await use(made.out.trim())).status).toBe(200);
    for (const path of ["/claims", "/audit?limit=1000", "/requests"])
      expect(JSON.stringify(await gateway.api("GET", path))).not.toContain(secret);
    expect(gateway.stdout() + gateway.stderr()).not.toContain(secret);
    const stored = Bun.spawnSync(["grep", "-rlaF", secret, gateway.dataDir]);
    expect(stored.stdout.toString()).toBe("");
    const { items } = await gateway.api<{ items: object[] }>("GET", "/audit?action=key.claim");
    expect(items[0]).toMatchObject({
      actor: { kind: "user", name: user },
      address: "127.0.0.1",
      after: { name: "laptop", claimId: id },
    });
    expect((await runLmk(gateway, ["key", "claims", "--user", user])).out).toContain("claimed");
  });

  test("makes one key, of 50 that use it at once", async () => {
    const user = await newUser();
    const { url } = await claimFor(user);
    const answers = await Promise.all(Array.from({ length: 50 }, () => use(url)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 410)).toHaveLength(49);
    expect(await keysOf(user)).toHaveLength(1);
  });

  test("is used up by nothing but the button: not by opening it, nor by asking how it stands", async () => {
    const user = await newUser();
    const { url } = await claimFor(user);
    for (const method of ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
      await fetch(url, { method, headers: { "user-agent": "Slackbot-LinkExpanding 1.0" } });
    for (let n = 0; n < 3; n++) expect((await use(url, "state")).status).toBe(200);
    expect((await fetch(`${gateway.url}/claim/key`)).status).toBe(405);
    expect(await keysOf(user)).toEqual([]);
    expect((await use(url)).status).toBe(200);
  });

  test("says why it makes no key: used, taken back, expired, cut short, its user cut off", async () => {
    const user = await newUser();
    const [used, revoked, expired, cutOff, late] = [
      await claimFor(user),
      await claimFor(user),
      await claimFor(user, { ttlSeconds: 1 }),
      await claimFor(user),
      await claimFor(user, { keyExpiresAt: new Date(Date.now() + 60_000).toISOString() }),
    ] as [Made, Made, Made, Made, Made];
    await use(used.url);
    expect(await says(await use(used.url))).toEqual([410, expect.stringContaining("used already")]);
    await runLmk(gateway, ["key", "unclaim", revoked.claim.id]);
    expect(await says(await use(revoked.url))).toEqual([410, expect.stringContaining("taken back")]);
    await Bun.sleep(1100);
    expect(await says(await use(expired.url))).toEqual([410, expect.stringContaining("has expired")]);
    const token = new URL(cutOff.url).hash.slice(1);
    const changed = `${token.slice(0, -1)}${token.endsWith("x") ? "y" : "x"}`;
    expect(await says(await use("", "key", JSON.stringify({ token: changed })))).toEqual([
      404,
      expect.stringContaining("not known here"),
    ]);
    for (const body of [`{"token":"${token.slice(0, 20)}"}`, "{}", "[]", "null", "{", '{"token":1}'])
      expect([body, (await use("", "key", body)).status]).toEqual([body, 400]);
    await gateway.api("PATCH", `/users/${user}`, { revoked: true });
    expect((await says(await use(cutOff.url)))[0]).toBe(403);
    await gateway.api("PATCH", `/users/${user}`, { revoked: false });
    const made = (await (await use(late.url)).json()) as { keyExpiresAt: string };
    expect(Date.parse(made.keyExpiresAt)).toBeLessThan(Date.now() + 60_000);
    // One that was used is not taken back: its key is.
    const again = await runLmk(gateway, ["key", "unclaim", used.claim.id]);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("revoke that one")]);
  });

  test("opens a page that runs nothing but its own files, in nobody's frame", async () => {
    const response = await fetch(`${gateway.url}/claim`);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    const html = await response.text();
    expect(html).not.toMatch(/<script(?! src="\/claim\/claim\.js" defer>)|<style|style=|\son\w+=/);
    const script = await (await fetch(`${gateway.url}/claim/claim.js`)).text();
    // What the function is made of must be all that it needs.
    expect(() => new Function(script)).not.toThrow();
    expect((await fetch(`${gateway.url}/claim/other`)).status).toBe(404);
  });
});

describe.skipIf(noBrowser !== undefined)("its page", async () => {
  const browser = noBrowser === undefined ? await startBrowser() : undefined;
  const open = (url: string, view: View = {}) => (browser as Browser).open(url, view);
  const picture = (page: Page, name: string) => (browser as Browser).screenshot(page, name);

  const press = async (page: Page) => {
    await page.getByRole("button", { name: "Make my key" }).click();
    await page.getByRole("heading", { name: "Your key" }).waitFor();
    await page.locator("#made").waitFor();
  };

  test("makes the key on a press, shows it once with its set-up, and the key answers", async () => {
    const user = await newUser();
    const { url } = await claimFor(user, { keyName: "laptop" });
    const { page, problems, hosts } = await open(url);
    await page.getByText(`This link makes a key for ${user}`).waitFor();
    expect(await keysOf(user)).toEqual([]);
    expect(await axeViolations(page)).toEqual([]);
    await picture(page, "claim-light");

    await press(page);
    const secret = (await page.locator("#key").textContent()) ?? "";
    expect(secret).toMatch(/^lmk_\w{50}$/);
    // Nothing of it stays in the address, and a screen reader is told where it is now.
    expect(page.url()).toBe(`${gateway.url}/claim`);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("made-title");
    expect(await axeViolations(page)).toEqual([]);
    await picture(page, "claim-made-light");

    await page.locator("#made").getByRole("button", { name: "Copy" }).click();
    await poll("the key in the clipboard", async () =>
      (await page.evaluate(() => navigator.clipboard.readText())) === secret ? true : undefined,
    );

    // What the page says to type is what makes a shell work.
    const line = await page.locator("#shells pre").first().textContent();
    const shell = Bun.spawn(
      [
        "sh",
        "-c",
        `${line}\ncurl -s -o /dev/null -w '%{http_code}' $OPENAI_BASE_URL/models -H "authorization: Bearer $OPENAI_API_KEY"`,
      ],
      { env: { PATH: process.env["PATH"] ?? "" }, stdout: "pipe", stderr: "inherit" },
    );
    expect(await new Response(shell.stdout).text()).toBe("200");
    const [row] = await gateway.rowsOf(user, 1);
    expect(row).toMatchObject({ keyName: "laptop", userName: user });

    for (const name of ["fish", "PowerShell", "Codex", "Python", "curl", "Claude Code"]) {
      await page.getByRole("radio", { name }).check();
      const group = name === "fish" || name === "PowerShell" ? "#shells" : "#tools";
      expect([name, await page.locator(group).textContent()]).toEqual([
        name,
        expect.stringContaining(secret),
      ]);
      expect(await axeViolations(page)).toEqual([]);
    }
    await page.getByRole("radio", { name: "fish" }).press("ArrowRight");
    expect(await page.getByRole("radio", { name: "PowerShell" }).isChecked()).toBe(true);
    expect(problems).toEqual([]);
    expect([...hosts]).toEqual([new URL(gateway.url).host]);

    // Opened again, it makes none.
    const second = await open(url);
    await second.page.getByText("used already").waitFor();
    expect(await second.page.getByRole("button", { name: "Make my key" }).isVisible()).toBe(false);
    expect(await axeViolations(second.page)).toEqual([]);
    await picture(second.page, "claim-used-light");
    await gateway.api("PATCH", `/keys/${secret.slice(4, 14)}`, { revoked: true });
  }, 60_000);

  test("in the dark and on a phone, by keyboard alone", async () => {
    const user = await newUser();
    for (const [name, view] of [
      ["dark", { scheme: "dark" }],
      ["phone", { width: 390, height: 844 }],
      ["phone-dark", { scheme: "dark", width: 320, height: 640 }],
    ] as const) {
      const { url } = await claimFor(user);
      const { page, problems } = await open(url, view);
      await page.getByText("This link makes a key").waitFor();
      await picture(page, `claim-${name}`);
      expect(await axeViolations(page)).toEqual([]);
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.locator("#made").waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await picture(page, `claim-made-${name}`);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect([name, overflow]).toEqual([name, 0]);
      expect(problems).toEqual([]);
    }
  }, 60_000);

  test("waits for a gateway that is not there, and makes the key when it is back", async () => {
    const user = await newUser();
    const { url } = await claimFor(user);
    const { page } = await open(url);
    const button = page.getByRole("button", { name: "Make my key" });
    await button.waitFor();
    await page.route("**/claim/key", (route) => route.abort());
    await button.click();
    await page.getByText("does not answer").waitFor();
    await page.unroute("**/claim/key");
    await press(page);
    expect(await poll("key", async () => (await keysOf(user)).length || undefined)).toBe(1);
  }, 60_000);
});
