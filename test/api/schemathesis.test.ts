/**
 * Schemathesis calls every operation of the OpenAPI document with what fits its schemas and with what does not: no
 * answer is a 5xx, and none is outside of what the document says of it.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { signedIn } from "../support/browser-session.ts";
import { type Gateway, root, startGateway } from "../support/gateway.ts";

const program = `${root}/.cache/schemathesis/bin/schemathesis`;
const missing = existsSync(program) ? "" : " (it is not installed: it takes Python 3.11)";
const isFull = process.env["LMK_TEST_FULL"] === "1";
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
];
/** It ends the session that asks. */
const LEAVES = "DELETE /api/v1/session";
const folder = `${root}/.cache/test/api`;

interface Operations {
  readonly [path: string]: Readonly<Record<string, { readonly "x-session"?: boolean }>>;
}

let gateway: Gateway;
let operations: { readonly name: string; readonly isForPeople: boolean }[];
beforeAll(async () => {
  gateway = await startGateway({
    // Whatever it makes up is asked of nobody.
    env: { LMK_UPSTREAM_PROXY: "http://127.0.0.1:9", OPENAI_API_KEY: "sk-test-fake-schemathesis-0123456789" },
  });
  const { paths } = (await (await fetch(`${gateway.url}/api/openapi.json`)).json()) as { paths: Operations };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      isForPeople: operation["x-session"] === true,
    })),
  );
  mkdirSync(folder, { recursive: true });
  await Bun.write(`${folder}/schemathesis.toml`, await configuration());
});

/** What there is to be found, so that not every call ends at "no such thing". */
async function configuration(): Promise<string> {
  await gateway.api("POST", "/groups", { name: "research" });
  const { key } = await gateway.addUser("ann", "research");
  const { id: credential } = await gateway.api("POST", "/credentials", {
    provider: "mistral",
    name: "spare",
    secret: "fake-mistral-key-0123456789",
  });
  const { claim } = await gateway.api<{ claim: { id: string } }>("POST", "/claims", { user: "ann" });
  const { id: budget } = await gateway.api("PUT", "/budgets", {
    scope: "user:ann",
    name: "all",
    amount: "5",
    per: "month",
  });
  const refused = await fetch(`${gateway.url}/openai/v1/models`, { headers: gateway.bearer });
  const known: Record<string, readonly unknown[]> = {
    groups: ["research", "default"],
    users: ["ann"],
    keys: [key.id],
    credentials: [credential],
    claims: [claim.id],
    budgets: [budget],
    providers: ["openai", "mistral"],
    requests: [refused.headers.get("x-llamakey-request-id")],
    policies: ["organisation", "group:research", "user:ann", `key:${key.id}`],
    "prices/defaults": ["openai", "vectara"],
  };
  const lists = Object.entries(known).map(
    ([name, values]) => `[dictionaries."${name}"]\nvalues = ${JSON.stringify(values)}\n`,
  );
  const bound = Object.keys(known).map((name) => {
    const parameter = { policies: "scope", "prices/defaults": "provider" }[name] ?? "ref";
    return `[[operations]]\ninclude-path-regex = "^/api/v1/${name}/"\nparameters = { "path.${parameter}" = { dictionary = "${name}", probability = 0.7 } }\n`;
  });
  return [...lists, ...bound].join("\n");
}

/** @returns what it found, and how many operations it tried. */
async function run(name: string, headers: Record<string, string>, only: readonly string[], examples: number) {
  const child = Bun.spawn(
    [
      program,
      `--config-file=${folder}/schemathesis.toml`,
      "run",
      `${gateway.url}/api/openapi.json`,
      `--url=${gateway.url}`,
      ...Object.entries(headers).map(([key, value]) => `--header=${key}: ${value}`),
      ...only,
      `--checks=${CHECKS.join(",")}`,
      "--phases=coverage,fuzzing",
      "--max-redirects=0",
      `--max-examples=${isFull ? 50 * examples : examples}`,
      ...(isFull ? [] : ["--seed=20261201"]),
      "--no-shrink",
      "--continue-on-failure",
      "--warnings=off",
      // Hypothesis reads sources as it goes, which threads of Python 3.11 cannot do at once.
      "--workers=1",
    ],
    { cwd: folder, stdout: "pipe", stderr: "pipe", env: { ...process.env, NO_COLOR: "1", COLUMNS: "160" } },
  );
  const [text, problems, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  await Bun.write(`${folder}/${name}.log`, text + problems);
  const found =
    /=+ FAILURES =+\n([\s\S]*?)\n=+ SUMMARY/.exec(text)?.[1] ?? (code === 0 ? "" : text + problems);
  return { found: found.slice(0, 6000), tested: Number(/Tested: (\d+)/.exec(text)?.[1]) };
}

describe.skipIf(missing !== "")("the admin API answers as its document says", () => {
  test(
    `whoever holds the operator token, at every operation${missing}`,
    async () => {
      const headers = { Authorization: `Bearer ${gateway.adminToken}` };
      const { found, tested } = await run("token", headers, [], 2);
      expect(found).toBe("");
      expect(tested).toBe(operations.length);
    },
    isFull ? 1_800_000 : 120_000,
  );

  test(
    `an owner who is signed in, at what people alone may do and what is their own${missing}`,
    async () => {
      // The calls before may have renamed what there was.
      const group = `of-olga-${Date.now()}`;
      await gateway.api("POST", "/groups", { name: group });
      await gateway.api("POST", "/users", { name: "olga", group, role: "owner" });
      const owner = await signedIn(gateway, "olga");
      const headers = {
        Host: new URL(owner.origin).host,
        Origin: owner.origin,
        "Sec-Fetch-Site": "same-origin",
        Cookie: owner.cookie,
        "x-lmk-csrf": owner.csrf,
      };
      const own = operations.filter(
        ({ name, isForPeople }) =>
          name !== LEAVES && (isForPeople || / \/api\/v1\/(me|session|asks)/.test(name)),
      );
      const names = own.map(({ name }) => `--include-name=${name}`);
      const { found, tested } = await run("session", headers, names, 2);
      expect(found).toBe("");
      expect(tested).toBe(own.length);
      expect((await owner.send("GET", "/session")).status).toBe(200);
    },
    isFull ? 1_800_000 : 120_000,
  );
});
