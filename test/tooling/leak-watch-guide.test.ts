/** What the guide publishes for scanners finds what LlaMaKey makes, and nothing beside it. */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createKey } from "../../src/domain/key.ts";
import { createPersonalToken } from "../../src/domain/personal-token.ts";
import { root } from "../support/gateway.ts";

const guide = readFileSync(join(root, "docs/guides/leak-watch.md"), "utf8");

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, "s").exec(guide)?.[1];
  if (found === undefined) throw new Error(`The guide has no block of ${language}.`);
  return found;
}

/** A row of the table on GitHub's custom patterns. */
function field(name: string): string {
  const found = new RegExp(`\\| ${name} \\| \`(.*)\` \\|`).exec(guide)?.[1];
  if (found === undefined) throw new Error(`The guide has no field ${name}.`);
  return found.replaceAll("\\|", "|").replace("\\A", "^").replace("\\z", "$");
}

const gitleaks = Bun.TOML.parse(block("toml")) as { rules: { regex: string; secretGroup: number }[] };
const trufflehog = Bun.YAML.parse(block("yaml")) as { detectors: { regex: { key: string } }[] };

/** Each scanner's expression, and the group that holds the secret. */
const patterns: readonly [scanner: string, pattern: RegExp, group: number][] = [
  ["the expression by itself", new RegExp(block("regexp"), "gm"), 0],
  ["gitleaks", new RegExp(gitleaks.rules[0]?.regex ?? "", "gm"), gitleaks.rules[0]?.secretGroup ?? 0],
  ["TruffleHog", new RegExp(trufflehog.detectors[0]?.regex.key ?? "", "gm"), 1],
  [
    "GitHub",
    new RegExp(`(?:${field("Before secret")})(${field("Secret format")})(?:${field("After secret")})`, "gm"),
    1,
  ],
];

describe.each(patterns)("%s", (_, pattern, group) => {
  const found = (text: string) => [...text.matchAll(pattern)].map((match) => match[group]);

  test("finds keys and tokens of every kind", () => {
    for (let n = 0; n < 200; n++) {
      const { id, text } = createKey();
      for (const key of [text, createKey(id).text, createPersonalToken().text]) {
        for (const around of ["@", "KEY=@\n", '{"key":"@"}', "https://h/openai/@/v1", "?key=@&a=b"])
          expect(found(around.replace("@", key))).toEqual([key]);
      }
      for (const alias of ["sk-", "sk-proj-", "sk-ant-", "sk-ant-api03-", "hf_"])
        expect(found(`KEY=${alias}${text}`)).toEqual([text]);
    }
  });

  test("finds no neighbour", () => {
    const { id, text } = createKey();
    for (const other of [
      `lmk_${id}_...`,
      text.slice(0, -1),
      `${text}x`,
      `${text}_x`,
      `x${text}`,
      text.replace("lmk_", "lmk-"),
      text.replace("lmk_", "lmkp."),
      text.replace("lmk_", "lmk_run_"),
      text.replace("lmk_", "LMK_"),
      text.replace(/_([^_]*)_/, "_$1-_"),
      "lmk_capability=k3yId00001.m1234567.abcdefghijklmnopqrstuvwxyz0123456789abcdefghijk",
    ])
      expect([other, found(other)]).toEqual([other, []]);
  });
});

test.skipIf(Bun.which("python3") === null)("the checksum is worked out as the guide says", () => {
  const right = [createKey().text, createPersonalToken().text];
  const wrong = right.map((text) => text.replace(/.$/, (last) => (last === "0" ? "1" : "0")));
  const script = `${block("python")}\nimport sys\nprint([is_key(text) for text in sys.argv[1:]])`;
  const { stdout } = spawnSync("python3", ["-c", script, ...right, ...wrong], { encoding: "utf8" });
  expect(stdout.trim()).toBe("[True, True, False, False]");
});
