/** A budget is set, used up, asked for and raised, all in browsers; no call goes over it. */
import { describe, expect, test } from "bun:test";
import { startStandIn } from "../../src/serve/stand-in.ts";
import { axeViolations, noBrowser, startBrowser } from "../support/browser.ts";
import { atEnd } from "../support/cleanup.ts";
import { load, openConsole, visit } from "../support/console.ts";
import { startGateway } from "../support/gateway.ts";

const SECRET = "sk-simulated-budget-0123456789";

describe.skipIf(noBrowser !== undefined)("a budget", () => {
  test("is set, exceeded by nothing, asked for by its user, and granted with one click", async () => {
    const standIn = startStandIn(SECRET);
    atEnd(() => standIn.stop());
    const gateway = await startGateway({
      env: { OPENAI_API_KEY: SECRET, LMK_OPENAI_UPSTREAM: `${standIn.url}/openai/v1` },
    });
    const browser = await startBrowser();
    const { secret } = await gateway.addUser("milo");
    const ask = async () => {
      const answer = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        body: JSON.stringify({
          model: "gpt-4o-mini",
          max_tokens: 1000,
          messages: [{ role: "user", content: "hello ".repeat(100) }],
        }),
      });
      await answer.bytes();
      return answer.status;
    };

    const admin = await openConsole(browser, gateway, { name: "olga", role: "admin" }, { width: 1360 });
    await visit(admin.page, gateway, "/policies/user%3Amilo");
    await admin.page.getByRole("button", { name: "New budget" }).click();
    const budget = admin.page.getByRole("dialog", { name: "New budget" });
    await budget.getByLabel("Amount").fill("0.002");
    expect(await axeViolations(admin.page)).toEqual([]);
    await budget.getByRole("button", { name: "Put in force" }).click();
    await budget.waitFor({ state: "hidden" });
    expect(await ask()).toBe(200);
    let last = 200;
    for (let call = 0; call < 200 && last === 200; call++) last = await ask();
    expect(last).toBe(402);

    const user = await openConsole(
      browser,
      gateway,
      { name: "milo", role: "member" },
      { width: 390, height: 844 },
    );
    await user.page.getByRole("heading", { name: "My LlaMaKey" }).waitFor();
    await user.page.getByText(/of \$0\.0020? a month/).waitFor();
    await user.page.getByRole("button", { name: "Ask for more" }).click();
    const asking = user.page.getByRole("dialog", { name: "Ask for more" });
    await asking.getByLabel("It should have").fill("1");
    await asking.getByLabel("Why").fill("The evaluation of the week.");
    expect(await axeViolations(user.page)).toEqual([]);
    await asking.getByRole("button", { name: "Ask", exact: true }).click();
    await asking.waitFor({ state: "hidden" });

    await load(admin.page, gateway, "/");
    await admin.page.getByText("The evaluation of the week.").waitFor();
    expect(await axeViolations(admin.page)).toEqual([]);
    await admin.page.getByRole("button", { name: /^Grant milo/ }).click();
    await admin.page.getByText("milo has it now").waitFor();
    expect(await ask()).toBe(200);
    await load(user.page, gateway, "/me/asks");
    await user.page.getByText("granted").waitFor();
    expect([...admin.problems, ...user.problems].filter((one) => !one.includes("401"))).toEqual([]);
  }, 120_000);
});
