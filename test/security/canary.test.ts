/** A provider's key appears nowhere but in the request to its own provider; a master key is not kept at all. */
import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ANTHROPIC_KEY,
  type Behind,
  behindGateway,
  OPENAI_KEY,
  SERVER_KEY,
} from "../support/behind-gateway.ts";
import { type HeaderList, header } from "../support/http1.ts";
import { type RawRequest, type RawResponse, rawExchange, rawRequest } from "../support/raw-client.ts";
import { reply } from "../support/recording-upstream.ts";

const STORED_KEY = "sk-proj-StoPLANTEDzyxwvutsrqponm9876543210";
const REMOVED_KEY = "sk-proj-RemPLANTED555444333222111000abcd";
const REFUSED_KEY = "sk-proj-RefPLANTED 111999333444888666777";
const canaries = [OPENAI_KEY, ANTHROPIC_KEY, SERVER_KEY, STORED_KEY, REMOVED_KEY, REFUSED_KEY];

/** The spellings that a text could leak in. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => {
    // Where it stands in a longer text, its first and last characters depend on what is around it.
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    return text.slice(shift === 0 ? 0 : 4, -2);
  });
  // What a mask shows is shorter than this.
  const windows = Array.from({ length: secret.length - 11 }, (_, at) => secret.slice(at, at + 12));
  return [
    ...windows,
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    encodeURIComponent(secret),
    [...secret].reverse().join(""),
  ];
}

function leaks(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => spellings(secret).some((spelling) => text.includes(spelling)));
}

let behind: Behind;
/** Everything that anybody was answered, and everything that was printed. */
let seen = "";

async function note(request: RawRequest): Promise<RawResponse> {
  const response = await rawRequest(behind.gateway.port, {
    ...request,
    headers: [["Host", "h"], ...(request.headers ?? [])],
  });
  seen += `${response.headers.flat().join("\n")}\n${response.body.toString("latin1")}\n`;
  return response;
}

const admin = (): HeaderList => [
  ["Authorization", `Bearer ${behind.gateway.adminToken}`],
  ["Content-Type", "application/json"],
];
const user = (): HeaderList => [["Authorization", `Bearer ${behind.key}`]];

function addCredential(name: string, secret: string): Promise<RawResponse> {
  const body = JSON.stringify({ provider: "openai", name, secret });
  return note({ method: "POST", target: "/api/v1/credentials", headers: admin(), body });
}

function onDisk(): string {
  return readdirSync(behind.gateway.dataDir)
    .map((name) => readFileSync(join(behind.gateway.dataDir, name)).toString("latin1"))
    .join("\n");
}

beforeAll(async () => {
  behind = await behindGateway();
  expect((await addCredential("main", STORED_KEY)).status).toBe(201);
  const removed = JSON.parse((await addCredential("gone", REMOVED_KEY)).body.toString()) as { id: string };
  expect(
    (await note({ method: "DELETE", target: `/api/v1/credentials/${removed.id}`, headers: admin() })).status,
  ).toBe(204);
  expect((await addCredential("bad", REFUSED_KEY)).status).toBe(422);
  expect((await addCredential("main", STORED_KEY)).status).toBe(409);
  await note({
    method: "POST",
    target: "/api/v1/credentials",
    headers: admin(),
    body: `{"provider":"openai","secret":"${STORED_KEY}"`,
  });
  await note({
    method: "POST",
    target: "/api/v1/credentials",
    headers: admin(),
    body: `{"provider":7,"secret":"${STORED_KEY}"}`,
  });
  await note({
    method: "POST",
    target: "/api/v1/credentials",
    headers: admin(),
    body: `{"provider":"nobody","secret":"${STORED_KEY}"}`,
  });

  // Calls that end in every way.
  for (const provider of ["openai", "anthropic", "box"]) {
    const target = `/${provider}/v1/x`;
    behind.upstream.answer = reply({ body: "{}" });
    await note({ method: "POST", target, headers: user(), body: "{}" });
    await note({ method: "POST", target, headers: user(), body: "{" });
    await note({ target, headers: [["x-api-key", "lmk_wrong"]] });
    behind.upstream.answer = ({ headers }, socket) => {
      const body = JSON.stringify({
        error: { message: `Incorrect API key provided: ${JSON.stringify(headers)}` },
      });
      socket.write(
        `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error="${headers.flat().join(" ")}"\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    };
    const rejected = await note({ method: "POST", target, headers: user(), body: "{}" });
    expect([rejected.status, header(rejected, "x-llamakey-refusal")]).toEqual([502, "credential_rejected"]);
    for (const answer of [
      (_: unknown, socket: { destroy(): void }) => socket.destroy(),
      (_: unknown, socket: { end(text: string): void }) =>
        socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 99\r\n\r\nhalf"),
      (_: unknown, socket: { end(text: string): void }) => socket.end("garbage\r\n\r\n"),
      (_: unknown, socket: { end(text: string): void }) =>
        socket.end("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
    ]) {
      behind.upstream.answer = answer as Behind["upstream"]["answer"];
      await note({ method: "POST", target, headers: user(), body: "{}" }).catch(() => {});
      await note({ target, headers: user() }).catch(() => {});
    }
  }
  behind.upstream.answer = reply({ status: 403, body: "{}" });
  const credentials = JSON.parse(
    (await note({ target: "/api/v1/credentials", headers: admin() })).body.toString(),
  ) as { items: { id: string }[] };
  for (const { id } of credentials.items)
    await note({ method: "POST", target: `/api/v1/credentials/${id}/test`, headers: admin() });
  for (const path of [
    "users",
    "groups",
    "keys",
    "credentials",
    "providers",
    "requests?limit=1000",
    "audit?limit=1000",
    "nothing",
  ]) {
    await note({ target: `/api/v1/${path}`, headers: admin() });
  }
  for (const path of [
    "/api/openapi.json",
    "/lmk/env",
    "/lmk/env?format=json",
    "/lmk/me",
    "/healthz",
    "/readyz",
    "/console",
    "/metrics",
    "/",
  ]) {
    await note({ target: path, headers: user() });
  }
});

describe("a provider's key", () => {
  test("is found where it is planted, in every spelling: the search works", () => {
    for (const secret of canaries) {
      for (const text of [
        secret,
        `x${btoa(secret)}`,
        btoa(`xy${secret}z`),
        btoa(`x${secret}`),
        Buffer.from(secret).toString("hex"),
        secret.slice(3, 20),
      ]) {
        expect(leaks(`...${text}...`, canaries)).toContain(secret);
      }
    }
  });

  test("is in no answer, error or header, of the data plane or the admin API", () => {
    expect(seen.length).toBeGreaterThan(10_000);
    expect(leaks(seen, canaries)).toEqual([]);
  });

  test("is in no file of the data directory, while it runs", () => {
    expect(leaks(onDisk(), canaries)).toEqual([]);
  });

  test("reached its own provider, and no other", () => {
    expect(behind.upstream.raw).toContain(STORED_KEY);
    for (const { target, headers } of behind.upstream.requests) {
      const text = headers.flat().join("\n");
      const own = target.startsWith("/deep")
        ? SERVER_KEY
        : text.includes("x-api-key") || /X-Api-Key/i.test(text)
          ? ANTHROPIC_KEY
          : STORED_KEY;
      for (const secret of canaries)
        if (secret !== own && secret !== OPENAI_KEY) expect(text).not.toContain(secret);
    }
  });

  test("is in no row of the audit log, which says of each what was done with it", async () => {
    const { items } = await behind.gateway.api<{ items: { action: string; target: { name: string } }[] }>(
      "GET",
      "/audit?limit=1000",
    );
    const done = items.map(({ action, target }) => `${action} ${target.name}`);
    expect(done).toEqual(
      expect.arrayContaining([
        "environment.change environment",
        "credential.add main",
        "credential.add gone",
        "credential.remove gone",
        "credential.test main",
        "credential.test env",
      ]),
    );
    expect(leaks(JSON.stringify(items), canaries)).toEqual([]);
  });

  test("is not shown to administrators either where a long rejection quotes it across the cut", async () => {
    for (let padding = 1960; padding < 2000; padding += 3) {
      behind.upstream.answer = reply({ status: 401, body: `${"x".repeat(padding)}${STORED_KEY} is wrong` });
      await note({ method: "POST", target: "/openai/v1/x", headers: user(), body: "{}" });
      const shown = await note({ target: "/api/v1/credentials", headers: admin() });
      expect(leaks(shown.body.toString(), canaries)).toEqual([]);
    }
  });
});

describe("a master key", () => {
  test("is in no file of the data directory, no log row and no answer but the one that made it", async () => {
    const made = await behind.gateway.addUser("canary");
    const headers: HeaderList = [["x-api-key", made.secret]];
    behind.upstream.answer = reply({ body: "{}" });
    await rawRequest(behind.gateway.port, {
      target: `/openai/v1/x?key=${made.secret}`,
      headers: [["Host", "h"], ...headers],
    });
    await rawRequest(behind.gateway.port, {
      target: `/openai/${made.secret}/v1/x`,
      headers: [["Host", "h"]],
    });
    await rawRequest(behind.gateway.port, {
      target: `/nobody/${made.secret}/v1/x?key=${made.secret}`,
      headers: [["Host", "h"], ...headers],
    });
    await rawRequest(behind.gateway.port, { target: `/${made.secret}`, headers: [["Host", "h"]] });
    await rawRequest(behind.gateway.port, {
      target: `/openai/v1/x/${made.secret}`,
      headers: [["Host", "h"], ...headers],
    });
    await rawExchange(
      behind.gateway.port,
      `GET /openai/v1/x%zz?key=${made.secret} HTTP/1.1\r\nHost: h\r\n\r\n`,
    );
    await Bun.sleep(100);
    const rotated = await behind.gateway.api<{ secret: string }>("POST", `/keys/${made.key.id}/rotate`, {
      overlapSeconds: 60,
    });
    const secrets = [made.secret, rotated.secret, behind.key].map((key) => key.slice(15, 47));
    for (const path of ["keys", "users", "requests?limit=1000", "audit?limit=1000"]) {
      const response = await rawRequest(behind.gateway.port, {
        target: `/api/v1/${path}`,
        headers: [["Host", "h"], ...admin()],
      });
      expect(leaks(response.body.toString(), secrets)).toEqual([]);
    }
    expect(leaks(onDisk(), secrets)).toEqual([]);
  });

  test("is not in the log's paths: never a query string", async () => {
    behind.upstream.answer = reply({ body: "{}" });
    const response = await note({ target: "/openai/v1/x?user=ada&secret=QUERYCANARY12345", headers: user() });
    const row = await behind.gateway.requestRow(header(response, "x-llamakey-request-id"));
    expect(JSON.stringify(row)).not.toContain("QUERYCANARY");
    expect(onDisk()).not.toContain("QUERYCANARY");
  });

  test("and a body are never written down", async () => {
    behind.upstream.answer = reply({ body: '{"answer":"ANSWERCANARY98765"}' });
    await note({
      method: "POST",
      target: "/openai/v1/x",
      headers: [...user(), ["Content-Type", "application/json"]],
      body: '{"model":"m","prompt":"BODYCANARY12345"}',
    });
    await Bun.sleep(100);
    expect(onDisk()).not.toContain("BODYCANARY");
    expect(onDisk()).not.toContain("ANSWERCANARY");
  });
});

test("nothing of all this is printed, and nothing more is on the disk after the stop", async () => {
  expect(await behind.gateway.stop()).toBe(0);
  const printed = behind.gateway.stdout() + behind.gateway.stderr();
  expect(printed).toContain("rejected the credential");
  expect(leaks(printed, [...canaries, behind.key.slice(15, 47)])).toEqual([]);
  expect(printed).not.toMatch(/CANARY\d/);
  expect(leaks(onDisk(), canaries)).toEqual([]);
});
