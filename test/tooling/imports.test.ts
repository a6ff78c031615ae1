import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkImports } from "../../scripts/check-imports.mjs";
import { rules } from "../../scripts/import-rules.mjs";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

/** A small tree that keeps every rule; each test plants one violation in it. */
const clean = {
  "src/domain/money.ts": "export type Nanos = bigint;",
  "src/providers/openai.ts": 'import type { Nanos } from "../domain/money.ts";\nexport type Rate = Nanos;',
  "src/pricing/book.ts": 'import type { Nanos } from "../domain/money.ts";\nexport const free: Nanos = 0n;',
  "src/ledger/hold.ts": "export const hold = 1;",
  "src/limits/rate.ts": "export const rate = 1;",
  "src/vault/seal.ts": 'import { randomBytes } from "node:crypto";\nexport const seal = randomBytes;',
  "src/gateway/handle.ts": 'import { hold } from "../ledger/hold.ts";\nexport const handle = hold;',
  "src/admin/users.ts": 'import { Hono } from "hono";\nexport const users = new Hono();',
  "src/storage/sqlite/open.ts":
    'export const open = () => new Worker(new URL("./thread.ts", import.meta.url).href);',
  "src/storage/sqlite/thread.ts": 'import { Database } from "bun:sqlite";\nexport const database = Database;',
  "src/telemetry/metrics.ts": "export const metrics = 1;",
  "src/client/env.ts": 'import type { Rate } from "../providers/openai.ts";\nexport type Env = Rate;',
  "src/commands/key.ts": 'import type { Env } from "../client/env.ts";\nexport type Key = Env;',
  "src/config.ts": 'import type { Rate } from "./providers/openai.ts";\nexport type Config = Rate;',
  "src/version.ts": 'export const version = "1.0.0";',
  "src/serve/serve.ts": 'import { handle } from "../gateway/handle.ts";\nexport const serve = handle;',
  "src/client-main.ts": 'import type { Key } from "./commands/key.ts";\nexport type Mine = Key;',
  "src/main.ts": 'import { handle } from "./gateway/handle.ts";\nimport "./admin/users.ts";\nhandle;',
  "src/domain/money.test.ts": 'import { handle } from "../gateway/handle.ts";\nhandle;',
  "test/tools.ts": "export const tool = 1;",
  "bench/load.ts": "export const load = 1;",
  "web/api.ts": "export const api = 1;",
};

let root: string;

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "llamakey-imports-"));
  for (const [path, text] of Object.entries(clean)) plant(path, text);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test("the source tree keeps the import rules", () => {
  expect(checkImports(checkout)).toEqual([]);
});

test("a tree that keeps the rules has no violation", () => {
  expect(checkImports(root)).toEqual([]);
});

describe("every room that a room may not see is refused", () => {
  const rooms = Object.keys(rules);
  const fileOf = (room: string) => (room.endsWith(".ts") ? `src/${room}` : `src/${room}/planted.ts`);
  const nameFrom = (room: string, target: string) =>
    room.endsWith(".ts") ? target.replace("src/", "./") : target.replace("src/", "../");

  test.each(Object.entries(rules).filter(([, rule]) => rule.sees !== "all"))("%s", (room, rule) => {
    const forbidden = rooms.filter((other) => other !== room && !rule.sees.includes(other));
    for (const other of forbidden)
      if (!other.endsWith(".ts")) plant(fileOf(other), "export type Planted = 1;");
    const lines = forbidden.map((other) => `import type {} from "${nameFrom(room, fileOf(other))}";`);
    plant(fileOf(room), [...lines, "export const x = 1;"].join("\n"));
    const refusals = checkImports(root).filter((line) => !line.startsWith("circle"));
    expect(refusals.sort()).toEqual(
      forbidden
        .map((other, at) => `${fileOf(room)}:${at + 1}: ${room} may not import ${other} (${fileOf(other)})`)
        .sort(),
    );
  });
});

describe("every way to import counts", () => {
  const refused = "domain may not import vault (src/vault/seal.ts)";
  test.each([
    ["a value", 'import { seal } from "../vault/seal.ts";\nexport const x = seal;'],
    ["a type", 'import type { seal } from "../vault/seal.ts";\nexport type X = typeof seal;'],
    ["an inline type", 'import { type seal } from "../vault/seal.ts";\nexport type X = typeof seal;'],
    ["a type expression", 'export type X = typeof import("../vault/seal.ts").seal;'],
    ["a side effect", 'import "../vault/seal.ts";\nexport const x = 1;'],
    ["a re-export beside code", 'export { seal } from "../vault/seal.ts";\nexport const x = 1;'],
    ["import()", 'export const x = () => import("../vault/seal.ts");'],
    ["require", 'export const x = require("../vault/seal.ts");'],
    ["a worker", 'export const x = new Worker(new URL("../vault/seal.ts", import.meta.url));'],
  ])("%s", (_, text) => {
    plant("src/domain/planted.ts", text);
    expect(checkImports(root)).toEqual([`src/domain/planted.ts:1: ${refused}`]);
  });

  test("but not what only looks like one", () => {
    plant(
      "src/domain/planted.ts",
      [
        '// import { seal } from "../vault/seal.ts";',
        'export const text = `import "../vault/seal.ts"`;',
        'export const pattern = /import "..\\/vault\\/seal.ts"/;',
      ].join("\n"),
    );
    expect(checkImports(root)).toEqual([]);
  });

  test("and one that is computed is refused", () => {
    plant("src/main.ts", "export const x = (name: string) => import(name);");
    expect(checkImports(root)).toEqual(["src/main.ts:1: a computed import cannot be checked"]);
  });
});

test.each([
  ["src/domain/planted.ts", "domain may not import node:fs", 'import "node:fs";\nexport const x = 1;'],
  ["src/domain/planted.ts", "domain may not import bun:sqlite", 'import "bun:sqlite";\nexport const x = 1;'],
  ["src/domain/planted.ts", "domain may not import the package zod", 'import "zod";\nexport const x = 1;'],
  [
    "src/gateway/planted.ts",
    "gateway may not import the package hono",
    'import "hono/cors";\nexport const x = 1;',
  ],
  [
    "src/vault/planted.ts",
    "vault may not import the package @hono/zod-openapi",
    'import "@hono/zod-openapi/x";\nexport const x = 1;',
  ],
])("%s: %s", (path, problem, text) => {
  plant(path, text);
  expect(checkImports(root)).toEqual([`${path}:1: ${problem}`]);
});

test.each(["test/tools.ts", "bench/load.ts", "web/api.ts"])(
  "src may not import %s, main.ts included",
  (target) => {
    plant("src/main.ts", `import "../${target}";\nexport const x = 1;`);
    expect(checkImports(root)).toEqual([
      `src/main.ts:1: src may not import from ${dirname(target)} (${target})`,
    ]);
  },
);

test("a source file may not import a test", () => {
  plant("src/main.ts", 'import "./domain/money.test.ts";\nexport const x = 1;');
  expect(checkImports(root)).toEqual([
    "src/main.ts:1: a source file may not import a test (src/domain/money.test.ts)",
  ]);
});

test("a circle is refused, even one of types alone", () => {
  plant("src/domain/a.ts", 'import type { C } from "./c.ts";\nexport type A = C;');
  plant("src/domain/b.ts", 'import type { A } from "./a.ts";\nexport type B = A;');
  plant("src/domain/c.ts", 'import type { B } from "./b.ts";\nexport type C = B | 1;');
  expect(checkImports(root)).toEqual([
    "circle: src/domain/a.ts -> src/domain/c.ts -> src/domain/b.ts -> src/domain/a.ts",
  ]);
});

test("a barrel is refused, by its name or by what it does", () => {
  plant("src/domain/index.ts", "export const own = 1;");
  plant("src/domain/all.ts", 'export * from "./money.ts";\nexport type { Nanos } from "./money.ts";');
  plant("src/domain/some.ts", 'import type { Nanos } from "./money.ts";\nexport type { Nanos };');
  expect(checkImports(root)).toEqual(
    ["all", "index", "some"].map(
      (name) => `src/domain/${name}.ts: a barrel; import from where things are defined`,
    ),
  );
});

test("a room without a row is refused", () => {
  plant("src/utils/text.ts", "export const x = 1;");
  expect(checkImports(root)).toEqual(["src/utils/text.ts: utils has no row in scripts/import-rules.mjs"]);
});

test("a path that leads nowhere is refused", () => {
  plant(
    "src/main.ts",
    'import "./domain/gone.ts";\nimport "./domain/money";\nimport "#alias";\nexport const x = 1;',
  );
  expect(checkImports(root)).toEqual([
    "src/main.ts:1: ./domain/gone.ts is not the relative path of a file",
    "src/main.ts:2: ./domain/money is not the relative path of a file",
    "src/main.ts:3: #alias is not the relative path of a file",
  ]);
});
