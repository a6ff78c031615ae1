/** The admin API opens for the operator token and nothing else, and no input makes it fail. */
import { beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { type Behind, behindGateway, OPENAI_KEY } from "../support/behind-gateway.ts";
import { type HeaderList, header } from "../support/http1.ts";
import { rawRequest } from "../support/raw-client.ts";

interface Operation {
  method: string;
  path: string;
  /** Open to everybody: it tells nothing, or gives access for another secret than the operator token. */
  isPublic: boolean;
  /** Open to whoever holds a master key, for what is their own. */
  isByKey: boolean;
}

let behind: Behind;
let operations: Operation[];

beforeAll(async () => {
  behind = await behindGateway();
  const document = (await (await fetch(`${behind.gateway.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { "x-permission": string }>>;
  };
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, "x"),
      isPublic: operation["x-permission"] === "public",
      isByKey: ["self.usage", "self.ask"].includes(operation["x-permission"]),
    })),
  );
});

async function status(
  { method, path }: Pick<Operation, "method" | "path">,
  headers: HeaderList,
  body = "{}",
): Promise<number> {
  const response = await rawRequest(behind.gateway.port, {
    method,
    target: path,
    headers: [["Host", "h"], ...headers],
    ...(method === "GET" ? {} : { body }),
  });
  expect(header(response, "content-type") ?? "application/problem+json").toMatch(/json/);
  return response.status;
}

test("the document describes users, groups, keys, credentials, providers and requests", () => {
  for (const resource of ["users", "groups", "keys", "credentials", "providers", "requests"]) {
    expect(operations.some(({ path }) => path.startsWith(`/api/v1/${resource}`))).toBe(true);
  }
});

test("every operation of the document but those that sign people in answers 401 without the operator token", async () => {
  const { key } = behind;
  const token = behind.gateway.adminToken;
  const attempts: Record<string, HeaderList> = {
    nothing: [],
    "an empty token": [["Authorization", "Bearer "]],
    "a wrong one": [["Authorization", "Bearer lmkop_wrongwrongwrongwrongwrong"]],
    "one cut short": [["Authorization", `Bearer ${token.slice(0, -1)}`]],
    "one with more behind it": [["Authorization", `Bearer ${token}x`]],
    "the token in another header": [["x-api-key", token]],
    "the token without a scheme": [["Authorization", token]],
    "a cookie": [["Cookie", `token=${token}; admin=${token}`]],
    "a master key": [["Authorization", `Bearer ${key}`]],
    "a provider's key": [["Authorization", `Bearer ${OPENAI_KEY}`]],
    "a claim to come from this machine": [
      ["X-Forwarded-For", "127.0.0.1"],
      ["X-Real-IP", "127.0.0.1"],
      ["Forwarded", "for=127.0.0.1"],
    ],
    "another address for the path": [
      ["X-Original-URL", "/healthz"],
      ["X-Rewrite-URL", "/healthz"],
      ["X-HTTP-Method-Override", "GET"],
    ],
  };
  expect(operations.filter(({ isPublic }) => isPublic).map(({ path }) => path)).toEqual([
    "/api/v1/sign-in",
    "/api/v1/session/link",
    "/api/v1/session/password",
    "/api/v1/session/passkey/options",
    "/api/v1/session/passkey",
    "/api/v1/session/oidc/start",
    "/api/v1/session/oidc/callback",
  ]);
  for (const operation of operations.filter(({ isPublic }) => !isPublic)) {
    for (const [what, headers] of Object.entries(attempts)) {
      // They tell whoever holds a key what is theirs: see asks.test.ts.
      if (what === "a master key" && operation.isByKey) continue;
      expect([what, operation, await status(operation, headers)]).toEqual([what, operation, 401]);
    }
  }
});

test("no other spelling of a path, and no token in the query, opens it", async () => {
  const { adminToken } = behind.gateway;
  for (const target of [
    "/api/v1/users/",
    "/api//v1/users",
    "//api/v1/users",
    "/API/v1/users",
    "/api/v1/%75sers",
    "/api/v1/./users",
    "/api/x/../v1/users",
    "/api/v1;a/users",
    "/api/v1/users%00",
    `/api/v1/users?token=${adminToken}`,
    "/openai/../api/v1/users",
    "/console/../api/v1/users",
    "/lmk/../api/v1/keys",
  ]) {
    const response = await rawRequest(behind.gateway.port, { target, headers: [["Host", "h"]] });
    expect([target, [400, 401, 404].includes(response.status)]).toEqual([target, true]);
  }
});

test("a master key opens the data plane only, the operator token the admin API only", async () => {
  const operator: HeaderList = [["Authorization", `Bearer ${behind.gateway.adminToken}`]];
  expect(await status({ method: "GET", path: "/api/v1/users" }, operator)).toBe(200);
  expect(
    (await rawRequest(behind.gateway.port, { target: "/openai/v1/x", headers: [["Host", "h"], ...operator] }))
      .status,
  ).toBe(401);
  expect(behind.upstream.requests).toHaveLength(0);
});

test("no input makes it fail: generated bodies, queries and names get an answer below 500", async () => {
  const operator: HeaderList = [
    ["Authorization", `Bearer ${behind.gateway.adminToken}`],
    ["Content-Type", "application/json"],
  ];
  const field = fc.constantFrom(
    "name",
    "user",
    "group",
    "provider",
    "secret",
    "expiresAt",
    "revoked",
    "now",
    "overlapSeconds",
    "__proto__",
    "constructor",
    "id",
  );
  const value = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "openai",
      "first",
      "2026-01-01T00:00:00Z",
      "0000-00-00T00:00:00Z",
      1e308,
      -1,
      "'; DROP TABLE keys; --",
    ),
  );
  const body = fc.oneof(
    fc.dictionary(field, value).map((object) => JSON.stringify(object)),
    fc.json(),
    fc.string(),
  );
  const property = fc.asyncProperty(
    fc.nat(),
    body,
    fc.webSegment(),
    fc.webQueryParameters(),
    async (index, text, ref, query) => {
      const operation = operations[index % operations.length];
      if (operation === undefined) return;
      const path = `${operation.path.replace(/\/x(?=\/|$)/, `/${ref || "x"}`)}?${query}`;
      expect(await status({ ...operation, path }, operator, text)).toBeLessThan(500);
    },
  );
  await fc.assert(property, { numRuns: process.env["LMK_TEST_FULL"] ? 2000 : 300 });
  expect(behind.gateway.stderr()).not.toMatch(/^\s+at /m);
  // Nobody's key stopped working.
  expect(
    (await behind.gateway.api<{ items: { name: string }[] }>("GET", "/users")).items.length,
  ).toBeGreaterThan(0);
}, 60_000);

test("a body of more than 256 KiB is refused with 413", async () => {
  const operator: HeaderList = [
    ["Authorization", `Bearer ${behind.gateway.adminToken}`],
    ["Content-Type", "application/json"],
  ];
  const body = JSON.stringify({ name: "x".repeat(300_000) });
  expect(await status({ method: "POST", path: "/api/v1/users" }, operator, body)).toBe(413);
});
