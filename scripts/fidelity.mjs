/**
 * `node scripts/fidelity.mjs`, after `npm test`: writes docs/fidelity.md, what of each SDK, agent and library is tested,
 * from what the tests wrote down when they passed. At the end of `npm test` the suite `fidelity` compares.
 *
 * @typedef {"plain" | "stream" | "upload" | "error" | "task" | "undo" | "answer"} Cell
 * @typedef {{ sdk: string, provider: string, language: string, version: string, cell: Cell }} Shown
 * @typedef {{ suite: string, title: string, about: string, columns: readonly Cell[] }} Section
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
export const records = `${root}.cache/test/fidelity`;
export const page = `${root}docs/fidelity.md`;

const calls = /** @type {const} */ (["plain", "stream", "upload", "error"]);
/** @type {Record<string, string>} */
const headings = { task: "a task with tools, streamed", undo: "`--undo`, to the byte", answer: "an answer" };

/** @type {readonly Section[]} */
export const sections = [
  {
    suite: "sdk-python",
    title: "Python, by the exports",
    about:
      "The synchronous and the asynchronous client, where there are both. Those that read no base address from the environment are given it in [one argument](guides/sdks.md).",
    columns: calls,
  },
  {
    suite: "sdk-node",
    title: "TypeScript, by the exports",
    about: "On Bun. Those that read no base address are given it in [one argument](guides/sdks.md).",
    columns: calls,
  },
  {
    suite: "sdk-proxy",
    title: "By `lmk env --proxy` alone",
    about: "SDKs that read no base address, TypeScript's on Node 24; nothing is configured in the code.",
    columns: calls,
  },
  {
    suite: "agents",
    title: "Coding agents, by `lmk configure` alone",
    about: "Headless. What it cost is in the log of the key that it was set up with.",
    columns: ["task", "undo"],
  },
  {
    suite: "agents",
    title: "Libraries and tools, by `lmk snippet`",
    about: "Run as it is printed.",
    columns: ["answer"],
  },
];

/** Nothing stands so in the page that is committed: the tests see to that. */
export const NO_REASON = "not tested";
const json = "its calls are JSON alone";
const noFile = "it has no call that takes a file";
const token = "it makes tokens, and plain calls with them";

/**
 * Why there is nothing to try, by SDK and cell; for one provider alone, `SDK with provider`.
 *
 * @type {Record<string, Partial<Record<Cell, string>>>}
 */
const absent = {
  "google-auth": { stream: token, upload: token },
  "google-auth-library": { stream: token, upload: token },
  "google-genai with Vertex AI": { upload: "the SDK has files with Gemini alone" },
  "@google/genai with Vertex AI": { upload: "the SDK has files with Gemini alone" },
  "anthropic with Vertex AI": { upload: "Vertex AI has no files of Anthropic's" },
  "@perplexity-ai/perplexity_ai": { upload: "this release has no call that takes a file" },
  "tavily-python": { upload: noFile },
  "@tavily/core": { upload: noFile },
  voyageai: { stream: "embeddings come whole", upload: json },
};

/**
 * The whole page.
 *
 * @param {(suite: string) => readonly Shown[]} shownBy
 */
export function render(shownBy) {
  const parts = sections.map((section) => renderSection(section, shownBy(section.suite)));
  return `# What is tested

Written by the tests (\`node scripts/fidelity.mjs\` after \`npm test\`): a "yes" is a call that was made with the provider's
own SDK, in the release named here, through the gateway. **plain** is an answer in one piece, **stream** one that arrives
event by event, **upload** a file or a recording that arrives whole, **error** a refusal that arrives as the SDK's own
error. [transparency.md](transparency.md) says what differs on the wire.

${parts.join("\n")}`;
}

/** @param {Section} section @param {readonly Shown[]} shown */
function renderSection({ title, about, columns }, shown) {
  /** @type {Map<string, { of: Shown, cells: Set<Cell> }>} */
  const rows = new Map();
  for (const one of shown) {
    if (!columns.includes(one.cell)) continue;
    const key = [one.sdk, one.language, one.provider].join("\n");
    const row = rows.get(key) ?? { of: one, cells: new Set() };
    rows.set(key, row);
    row.cells.add(one.cell);
  }
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  /** @type {string[]} */
  const notes = [];
  const lines = sorted.map(({ of, cells }) => {
    const marks = columns.map((cell) => (cells.has(cell) ? "yes" : "–"));
    const missing = columns.filter((cell) => !cells.has(cell));
    for (const cell of missing)
      notes.push(`- ${of.sdk} with ${of.provider}, ${cell}: ${reasonFor(of, cell)}.`);
    return `| ${[of.sdk, of.version, of.language, of.provider, ...marks].join(" | ")} |`;
  });
  const head = ["SDK", "release", "language", "with", ...columns.map((cell) => headings[cell] ?? cell)];
  const table = [`| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...lines].join("\n");
  return `## ${title}\n\n${about}\n\n${table}\n${notes.length === 0 ? "" : `\n${notes.join("\n")}\n`}`;
}

/** @param {Shown} of @param {Cell} cell */
function reasonFor({ sdk, provider }, cell) {
  return absent[`${sdk} with ${provider}`]?.[cell] ?? absent[sdk]?.[cell] ?? NO_REASON;
}

/** @param {string} suite @returns {readonly Shown[]} what its tests wrote down in the last run */
export function shownIn(suite) {
  const file = `${records}/${suite}.jsonl`;
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lacking = sections.map(({ suite }) => suite).filter((suite) => shownIn(suite).length === 0);
  if (lacking.length > 0) {
    const names = [...new Set(lacking)].join(", ");
    console.error(`The last run has shown nothing of ${names}. Run npm test first.`);
    process.exit(1);
  }
  writeFileSync(page, render(shownIn));
  console.log("docs/fidelity.md is written.");
}
