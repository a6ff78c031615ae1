/**
 * The end of every run: over all that the stand-ins of the other suites received, and all that was sent elsewhere, no
 * master key and no credential is where it does not belong. `npm test` keeps the record and names its suites.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Note } from "../support/record.ts";
import { judge, strays } from "./check.ts";

const folder = process.env["EGRESS_RECORDS"] ?? "";
const suites = (process.env["EGRESS_SUITES"] ?? "").split(",").filter((name) => name !== "");
/** Why the suites' network could not be sealed, where that was so. */
const unsealed = process.env["EGRESS_UNSEALED"];

function recordOf(suite: string): Note[] {
  // Beside them stand the names that the suite's network has.
  const files = readdirSync(join(folder, suite)).filter((file) => file.endsWith(".jsonl"));
  const lines = files.flatMap((file) =>
    readFileSync(join(folder, suite, file), "utf8")
      .trim()
      .split("\n"),
  );
  return lines.map((line) => JSON.parse(line) as Note);
}

/** Who must have been asked, so that a record with nothing in it is no success. */
const ASKED: { readonly [suite: string]: readonly string[] } = {
  "sdk-python": [
    ...["openai", "anthropic", "gemini", "azure", "cohere", "mistral", "perplexity", "huggingface", "hf-lab"],
    ...["anyscale", "groq", "together", "deepseek", "openrouter", "vertex", "vectara", "storage"],
  ],
  "sdk-node": [
    ...["openai", "anthropic", "gemini", "azure", "cohere", "mistral", "perplexity", "huggingface", "hf-lab"],
    ...["groq", "together", "openrouter", "vertex", "storage"],
  ],
  "sdk-proxy": [
    ...["mistral", "huggingface", "vectara", "cohere"],
    ...["voyage", "elevenlabs", "deepgram", "tavily", "replicate"],
  ],
  journeys: ["openai", "vertex", "vectara"],
  agents: ["openai", "anthropic", "gemini"],
};

/** Where programs of others look for their own updates and extensions, however they are set up; no provider is there. */
const NOT_OURS: { readonly [suite: string]: RegExp } = {
  agents: /, for (?:api\.|raw\.)?github(?:usercontent)?\.com$|, for registry\.npmjs\.org$/,
};

test("no stand-in of these suites listens without being recorded", () => {
  const own = ["sdk-node", "sdk-proxy", "journeys", "agents", "support"].flatMap((name) =>
    readdirSync(join(import.meta.dir, "..", name)).map((file) => join(name, file)),
  );
  const bare = own.filter((path) => {
    if (!path.endsWith(".ts")) return false;
    const text = readFileSync(join(import.meta.dir, "..", path), "utf8");
    return /\bBun\.(?:serve|listen)\(|\bcreateServer\(/.test(text);
  });
  // The recorder, what is recorded by it or passes on to it, and a trap that ends whatever connects.
  // No request of these suites needs an identity provider: only whoever signs in to the console is sent to one.
  const known = [
    "aimock.ts",
    // Of security and browser, which plant secrets there and search for them themselves.
    "canaries.ts",
    "identity-provider.ts",
    // Of the client's own tests, which send no credential.
    "raw-upstream.ts",
    "real-hosts.ts",
    "record.ts",
    "recording-upstream.ts",
    "trap.ts",
  ];
  // Users' own master keys in their prompts are what leak watch is about: that file says itself what may be where.
  const leaks = join("journeys", "leak-watch.test.ts");
  expect(bare.sort()).toEqual([leaks, ...known.map((name) => join("support", name))]);
});

describe.each(suites)("over all requests of %s", (suite) => {
  const record = recordOf(suite);

  test("each provider was sent its own credential, in its own place, and no other anywhere", () => {
    const { requests, findings } = judge(record);
    expect(findings).toEqual([]);
    expect([...requests.keys()]).toEqual(expect.arrayContaining([...(ASKED[suite] ?? ["?"])]));
  });

  test.skipIf(unsealed !== undefined)(
    `nothing was sent to anywhere but the stand-ins${unsealed === undefined ? "" : ` (${unsealed})`}`,
    () => {
      expect(record).toContainEqual({ what: "sealed" });
      expect(strays(record).filter((stray) => !NOT_OURS[suite]?.test(stray))).toEqual([]);
    },
  );
});
