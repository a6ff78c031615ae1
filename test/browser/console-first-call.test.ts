/** From the link that the first start prints to the first call, appearing live: nothing but a browser. */
import { describe, expect, test } from "bun:test";
import { startStandIn } from "../../src/serve/stand-in.ts";
import { axeViolations, noBrowser, startBrowser } from "../support/browser.ts";
import { atEnd } from "../support/cleanup.ts";
import { signInByLink } from "../support/console.ts";
import { startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";

const SECRET = "sk-simulated-first-call-0123456789";

/** What these lines print in a shell that knows nothing else. */
function inShell(lines: string): Promise<string> {
  const shell = Bun.spawn(["sh", "-c", lines], {
    env: { PATH: process.env["PATH"] ?? "" },
    stdout: "pipe",
    stderr: "inherit",
  });
  return new Response(shell.stdout).text();
}

describe.skipIf(noBrowser !== undefined)("the first start", () => {
  test("leads from a printed link to a first call that appears by itself", async () => {
    const standIn = startStandIn(SECRET);
    atEnd(() => standIn.stop());
    const gateway = await startGateway({ env: { LMK_OPENAI_UPSTREAM: `${standIn.url}/openai/v1` } });
    const browser = await startBrowser();
    const link = /http:\/\/localhost:\d+\/console\/#link=\w+/.exec(gateway.stdout())?.[0];
    const { page, problems } = await browser.open(link ?? "", { width: 1360 });
    page.setDefaultTimeout(15_000);
    await signInByLink(page);
    expect(page.url()).not.toContain("link=");

    await page.getByRole("link", { name: "Set up the first call" }).click();
    await page.getByRole("heading", { name: "Three steps to the first call" }).waitFor();
    await page.getByRole("button", { name: "Add a credential" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a credential" });
    await dialog.getByRole("combobox", { name: "Provider" }).click();
    await page.getByRole("option", { name: "OpenAI", exact: true }).click();
    await dialog.getByLabel("Secret").fill(SECRET);
    expect(await axeViolations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Add and test" }).click();
    await dialog.getByText("It works").waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByText(/openai \(.*\) is ready/).waitFor();

    await page.getByLabel("Name").fill("zoe");
    await page.getByRole("button", { name: "Make user and key" }).click();
    await page.getByText("Waiting for the first call").waitFor();
    // What is copied makes a shell's environment one in which an unchanged client works.
    await page
      .locator(".code")
      .filter({ hasText: "/lmk/env" })
      .getByRole("button", { name: /^Copy/ })
      .click();
    const exports = await poll("exports in the clipboard", async () => {
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      return /lmk_\w{10}_\w{32}_\w{6}/.test(copied) ? copied : undefined;
    });
    const first = await inShell(
      `${exports}\ncurl -s "$OPENAI_BASE_URL/chat/completions" -H "authorization: Bearer $OPENAI_API_KEY" -H "content-type: application/json" -d '{"model":"gpt-5-mini","messages":[{"role":"user","content":"hello"}]}'`,
    );
    expect(first).toContain("This answer is simulated");
    await page.getByText("The first call is here").waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await browser.screenshot(page, "first-call");

    await page.getByRole("tab", { name: "Try it now" }).click();
    await page.getByRole("button", { name: "Make the call" }).click();
    await page.getByText("This answer is simulated").waitFor();

    const [row, tried] = await gateway.rowsOf("zoe", 2);
    expect(tried).toMatchObject({ userName: "zoe", provider: "openai", model: "gpt-4o-mini", status: 200 });
    expect(row).toMatchObject({ userName: "zoe", provider: "openai", model: "gpt-5-mini", status: 200 });
    await page.getByRole("link", { name: "Look at it" }).click();
    await page
      .getByRole("dialog", { name: "A call" })
      .getByText(row?.id ?? "")
      .waitFor();
    expect(problems.filter((one) => !one.includes("401"))).toEqual([]);
  }, 90_000);
});
