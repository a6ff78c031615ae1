/** What the documents name is there: links, files, scripts, commands with their options, settings. */
import { describe, expect, spyOn, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { runProgram } from "../../src/commands/program.ts";
import { knownProviders } from "../../src/providers/catalogue.ts";

const checkout = join(import.meta.dir, "../..");

function filesBelow(folder: string, kind: RegExp): string[] {
  return readdirSync(join(checkout, folder), { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => kind.test(path) && !path.includes("node_modules"));
}

const documents = [
  ...readdirSync(checkout).filter((name) => name.endsWith(".md")),
  ...filesBelow("docs", /\.md$/),
].map((path) => ({ path, text: readFileSync(join(checkout, path), "utf8") }));
const sources = ["src", "web", "test", "bench", "scripts", "bin"].flatMap((folder) =>
  filesBelow(folder, /\.(?:tsx?|mjs|py|json|c|css)$/),
);

/** What stands in backquotes, in line and in blocks, a line each. */
function codeIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```\w*\n(.*?)^```/gms)].map(([, code = ""]) => code);
  const prose = text.replaceAll(/^```\w*\n.*?^```/gms, "");
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replaceAll("\n", " "));
  return [...blocks.flatMap((block) => block.split("\n")), ...spans];
}

const code = documents.flatMap(({ path, text }) => codeIn(text).map((line) => ({ path, line })));

test("links lead to files, and to headings in them", () => {
  const dead = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)|src(?:set)?="([^"]+)"/g)].flatMap(([, link, image]) => {
      const target = link ?? image ?? "";
      if (/^[a-z]+:/.test(target)) return [];
      const [file = "", heading] = target.split("#");
      const found = file === "" ? path : join(dirname(path), file);
      if (!existsSync(join(checkout, found))) return [`${path}: ${target}`];
      if (heading === undefined) return [];
      const headings = [...readFileSync(join(checkout, found), "utf8").matchAll(/^#+ (.+)$/gm)];
      return headings.some(([, title = ""]) => slug(title) === heading) ? [] : [`${path}: ${target}`];
    }),
  );
  expect(dead).toEqual([]);
});

/** As GitHub makes it of a heading. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

test("files of ours that are named exist", () => {
  const named = code.flatMap(({ path, line }) =>
    [...line.matchAll(/(?:^|[\s(])((?:[\w-]+\/)*[\w-]+(?:\.test)?\.(?:tsx?|mjs))(?=$|[\s),:])/g)].map(
      ([, file = ""]) => ({ path, file }),
    ),
  );
  expect(named.length).toBeGreaterThan(80);
  const missing = named.filter(({ file }) => !/(?:^|\/)acme\.ts$/.test(file) && !isThere(file));
  expect(missing).toEqual([]);
  const folders = code.flatMap(({ path, line }) =>
    /^(?:src|web|test|bench|scripts|docs)\/[\w/-]*$/.test(line) ? [{ path, folder: line }] : [],
  );
  expect(folders.filter(({ folder }) => !existsSync(join(checkout, folder)))).toEqual([]);
});

function isThere(file: string): boolean {
  return sources.some((path) => path === file || path.endsWith(`/${file}`));
}

test("scripts of npm that are named exist", () => {
  const { scripts } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = code.flatMap(({ path, line }) =>
    [...line.matchAll(/npm (?:run ([\w:]+)|(start|test)\b)/g)].map(([, run, short]) => ({
      path,
      script: run ?? short ?? "",
    })),
  );
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter(({ script }) => scripts[script] === undefined)).toEqual([]);
});

describe("commands", () => {
  const helps = new Map<string, Promise<{ verbs: string[]; options: string[] }>>();
  /** What `lmk <words> --help` says that there is. */
  function help(words: readonly string[]) {
    const name = words.join(" ");
    const known = helps.get(name) ?? helpOf(words);
    helps.set(name, known);
    return known;
  }

  async function helpOf(words: readonly string[]) {
    let out = "";
    const written = spyOn(process.stdout, "write").mockImplementation((piece) => {
      out += String(piece);
      return true;
    });
    const never = async () => {
      throw new Error("Help runs nothing.");
    };
    const io = {
      environment: {},
      folder: "/nowhere",
      platform: "linux",
      print: never,
      note: () => {},
      readSecret: never,
      confirm: never,
    } as const;
    const actions = { serve: never, demo: never, verify: never, version: "0" };
    const exitCode = await runProgram([...words, "--help"], actions, io).finally(() => written.mockRestore());
    expect([words, exitCode]).toEqual([words, 0]);
    const [head = "", commands = ""] = out.split(/^Commands:$/m);
    return {
      verbs: [...commands.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, verb = ""]) => verb),
      options: [...head.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, option = ""]) => option),
    };
  }

  /** Command lines: what stands behind `lmk`, as far as it is the shell's own words. */
  function linesIn(line: string): string[] {
    const parts = line.split(/ \| | && |; |\$\(| # | -- /);
    return parts.flatMap((part) => /^\s*(?:npx )?lmk( .*)?$/.exec(part)?.[1]?.trim() ?? []);
  }

  /** @returns what is wrong with it, if anything. */
  async function problemOf(text: string): Promise<string | undefined> {
    const words = text.replaceAll(/["'][^"']*["']/g, "x").split(/\s+/);
    const path: string[] = [];
    for (const word of words) {
      const { verbs } = await help(path);
      if (verbs.length === 0 || word.startsWith("-")) break;
      const all = word.split("|");
      const unknown = all.find((verb) => !verbs.includes(verb));
      if (unknown !== undefined) return `lmk ${[...path, unknown].join(" ")} is no command`;
      path.push(all[0] ?? "");
    }
    const { options } = await help(path);
    const given = words.flatMap((word) => /^(--[a-z][\w-]*)/.exec(word)?.[1] ?? []);
    const unknown = given.find((option) => !options.includes(option) && !options.includes(positive(option)));
    return unknown && `lmk ${path.join(" ")} has no ${unknown}`;
  }

  function positive(option: string): string {
    return option.replace(/^--no-/, "--");
  }

  test("that are named exist, with their options", async () => {
    const named = code.flatMap(({ path, line }) => linesIn(line).map((text) => ({ path, text })));
    expect(named.length).toBeGreaterThan(120);
    const wrong = [];
    for (const { path, text } of named) {
      const problem = await problemOf(text);
      if (problem !== undefined) wrong.push(`${path}: ${problem}`);
    }
    expect(wrong).toEqual([]);
  });

  test("that do not exist would be found", async () => {
    expect(await problemOf("key forget k3yId00001")).toBe("lmk key forget is no command");
    expect(await problemOf("key add|forget")).toBe("lmk key forget is no command");
    expect(await problemOf("usage --by user --per-head")).toBe("lmk usage has no --per-head");
    expect(await problemOf("usage --by user,model --since 30d")).toBeUndefined();
  });
});

describe("settings", () => {
  const config = readFileSync(join(checkout, "src/config.ts"), "utf8");
  const own = [...(/const SETTINGS = \[([^\]]*)\]/.exec(config)?.[1] ?? "").matchAll(/"(\w+)"/g)].map(
    ([, name = ""]) => name,
  );
  const text = sources
    .filter((path) => !path.startsWith("test/") && !path.endsWith(".test.ts"))
    .map((path) => readFileSync(join(checkout, path), "utf8"))
    .join("\n");

  test("that are named exist", () => {
    const named = documents.flatMap(({ path, text: said }) =>
      [...said.matchAll(/\bLMK_[A-Z0-9_]*[A-Z0-9](?![A-Z0-9_<])/g)].map(([name]) => ({ path, name })),
    );
    const missing = named.filter(({ name }) => !isSetting(name));
    expect(missing).toEqual([]);
  });

  function isSetting(name: string): boolean {
    if (own.includes(name) || new RegExp(`\\b${name}\\b`).test(text)) return true;
    const ids = knownProviders.map(({ id }) => id.toUpperCase().replaceAll("-", "_"));
    return (
      /^LMK_(?:SERVER|HF_ENDPOINT)_[A-Z]+$/.test(name) ||
      ids.some((id) => new RegExp(`^LMK_${id}_(?:UPSTREAM|TIMEOUTS|AUTH)$`).test(name))
    );
  }

  test("of the gateway stand in the guide, every one", () => {
    expect(own).toContain("LMK_LISTEN");
    const guide = readFileSync(join(checkout, "docs/guides/configuration.md"), "utf8");
    expect(own.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
  });
});

test("decisions have a number each", () => {
  const numbers = documents.flatMap(({ path }) => {
    const name = relative("docs/decisions", path);
    return name.startsWith("..") ? [] : [name.slice(0, 4)];
  });
  expect(numbers.toSorted()).toEqual(Array.from(numbers, (_, at) => String(at + 1).padStart(4, "0")));
});
