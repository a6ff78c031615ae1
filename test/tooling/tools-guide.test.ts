/** docs/guides/tools.md says what the data say. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "../../src/client/agents/agent.ts";
import { agents } from "../../src/client/agents/catalogue.ts";
import { snippets } from "../../src/client/snippets/catalogue.ts";

const guide = readFileSync(join(import.meta.dir, "../../docs/guides/tools.md"), "utf8");

test.each(agents)("$id stands in the guide, with its files", ({ id, name, files }) => {
  const row = guide.split("\n").find((line) => line.startsWith(`| \`${id}\` | ${name} |`)) ?? "";
  expect(row).not.toBe("");
  const machine: Machine = {
    environment: {},
    platform: "linux",
    home: "~",
    folder: ".",
    exists: () => false,
  };
  for (const { path } of files) expect(row).toContain(`\`${path(machine).replace(/^\.\//, "")}\``);
});

test.each(snippets)("$id stands in the guide, line by line", ({ id, install, code }) => {
  expect(guide).toContain(`\`lmk snippet ${id}\`${install === undefined ? "" : `, with \`${install}\``}\n`);
  expect(guide).toContain(`\n${code}\`\`\`\n`);
});
