/** Wherever a client puts its master key, it is accepted there, and goes no further. */
import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createKey } from "../../src/domain/key.ts";
import { ANTHROPIC_KEY, type Behind, behindGateway, OPENAI_KEY } from "../support/behind-gateway.ts";
import { startGateway } from "../support/gateway.ts";
import { type HeaderList, header } from "../support/http1.ts";
import { type RawResponse, rawRequest } from "../support/raw-client.ts";
import { reply } from "../support/recording-upstream.ts";

const runs = process.env["LMK_TEST_FULL"] ? 2000 : 300;

let behind: Behind;
let other: string;
beforeAll(async () => {
  behind = await behindGateway();
  other = (await behind.gateway.addUser("second")).secret;
});
beforeEach(() => {
  behind.upstream.clear();
  behind.upstream.answer = reply({ body: "{}" });
});

interface Position {
  headers?: HeaderList;
  /** Between the provider and the path. */
  segment?: string;
  query?: string;
}

/** The positions of HTTP requests in which some SDK puts its key. */
const positions: Record<string, (key: string) => Position> = {
  "authorization: Bearer": (key) => ({ headers: [["Authorization", `Bearer ${key}`]] }),
  "authorization: bearer, in lower case": (key) => ({ headers: [["authorization", `bearer ${key}`]] }),
  "authorization: Token": (key) => ({ headers: [["Authorization", `Token ${key}`]] }),
  "authorization without a scheme": (key) => ({ headers: [["Authorization", key]] }),
  "x-api-key": (key) => ({ headers: [["X-Api-Key", key]] }),
  "api-key": (key) => ({ headers: [["api-key", key]] }),
  "x-goog-api-key": (key) => ({ headers: [["x-goog-api-key", key]] }),
  "xi-api-key": (key) => ({ headers: [["xi-api-key", key]] }),
  "the subprotocol of OpenAI's realtime clients": (key) => ({
    headers: [["Sec-WebSocket-Protocol", `realtime, openai-insecure-api-key.${key}, openai-beta.x`]],
  }),
  "the subprotocol of Deepgram's": (key) => ({ headers: [["Sec-WebSocket-Protocol", `token, ${key}`]] }),
  "?key=": (key) => ({ query: `key=${key}` }),
  "?access_token=": (key) => ({ query: `a=1&access_token=${key}&b=2` }),
  "the path's first segment": (key) => ({ segment: key }),
};
const aliases = ["", "sk-", "sk-proj-", "sk-ant-", "sk-ant-api03-", "hf_"];

function send(parts: readonly Position[], provider = "openai"): Promise<RawResponse> {
  const segment = parts.flatMap((part) => part.segment ?? [])[0];
  const query = parts.flatMap((part) => part.query ?? []).join("&");
  const path = `/${provider}${segment === undefined ? "" : `/${segment}`}/v1/x${query === "" ? "" : `?${query}`}`;
  return rawRequest(behind.gateway.port, {
    method: "POST",
    target: path,
    headers: [["Host", "h"], ...parts.flatMap((part) => part.headers ?? [])],
  });
}

/** Nothing of a master key in what the provider got. */
function expectNoKey(): void {
  for (const key of [behind.key, other]) {
    expect(behind.upstream.raw).not.toContain(key.slice(4, 47));
    expect(behind.upstream.raw).not.toContain(key.slice(15, 47));
  }
  expect(behind.upstream.raw).not.toContain("lmk_");
}

for (const [name, position] of Object.entries(positions)) {
  test(`a key in ${name} is accepted with every alias, and does not reach the provider`, async () => {
    for (const alias of aliases) {
      for (const [provider, credential] of [
        ["openai", OPENAI_KEY],
        ["anthropic", ANTHROPIC_KEY],
        ["bare", undefined],
      ] as const) {
        behind.upstream.clear();
        const response = await send([position(alias + behind.key)], provider);
        expect(response.status).toBe(200);
        expectNoKey();
        if (credential !== undefined) expect(behind.upstream.raw).toContain(credential);
      }
    }
  });
}

test("in generated combinations of positions, whichever of them authenticated, no key reaches the provider", async () => {
  const place = fc.tuple(
    fc.constantFrom(...Object.keys(positions)),
    fc.constantFrom(...aliases),
    fc.boolean(),
  );
  const property = fc.asyncProperty(
    fc.array(place, { minLength: 1, maxLength: 5 }),
    fc.constantFrom("openai", "anthropic", "bare"),
    fc.constantFrom("2023-06-01", "2026-10-21", "2027-01-01", undefined),
    async (places, provider, version) => {
      const unique = places.filter(([name], index) => places.findIndex(([same]) => same === name) === index);
      const parts = unique.map(([name, alias, isForeign]) =>
        (positions[name] as (key: string) => Position)(
          isForeign ? "sk-foreign-0123456789" : alias + behind.key,
        ),
      );
      // Headers of one name would be merged by the platform into something that is no key.
      const names = parts.flatMap((part) => part.headers?.map(([name]) => name.toLowerCase()) ?? []);
      fc.pre(new Set(names).size === names.length);
      if (version !== undefined) parts.push({ headers: [["anthropic-version", version]] });
      behind.upstream.clear();
      const response = await send(parts, provider);
      const hasOurs = unique.some(([, , isForeign]) => !isForeign);
      // A foreign text in the path is a path.
      const status = response.status;
      if (hasOurs) expect(status).toBe(200);
      else expect(status).toBe(401);
      expectNoKey();
    },
  );
  await fc.assert(property, { numRuns: runs });
}, 60_000);

test("the same key twice is one key; two different ones are refused", async () => {
  const names = Object.keys(positions).filter(
    (name) => !name.startsWith("authorization:") || name.endsWith("Bearer"),
  );
  for (const first of names) {
    for (const second of names) {
      if (first === second) continue;
      const [a, b] = [positions[first], positions[second]];
      if (a === undefined || b === undefined) continue;
      const shared = a("x").headers?.[0]?.[0].toLowerCase() === b("x").headers?.[0]?.[0].toLowerCase();
      if (shared && a("x").headers !== undefined) continue;
      if (a("x").segment !== undefined && b("x").segment !== undefined) continue;
      expect((await send([a(behind.key), b(`sk-${behind.key}`)])).status).toBe(200);
      behind.upstream.clear();
      const response = await send([a(behind.key), b(other)]);
      expect([response.status, header(response, "x-llamakey-refusal")]).toEqual([401, "invalid_key"]);
      expect(behind.upstream.requests).toHaveLength(0);
    }
  }
});

describe("a percent-encoded key in the query", () => {
  test("does not reach the provider beside another that authenticates", async () => {
    const encoded = behind.key.replaceAll("_", "%5F");
    const fully = [...behind.key].map((c) => `%${c.charCodeAt(0).toString(16)}`).join("");
    for (const text of [encoded, fully]) {
      behind.upstream.clear();
      await send([{ headers: [["Authorization", `Bearer ${behind.key}`]], query: `key=${text}` }]);
      expect(decodeURIComponent(behind.upstream.raw.replaceAll(/%(?![0-9a-f]{2})/gi, "%25"))).not.toContain(
        behind.key,
      );
    }
  });
});

test("what is no valid key is refused with 401 in the provider's shape, logged, and never forwarded", async () => {
  const elsewhere = await startGateway();
  const changed = `${behind.key.slice(0, 20)}${behind.key[20] === "A" ? "B" : "A"}${behind.key.slice(21)}`;
  const bad: Record<string, HeaderList> = {
    nothing: [],
    "an empty one": [["Authorization", ""]],
    "a scheme alone": [["Authorization", "Bearer"]],
    "a scheme and a space": [["Authorization", "Bearer "]],
    garbage: [["Authorization", "Bearer \xff\xfe{}"]],
    "a provider's key": [["Authorization", "Bearer sk-proj-0123456789abcdef"]],
    "basic authentication": [["Authorization", `Basic ${btoa(`lmk:${behind.key}`)}`]],
    "a key of another installation": [["x-api-key", elsewhere.key]],
    "a key that nobody was given": [["x-api-key", createKey().text]],
    "a key with our id and another secret": [["x-api-key", createKey(behind.key.slice(4, 14)).text]],
    "a key with a changed character": [["x-api-key", changed]],
    "a key that is cut short": [["x-api-key", behind.key.slice(0, -1)]],
    "a key with something behind it": [["x-api-key", `${behind.key}x`]],
    "a key in other letters": [["x-api-key", behind.key.toUpperCase()]],
    "two keys in one header": [["Authorization", `Bearer ${behind.key}, Bearer ${behind.key}`]],
    SQL: [["x-api-key", "lmk_' OR 1=1; --"]],
    "a very long one": [["x-api-key", `lmk_${"x".repeat(30_000)}`]],
    "a prototype's name": [["x-api-key", "lmk___proto___"]],
  };
  for (const [what, headers] of Object.entries(bad)) {
    for (const provider of ["openai", "anthropic"]) {
      behind.upstream.clear();
      const response = await send([{ headers }], provider);
      expect([what, response.status, header(response, "x-llamakey-refusal")]).toEqual([
        what,
        401,
        "invalid_key",
      ]);
      expect(header(response, "x-should-retry")).toBe("false");
      const body = JSON.parse(response.body.toString()) as { type?: string; error: { message: string } };
      expect(body.type).toBe(provider === "anthropic" ? "error" : undefined);
      expect(body.error.message.length).toBeGreaterThan(20);
      expect(body.error.message).not.toContain(behind.key.slice(15, 47));
      expect(behind.upstream.requests).toHaveLength(0);
      const row = await behind.gateway.requestRow(header(response, "x-llamakey-request-id"));
      expect([row.status, row.refusal, row.keyId]).toEqual([401, "invalid_key", null]);
    }
  }
  await elsewhere.stop();
});

test("any key that differs in one character is refused", async () => {
  for (let at = 4; at < behind.key.length; at++) {
    for (const replacement of ["0", "z", "_", "é"]) {
      if (behind.key[at] === replacement) continue;
      const text = behind.key.slice(0, at) + replacement + behind.key.slice(at + 1);
      expect((await send([{ headers: [["x-api-key", text]] }])).status).toBe(401);
    }
  }
  expect(behind.upstream.requests).toHaveLength(0);
});

describe("whoever holds a key", () => {
  test("is refused within a second of its revocation, and nobody else notices", async () => {
    const { key, secret } = await behind.gateway.addUser("leaver");
    const ask = (text: string) => send([{ headers: [["x-api-key", text]] }]);
    expect((await ask(secret)).status).toBe(200);
    await behind.gateway.revoke(key.id);
    const response = await ask(secret);
    expect([response.status, header(response, "x-llamakey-refusal")]).toEqual([401, "invalid_key"]);
    expect((await ask(behind.key)).status).toBe(200);
  });

  test("is refused from the moment at which it expires", async () => {
    await behind.gateway.addUser("guest");
    const made = await behind.gateway.api<{ secret: string }>("POST", "/keys", {
      user: "guest",
      expiresAt: new Date(Date.now() + 3000).toISOString(),
    });
    const ask = () => send([{ headers: [["x-api-key", made.secret]] }]);
    expect((await ask()).status).toBe(200);
    await Bun.sleep(3200);
    const response = await ask();
    expect([response.status, header(response, "x-llamakey-refusal")]).toEqual([401, "expired_key"]);
  });

  test("gets back from /lmk/env the key that was sent, whichever position it was in", async () => {
    for (const [name, position] of Object.entries(positions)) {
      const { headers } = position(behind.key);
      if (headers === undefined) continue;
      const response = await rawRequest(behind.gateway.port, {
        target: "/lmk/env",
        headers: [["Host", "h"], ...headers],
      });
      expect([name, response.status]).toEqual([name, 200]);
      expect(response.body.toString()).toContain(`'${behind.key}'`);
    }
    const foreign: HeaderList = [
      ["Host", "h"],
      ["Authorization", "Bearer sk-foreign-1"],
      ["x-api-key", behind.key],
    ];
    const response = await rawRequest(behind.gateway.port, { target: "/lmk/env", headers: foreign });
    expect(response.body.toString()).toContain(`'${behind.key}'`);
    expect(response.body.toString()).not.toContain("foreign");
  });
});
