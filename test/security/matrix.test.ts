/**
 * Who may call what: every operation of the OpenAPI document, for everybody there can be. What a role may do is written
 * down here once more, by hand, so that a slip in the product's own list shows.
 */

import { Database } from "bun:sqlite";
import { beforeAll, describe, expect, test } from "bun:test";
import { createRoute } from "@hono/zod-openapi";
import { declaredOperations } from "../../src/admin/guard.ts";
import { resource } from "../../src/admin/resource.ts";
import { BrowserSession, signedIn } from "../support/browser-session.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";

interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly need: string;
  readonly isForPeople: boolean;
  readonly needsStepUp: boolean;
}

/** What each of them may do beside what is their own; owners may do everything. */
const READS = [
  ...["groups.read", "users.read", "keys.read", "policies.read", "ledger.read", "settings.read"],
  ...["credentials.read", "providers.read", "objects.read", "prices.read", "requests.read", "usage.read"],
  ...["audit.read", "asks.read"],
];
const WRITES = [
  ...["groups.write", "users.write", "keys.write", "policies.write", "settings.write", "credentials.write"],
  "providers.write",
  ...["objects.write", "prices.write", "sign_in_links.write", "asks.decide"],
];
const OWNERS = ["users.role", "settings.sign_in", "sessions.all", "ledger.decide"];
const OWN = ["self.read", "self.usage", "self.ask", "self.write", "self.sign_in"];
const MAY = {
  owner: [...READS, ...WRITES, ...OWNERS, ...OWN],
  admin: [...READS, ...WRITES, ...OWN],
  auditor: [...READS, ...OWN],
  member: OWN,
} as const;
type Role = keyof typeof MAY;
const ROLES = Object.keys(MAY) as Role[];

/** All that a member may call: what is their own stands below these. */
const OWN_PATHS = /^\/(?:me|session|sessions|tokens)(?:\/|$)/;
/** Changes nothing, although it is no GET. */
const READING_POSTS = ["POST /policies/explain", "POST /prices/snapshot/difference"];
/** Whoever asks must have shown lately who they are. */
const STEP_UPS = [
  "POST /users/{ref}/sign-in-link",
  "POST /credentials",
  "DELETE /credentials/{ref}",
  "POST /providers",
  "PUT /settings/sign-in",
  "POST /tokens",
  "PUT /me/password",
  "POST /me/passkeys",
  "POST /me/passkeys/options",
  "DELETE /me/passkeys/{ref}",
];

let gateway: Gateway;
let operations: Operation[];
let document: Record<string, unknown>;
const people = {} as Record<Role, BrowserSession>;
const week = () => new Date(Date.now() + 7 * 86_400_000).toISOString();

beforeAll(async () => {
  gateway = await startGateway();
  document = (await (await fetch(`${gateway.url}/api/openapi.json`)).json()) as Record<string, unknown>;
  const paths = document["paths"] as Record<string, Record<string, Record<string, unknown>>>;
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path.replace("/api/v1", "")}`,
      method: method.toUpperCase(),
      path: path.replace("/api/v1", "").replaceAll(/\{\w+\}/g, "none"),
      need: String(operation["x-permission"]),
      isForPeople: operation["x-session"] === true,
      needsStepUp: operation["x-step-up"] === true,
    })),
  );
  for (const role of ROLES) {
    await gateway.api("POST", "/users", { name: `the ${role}`, role });
    people[role] = await signedIn(gateway, encodeURIComponent(`the ${role}`));
  }
});

/** Ends the session that asks, or sends the browser away. */
const LEAVES = ["DELETE /session", "GET /session/oidc/start", "GET /session/oidc/callback"];
const tried = () => operations.filter(({ need, name }) => need !== "public" && !LEAVES.includes(name));

/** A body that fits nothing, so that what is let through fails where it is looked at. */
function bodyOf({ method }: Operation): unknown {
  return method === "GET" || method === "DELETE" ? undefined : { none: "of this" };
}

async function byToken({ method, path }: Operation, secret: string, body: unknown): Promise<number> {
  const response = await fetch(`${gateway.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** `in`, or how it was kept out. */
function verdict(status: number): "in" | "forbidden" | "nobody" {
  return status === 401 ? "nobody" : status === 403 ? "forbidden" : "in";
}

describe("every operation", () => {
  test("declares what it needs, and members' are about themselves alone", () => {
    const known = [...MAY.owner, "public"] as string[];
    for (const { name, method, need, path } of operations) {
      expect([name, known.includes(need)]).toEqual([name, true]);
      if (OWN.includes(need)) expect([name, OWN_PATHS.test(path)]).toEqual([name, true]);
      const reads = need.endsWith(".read") || need === "self.usage" || need === "public";
      if (method !== "GET" && READS.includes(need)) expect(READING_POSTS).toContain(name);
      if (method === "GET") expect([name, reads || need.startsWith("self.")]).toEqual([name, true]);
    }
    const needing = operations.filter(({ needsStepUp }) => needsStepUp).map(({ name }) => name);
    expect(needing.sort()).toEqual([...STEP_UPS].sort());
  });

  test("that declares nothing, or is no operation of the document, keeps the gateway from starting", () => {
    const undeclared = resource();
    const route = createRoute({
      method: "get",
      path: "/api/v1/new",
      responses: { 204: { description: "" } },
    });
    undeclared.openapi(route, (c) => c.body(null, 204));
    expect(() => declaredOperations(undeclared)).toThrow("GET /api/v1/new declares no permission");
    const hidden = resource();
    hidden.get("/api/v1/hidden", (c) => c.body(null, 204));
    expect(() => declaredOperations(hidden)).toThrow("GET /api/v1/hidden is no operation of the document");
    const unknown = resource();
    unknown.openapi({ ...route, "x-permission": "no.such" }, (c) => c.body(null, 204));
    expect(() => declaredOperations(unknown)).toThrow("declares no permission");
  });

  for (const role of ROLES) {
    test(`lets ${role} do what ${role} may, in the browser`, async () => {
      for (const operation of tried()) {
        const { status } = await people[role].send(operation.method, operation.path, bodyOf(operation));
        const expected = (MAY[role] as readonly string[]).includes(operation.need) ? "in" : "forbidden";
        // Fresh sessions have shown who they are; what a handler itself finds too much is 403, too.
        expect([role, operation.name, verdict(status)]).toEqual([role, operation.name, expected]);
      }
    }, 60_000);
  }

  test("lets nobody in without a session, with one that has ended, or whose user has", async () => {
    await gateway.api("POST", "/users", { name: "left", role: "owner" });
    await gateway.api("POST", "/users", { name: "late", role: "owner" });
    await gateway.api("POST", "/users", { name: "idle", role: "owner" });
    const gone = await signedIn(gateway, "left");
    const signedOut = await signedIn(gateway, "left");
    const { cookie, csrf } = signedOut;
    await signedOut.send("DELETE", "/session");
    signedOut.cookie = cookie;
    signedOut.csrf = csrf;
    await gateway.api("PATCH", "/users/left", { revoked: true });
    const [late, idle] = [await signedIn(gateway, "late"), await signedIn(gateway, "idle")];
    using database = new Database(`${gateway.dataDir}/llamakey.db`);
    database.run("PRAGMA busy_timeout = 5000");
    const of = "(SELECT id FROM users WHERE name = ?)";
    database.run(`UPDATE sessions SET expires_at = ? WHERE user_id = ${of}`, [Date.now() - 1, "late"]);
    database.run(`UPDATE sessions SET last_seen_at = ? WHERE user_id = ${of}`, [
      Date.now() - 1_800_001,
      "idle",
    ]);
    const nobody = new BrowserSession(gateway.url);
    for (const operation of tried()) {
      for (const [who, browser] of Object.entries({ nobody, gone, signedOut, late, idle })) {
        const { status } = await browser.send(operation.method, operation.path, bodyOf(operation));
        expect([who, operation.name, status]).toEqual([who, operation.name, 401]);
      }
    }
  }, 60_000);

  test("lets the operator token do all but what is a person's own", async () => {
    for (const operation of tried()) {
      const status = await byToken(operation, gateway.adminToken, bodyOf(operation));
      const isOwn = operation.isForPeople || operation.need.startsWith("self.");
      if (!isOwn) expect([operation.name, verdict(status)]).toEqual([operation.name, "in"]);
      else expect([operation.name, status]).toEqual([operation.name, 403]);
    }
  }, 60_000);

  test("lets a token do what it was made for, and none where it has ended", async () => {
    const make = async (scopes: readonly string[]) => {
      const { body } = await people.owner.send<{ secret: string; token: { id: string } }>("POST", "/tokens", {
        name: "narrow",
        scopes,
        expiresAt: week(),
      });
      return body;
    };
    const scopes = ["users.read", "usage.read", "self.usage", "self.sign_in"];
    const [narrow, removed, expired] = [await make(scopes), await make(MAY.owner), await make(MAY.owner)];
    await people.owner.send("DELETE", `/tokens/${removed.token.id}`);
    using database = new Database(`${gateway.dataDir}/llamakey.db`);
    database.run("PRAGMA busy_timeout = 5000");
    database.run("UPDATE api_tokens SET expires_at = ? WHERE id = ?", [Date.now() - 1, expired.token.id]);
    for (const operation of tried()) {
      const status = await byToken(operation, narrow.secret, bodyOf(operation));
      const expected = scopes.includes(operation.need) && !operation.isForPeople ? "in" : "forbidden";
      expect([operation.name, verdict(status)]).toEqual([operation.name, expected]);
      for (const { secret } of [removed, expired])
        expect([operation.name, await byToken(operation, secret, bodyOf(operation))]).toEqual([
          operation.name,
          401,
        ]);
    }
  }, 60_000);

  test("that changes what gives access asks again who it is, a quarter of an hour later", async () => {
    const browser = await signedIn(gateway, encodeURIComponent("the owner"));
    using database = new Database(`${gateway.dataDir}/llamakey.db`);
    database.run("PRAGMA busy_timeout = 5000");
    database.run("UPDATE sessions SET stepped_up_at = ?", [Date.now() - 15 * 60_000]);
    for (const operation of tried()) {
      const { status, body } = await browser.send<{ code?: string }>(
        operation.method,
        operation.path,
        bodyOf(operation),
      );
      const isAsked = status === 403 && body.code === "step_up_required";
      expect([operation.name, isAsked]).toEqual([operation.name, STEP_UPS.includes(operation.name)]);
    }
    const codes = [];
    for (const [method, path, body] of [
      ["PATCH", "/users/the%20member", { role: "admin" }],
      ["POST", "/users", { name: "x", role: "admin" }],
      ["POST", "/keys", { user: "the member" }],
    ] as const) {
      codes.push((await browser.send<{ code: string }>(method, path, body)).body.code);
    }
    expect(codes).toEqual(Array(3).fill("step_up_required"));
  }, 60_000);
});

type Schema = Record<string, unknown>;

/** Every field of an answer that says whom it is for, with its value: `webhook.url`, `settings.write`. */
function* restricted(
  schema: Schema | undefined,
  value: unknown,
  place = "",
): Generator<[string, string, unknown]> {
  if (schema === undefined) return;
  const ref = /^#\/components\/schemas\/(.+)$/.exec(String(schema["$ref"]))?.[1];
  const schemas = (document["components"] as { schemas: Record<string, Schema> }).schemas;
  if (ref !== undefined) return yield* restricted(schemas[ref], value, place);
  if (typeof schema["x-permission"] === "string") yield [place, schema["x-permission"], value];
  for (const part of ["allOf", "anyOf", "oneOf"])
    for (const one of (schema[part] as Schema[] | undefined) ?? []) yield* restricted(one, value, place);
  if (Array.isArray(value)) for (const one of value) yield* restricted(schema["items"] as Schema, one, place);
  else if (typeof value === "object" && value !== null) {
    for (const [name, field] of Object.entries((schema["properties"] ?? {}) as Record<string, Schema>))
      yield* restricted(field, (value as Schema)[name], place === "" ? name : `${place}.${name}`);
  }
}

describe("a field that says whom it is for", () => {
  test("is there for whoever may see it, and for nobody else", async () => {
    const upstream = Bun.serve({
      port: 0,
      fetch: () => Response.json({ error: { message: "no such key: sk-fake-quoted" } }, { status: 401 }),
    });
    await gateway.restart({
      OPENAI_API_KEY: "sk-test-fake-0123456789abcdefghijklmnop",
      LMK_OPENAI_UPSTREAM: `http://127.0.0.1:${upstream.port}/v1`,
    });
    const webhook = { url: "http://127.0.0.1:9/secret-path", allowPrivate: true };
    await gateway.api("PATCH", "/settings", { webhook });
    await fetch(`${gateway.url}/openai/v1/models`, { headers: gateway.bearer });
    const seen: Record<string, Set<string>> = {};
    for (const role of ROLES) {
      const browser = await signedIn(gateway, encodeURIComponent(`the ${role}`));
      for (const { name, method, path } of tried().filter(
        (one) => one.method === "GET" && !one.path.includes("none"),
      )) {
        const { status, body } = await browser.send<unknown>(method, path);
        if (status !== 200) continue;
        const operation = (document["paths"] as Record<string, Record<string, Schema>>)[`/api/v1${path}`]?.[
          "get"
        ];
        const answer = (operation?.["responses"] as Record<string, Schema> | undefined)?.["200"];
        const content = answer?.["content"] as Record<string, { schema: Schema }> | undefined;
        for (const [place, need, value] of restricted(content?.["application/json"]?.schema, body)) {
          const isThere = value !== null && value !== undefined;
          if (!(MAY[role] as readonly string[]).includes(need))
            expect([role, name, place, isThere]).toEqual([role, name, place, false]);
          seen[place] ??= new Set();
          if (isThere) seen[place].add(role);
        }
      }
      const all = JSON.stringify((await browser.send("GET", "/credentials")).body);
      expect([role, all.includes("sk-fake-quoted")]).toEqual([role, role === "owner" || role === "admin"]);
    }
    await upstream.stop(true);
    expect([...(seen["webhook.url"] ?? [])]).toEqual(["owner", "admin"]);
    expect([...(seen["items.rejection.message"] ?? [])]).toEqual(["owner", "admin"]);
  }, 60_000);
});
