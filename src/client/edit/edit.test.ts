import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { edit } from "./edit.ts";
import { type Setting, UnclearFile } from "./setting.ts";

const set = (path: string, value: Setting["value"], more: Partial<Setting> = {}): Setting => ({
  path: path.split("/"),
  value,
  ...more,
});

describe("JSON with comments", () => {
  const text = `// mine\n{\n\t"model": "opus", /* kept */\n\t"env": {\n\t\t"FOO": "1", // too\n\t},\n}\n`;

  test("changes one value, and not one other byte", () => {
    expect(edit("jsonc", text, [set("env/FOO", "2")])).toBe(text.replace('"1"', '"2"'));
  });

  test("adds what is missing, in the file's own indentation", () => {
    expect(edit("jsonc", text, [set("env/BAR", "b"), set("a/b", true)])).toBe(
      `// mine\n{\n\t"a": {\n\t\t"b": true\n\t},\n\t"model": "opus", /* kept */\n\t"env": {\n\t\t"BAR": "b",\n\t\t"FOO": "1", // too\n\t},\n}\n`,
    );
  });

  test("says where the text is broken, and what is no object", () => {
    expect(() => edit("jsonc", '{\n"a": ,\n}', [set("b", 1)])).toThrow("in line 2");
    expect(() => edit("jsonc", '{"env": "x"}', [set("env/FOO", "2")])).toThrow("its env is no object");
    expect(() => edit("jsonc", "[]", [set("env", "2")])).toThrow(UnclearFile);
  });

  test("an empty file becomes an object", () => {
    expect(JSON.parse(edit("jsonc", "", [set("a/b", "c")]))).toEqual({ a: { b: "c" } });
  });
});

describe("TOML", () => {
  const text = `# mine\nmodel = "x" # fast\n\n[projects."/a b"] # trusted\ntrust_level = 'yes'\n\n# of another\n[model_providers.other]\nbase_url = "http://a" # there\n`;

  test("adds top values above the first table, and tables at the end", () => {
    const settings = [set("model_provider", "llamakey"), set("model_providers/llamakey/name", "L")];
    expect(edit("toml", text, settings)).toBe(
      `${text.replace("# fast\n", '# fast\nmodel_provider = "llamakey"\n')}\n[model_providers.llamakey]\nname = "L"\n`,
    );
  });

  test("replaces values where they stand, comments kept", () => {
    const settings = [set("model", 'y"\\'), set("model_providers/other/base_url", "http://b")];
    expect(edit("toml", text, settings)).toBe(
      text.replace('"x"', '"y\\"\\\\"').replace('"http://a"', '"http://b"'),
    );
  });

  test("a file that begins with a table gets top values above it", () => {
    expect(edit("toml", "# c\n[a]\nb = 1\n", [set("x", "y")])).toBe('x = "y"\n\n# c\n[a]\nb = 1\n');
  });

  test("refuses what it could change only by guessing", () => {
    const inline = 'model_providers = { other = { name = "x" } }\n';
    expect(() => edit("toml", inline, [set("model_providers/llamakey/name", "L")])).toThrow("by hand");
    const text = 'a = """\nmodel = "x"\n"""\n';
    const edited = edit("toml", text, [set("other", "y")]);
    expect(parseToml(edited)).toEqual({ a: 'model = "x"\n', other: "y" });
    expect(() => edit("toml", 'a = """\nmodel = "x"\n"""\nmodel = "z"\n', [set("model", "y")])).toThrow(
      "by hand",
    );
    expect(() => edit("toml", "a = \n", [set("model", "y")])).toThrow("no valid TOML");
  });

  test("whatever a file says: it says the same afterwards, and the settings, or it is refused", () => {
    const name = fc.constantFrom("model", "model_provider", "model_providers", "llamakey", "b-c", "x");
    const value = fc.constantFrom(
      '"a"',
      "'b'",
      "1",
      "true",
      "[1, 2]",
      '["]", "["]',
      '{ c = "d" }',
      '"""\n[x]\nmodel = "q"\n"""',
    );
    const line = fc.oneof(
      fc.tuple(name, value).map(([n, v]) => `${n} = ${v}`),
      fc.tuple(name, name, value).map(([n, m, v]) => `${n}.${m} = ${v}`),
      fc.array(name, { minLength: 1, maxLength: 2 }).map((names) => `[${names.join(".")}]`),
      name.map((n) => `[[${n}]]`),
      fc.constantFrom("# comment", "", "  # [x]"),
    );
    const settings = [set("model_provider", "llamakey"), set("model_providers/llamakey/name", "L")];
    let edits = 0;
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const text = lines.map((one) => `${one}\n`).join("");
        let before: Record<string, unknown>;
        try {
          before = parseToml(text);
        } catch {
          return;
        }
        let after: string;
        try {
          after = edit("toml", text, settings);
        } catch (error) {
          expect(error).toBeInstanceOf(UnclearFile);
          return;
        }
        edits++;
        const providers = (before["model_providers"] ?? {}) as Record<string, object>;
        expect(JSON.parse(JSON.stringify(parseToml(after)))).toEqual(
          JSON.parse(
            JSON.stringify({
              ...before,
              model_provider: "llamakey",
              model_providers: { ...providers, llamakey: { ...providers["llamakey"], name: "L" } },
            }),
          ),
        );
        for (const comment of text.match(/#.*/g) ?? []) expect(after).toContain(comment);
      }),
      { numRuns: 500 },
    );
    expect(edits).toBeGreaterThan(50);
  });
});

describe("YAML", () => {
  const text = `# mine\nname: "Mine" # quoted\n\nmodels:\n  - name: other # x\n    model: 'q'\nset-env: [A=1]\n`;

  test("sets and adds, with every comment and quotation mark kept", () => {
    const settings = [set("name", "Yours"), set("version", "1", { unlessSet: true }), set("x/y", "z")];
    expect(edit("yaml", text, settings)).toBe(
      `${text.replace("Mine", "Yours").replace("[A=1]", "[ A=1 ]")}version: "1"\nx:\n  y: z\n`,
    );
  });

  test("what is set already changes nothing at all", () => {
    expect(edit("yaml", text, [set("name", "Mine"), set("name", "Other", { unlessSet: true })])).toBe(text);
  });

  test("adds an entry of a list once, and changes it later, but for what the user may choose", () => {
    const entry = { field: "name", keep: ["model"] };
    const first = edit("yaml", text, [set("models", { name: "L", key: "1", model: "a" }, { entry })]);
    const chosen = first.replace("model: a", "model: b");
    const second = edit("yaml", chosen, [set("models", { name: "L", key: "2", model: "a" }, { entry })]);
    expect(parseYaml(second).models).toEqual([
      { name: "other", model: "q" },
      { name: "L", key: "2", model: "b" },
    ]);
    expect(second).toContain("- name: other # x");
  });

  test("of a list of texts, the one that begins so", () => {
    const b = (value: string) => set("set-env", value, { entry: { prefix: "B=" } });
    const once = edit("yaml", text, [b("B=1")]);
    expect(parseYaml(edit("yaml", once, [b("B=2")]))["set-env"]).toEqual(["A=1", "B=2"]);
    expect(parseYaml(edit("yaml", "set-env: A=1\n", [b("B=2")]))["set-env"]).toEqual(["A=1", "B=2"]);
    expect(parseYaml(edit("yaml", "", [b("B=2")]))).toEqual({ "set-env": ["B=2"] });
  });

  test("says what is wrong", () => {
    expect(() => edit("yaml", "a: [", [set("b", 1)])).toThrow("no valid YAML");
    expect(() => edit("yaml", "- a\n", [set("b", 1)])).toThrow("no mapping");
    expect(() => edit("yaml", "models: {}\n", [set("models", "x", { entry: { prefix: "y" } })])).toThrow(
      "no list",
    );
  });
});

describe("lines of variables", () => {
  test("changes the line that counts, and keeps all others", () => {
    const text = "# mine\nexport KEY='old' # x\nOTHER=1\n";
    expect(edit("dotenv", text, [set("KEY", "new"), set("BASE", "http://a/b")])).toBe(
      "# mine\nexport KEY=new\nOTHER=1\nBASE=http://a/b\n",
    );
    expect(edit("dotenv", "A=1", [set("B", "2")])).toBe("A=1\nB=2\n");
    expect(edit("dotenv", "A=1\nA=2\n", [set("A", "3")])).toBe("A=1\nA=3\n");
  });

  test("refuses what is no line of its own", () => {
    expect(() => edit("dotenv", 'X="\nA=1\n"\n', [set("A", "2")])).toThrow("cannot be changed");
  });
});

describe("every format", () => {
  test("line ends and byte order mark stay", () => {
    expect(edit("dotenv", "\ufeffA=1\r\nB=2\r\n", [set("A", "3"), set("C", "4")])).toBe(
      "\ufeffA=3\r\nB=2\r\nC=4\r\n",
    );
    expect(edit("jsonc", '{\r\n  "a": 1\r\n}\r\n', [set("b", 2)])).toBe(
      '{\r\n  "b": 2,\r\n  "a": 1\r\n}\r\n',
    );
    expect(edit("toml", "a = 1\r\n[b]\r\nc = 2\r\n", [set("a", 3), set("d", 4)])).toBe(
      "a = 3\r\nd = 4\r\n[b]\r\nc = 2\r\n",
    );
    expect(edit("yaml", "a: 1\r\n# c\r\nb: 2\r\n", [set("a", 3)])).toBe("a: 3\r\n# c\r\nb: 2\r\n");
  });
});
