/** Secrets of 21 kinds are in no answer, export, log, error, metric or backup; the browser's part is in test/browser. */
import { beforeAll, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Canaries, found, plantCanaries } from "../support/canaries.ts";
import { atEnd } from "../support/cleanup.ts";
import { runLmk } from "../support/lmk.ts";

let planted: Canaries;
beforeAll(async () => {
  planted = await plantCanaries();
});

interface Operation {
  readonly path: string;
  readonly method: string;
}

/** Every operation, at things that are there where one can know them. */
async function operations(): Promise<Operation[]> {
  const { gateway } = planted;
  const { paths } = (await (await fetch(`${gateway.url}/api/openapi.json`)).json()) as {
    paths: Record<string, object>;
  };
  const known: Record<string, string> = {};
  for (const list of ["users", "groups", "keys", "credentials", "claims", "requests", "providers"]) {
    const { items } = await gateway.api<{ items: { id: string }[] }>("GET", `/${list}`);
    known[list] = items[0]?.id ?? "none";
  }
  return Object.entries(paths).flatMap(([path, methods]) => {
    const list = path.split("/")[3] ?? "";
    const real = path
      .replace("{scope}", "user:ann")
      .replace("{provider}", "openai")
      .replaceAll(/\{\w+\}/g, known[list] ?? "none");
    return Object.keys(methods).map((method) => ({ path: real, method: method.toUpperCase() }));
  });
}

test("the search finds each of them, in every spelling", () => {
  const { secrets } = planted;
  expect(Object.keys(secrets).length).toBeGreaterThanOrEqual(20);
  for (const [name, secret] of Object.entries(secrets))
    for (const text of [secret, btoa(`xy${secret}`), Buffer.from(secret).toString("hex")])
      expect(found(`..${text}..`, secrets)).toContain(name);
});

test("every operation of the admin API, asked well and badly, as operator and in a session", async () => {
  const { gateway, owner, secrets } = planted;
  const wrong: unknown[] = [];
  let seen = 0;
  for (const { path, method } of await operations()) {
    // What ends the session or takes things away comes elsewhere.
    if (method === "DELETE" || /\/(?:revoke|rotate|deny|grant)$/.test(path)) continue;
    const bodies = method === "GET" ? [undefined] : ["{", JSON.stringify({ secret: 7, name: [] })];
    for (const body of bodies) {
      const answers = [
        await fetch(gateway.url + path, {
          method,
          redirect: "manual",
          headers: { authorization: `Bearer ${gateway.adminToken}`, "content-type": "application/json" },
          ...(body === undefined ? {} : { body }),
        }),
      ].map(async (answer) => `${JSON.stringify([...answer.headers])}${await answer.text()}`);
      const own = await owner.send(
        method,
        path.replace("/api/v1", ""),
        body === undefined ? undefined : { none: 1 },
      );
      const text = `${await answers[0]}${JSON.stringify(own.body)}`;
      seen += text.length;
      // The session's own cookie and what its pages need stand where they belong.
      const leaks = found(text, secrets);
      if (leaks.length > 0) wrong.push([method, path, leaks]);
    }
  }
  expect(wrong).toEqual([]);
  expect(seen).toBeGreaterThan(50_000);
});

test("exports and lists of the command line", async () => {
  const { gateway, secrets } = planted;
  for (const args of [
    ["policy", "export"],
    ["policy", "export", "--json"],
    ["usage", "--by", "user,model", "--json"],
    ["usage", "--by", "user", "--csv"],
    ["logs", "--json", "--limit", "500"],
    ["audit", "--json", "--limit", "1000"],
    ["credential", "list"],
    ["key", "list"],
    ["key", "claims"],
    ["prices", "list", "--json"],
    ["admin", "sign-in", "show"],
  ]) {
    const { out, err } = await runLmk(gateway, args);
    expect([args.join(" "), (out + err).length > 0]).toEqual([args.join(" "), true]);
    expect([args.join(" "), ...found(out + err, secrets)]).toEqual([args.join(" ")]);
  }
}, 60_000);

test("metrics, health, documents and refusals", async () => {
  const { gateway, secrets } = planted;
  for (const path of [
    "/metrics",
    "/healthz",
    "/readyz",
    "/api/docs",
    "/api/openapi.json",
    "/console",
    "/claim",
    "/",
  ]) {
    const answer = await fetch(gateway.url + path, {
      headers: { authorization: `Bearer ${gateway.adminToken}` },
    });
    expect([path, ...found(await answer.text(), secrets)]).toEqual([path]);
  }
});

test("what is printed, and a backup of the data directory, whose two files of keys alone hold theirs", async () => {
  const { gateway, secrets } = planted;
  const copy = mkdtempSync(join(tmpdir(), "lmk-canaries-"));
  atEnd(() => rmSync(copy, { recursive: true, force: true }));
  const lookAt = (folder: string) => {
    for (const name of readdirSync(folder)) {
      const own = { "vault.key": ["vault key"], "admin.token": ["operator token"] }[name] ?? [];
      expect([name, ...found(readFileSync(join(folder, name)).toString("latin1"), secrets)]).toEqual([
        name,
        ...own,
      ]);
    }
  };
  cpSync(gateway.dataDir, copy, { recursive: true });
  lookAt(copy);
  expect(await gateway.stop()).toBe(0);
  lookAt(gateway.dataDir);
  expect(found(gateway.stdout() + gateway.stderr(), secrets)).toEqual([]);
}, 60_000);
