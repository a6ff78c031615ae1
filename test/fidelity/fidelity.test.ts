/**
 * docs/fidelity.md says what the tests have shown, and nothing else. At the end of `npm test` its cells are compared
 * with what the suites have written down; alone, it is only read.
 */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NO_REASON, page, render, sections, shownIn } from "../../scripts/fidelity.mjs";
import { root } from "../support/gateway.ts";

const text = existsSync(page) ? readFileSync(page, "utf8") : "";
/** Those that have just run, without a failure. */
const ran = (process.env["FIDELITY_SUITES"] ?? "").split(",");
const judged = [...new Set(sections.map(({ suite }) => suite))].filter((suite) => ran.includes(suite));

/** Without releases, which another version of Python may have others of. */
function withoutReleases(section: string): string {
  return section.replaceAll(/^(\| [^|]+ \|)[^|]+\|/gm, "$1|");
}

/** By title. */
function sectionsOf(whole: string): Map<string, string> {
  const parts = whole.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.trim()]));
}

/** Where everything runs; elsewhere some is skipped. */
const isWhole = process.platform === "linux" && process.arch === "x64";
const without = isWhole ? "" : " (allowed: only on Linux x64 does everything run)";

test.skipIf(!isWhole).each(judged)(
  `what %s has shown is what the page says; else: node scripts/fidelity.mjs${without}`,
  (suite) => {
    const [said, shown] = [sectionsOf(text), sectionsOf(render(shownIn))];
    for (const { title } of sections.filter((section) => section.suite === suite))
      expect(withoutReleases(said.get(title) ?? "")).toBe(withoutReleases(shown.get(title) ?? ""));
  },
);

test("every cell is a yes, or has a reason", () => {
  const rows = text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| SDK "));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    const [, sdk, , , provider, ...cells] = row.split("|").map((cell) => cell.trim());
    const reasons = text.split("\n").filter((line) => line.startsWith(`- ${sdk} with ${provider}, `));
    const empty = cells.slice(0, -1).filter((cell) => cell !== "yes");
    for (const cell of empty) expect(cell).toBe("–");
    // Two tables may have the same row.
    expect(reasons.length).toBeGreaterThanOrEqual(empty.length);
  }
  expect(text).not.toContain(NO_REASON);
});

test("the releases are those that are installed for the tests", () => {
  const pins = [
    "package.json",
    "test/sdk-proxy/package.json",
    "test/agents/package.json",
    "test/sdk-python/requirements.in",
    "test/agents/aider.in",
    "test/agents/libraries.in",
  ].map((file) => readFileSync(join(root, file), "utf8"));
  // What a pinned library brings with it.
  const lock = readFileSync(join(root, "test/agents/libraries.txt"), "utf8");
  for (const row of text.split("\n")) {
    const [, sdk, release, language] = row.split("|").map((cell) => cell.trim());
    if (language !== "Python" && language !== "TypeScript") continue;
    const pin = language === "Python" ? `${sdk}==${release}` : `"${sdk}": "${release}"`;
    const extras = `${sdk}[requests]==${release}`;
    expect([pin, [...pins, lock].some((one) => one.includes(pin) || one.includes(extras))]).toEqual([
      pin,
      true,
    ]);
  }
});
