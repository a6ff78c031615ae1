import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createKey } from "../domain/key.ts";
import { Refusal, type RefusalCode } from "../domain/refusal.ts";
import { anthropic } from "../providers/anthropic.ts";
import { azure } from "../providers/azure.ts";
import { compatibleServer } from "../providers/compatible.ts";
import { ollama } from "../providers/ollama.ts";
import { openai } from "../providers/openai.ts";
import { vertex } from "../providers/vertex.ts";
import { findRoute } from "./route.ts";
import { createUpstream, type Upstreams } from "./upstreams.ts";

const gpu = compatibleServer("gpu-box", "http://gpu:8000/v1");
const upstreams: Upstreams = new Map([
  ["openai", createUpstream(openai, "https://api.openai.com/v1")],
  ["anthropic", createUpstream(anthropic, "https://api.anthropic.com")],
  ["ollama", createUpstream(ollama, "http://127.0.0.1:11434")],
  ["gpu-box", createUpstream(gpu, "http://gpu:8000/v1")],
]);

const route = (target: string) => findRoute(`http://gateway${target}`, upstreams);

function codeOf(work: () => unknown): RefusalCode | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

test("a path finds its provider, with and without the version", () => {
  for (const [target, provider, path, endpoint] of [
    ["/openai/v1/chat/completions", "openai", "/chat/completions", "/chat/completions"],
    ["/openai/chat/completions", "openai", "/chat/completions", "/chat/completions"],
    ["/openai//v1//models/", "openai", "/models/", "/models/"],
    ["/anthropic/v1/messages", "anthropic", "/v1/messages", "/messages"],
    ["/anthropic/messages", "anthropic", "/v1/messages", "/messages"],
    ["/anthropic/api/hello", "anthropic", "/api/hello", "/api/hello"],
    ["/ollama/api/chat", "ollama", "/api/chat", "/api/chat"],
    ["/ollama/chat/completions", "ollama", "/v1/chat/completions", "/chat/completions"],
    ["/gpu-box/v1/models", "gpu-box", "/models", "/models"],
    ["/openai", "openai", "", ""],
    ["/openai/v10/x", "openai", "/v10/x", "/v10/x"],
  ] as const) {
    const found = route(target);
    expect([target, found.upstream.provider.id, found.path, found.endpoint]).toEqual([
      target,
      provider,
      path,
      endpoint,
    ]);
  }
});

test("escapes are sent as they came and read decoded, in lower case", () => {
  const found = route("/openai/v1/Models/a%3Ab@c:d%C3%A9?q=%2F%00&r=a+b");
  expect(found.path).toBe("/Models/a%3Ab@c:d%C3%A9");
  expect(found.endpoint).toBe("/models/a:b@c:dé");
  expect(found.query).toBe("?q=%2F%00&r=a+b");
});

describe("a path that two readers could read differently", () => {
  for (const path of [
    "a%2fb",
    "a%2Fb",
    "a%5cb",
    "%00",
    "a%0d",
    "a%1F",
    "a%7f",
    "a%",
    "a%2",
    "a%gg",
    "%252e",
    "%252F",
    "%255c",
    "%2500",
    "..;/a",
    ".;x",
    "%2e%2e;/a",
    "%ff",
    "%c0%af",
    "%e2%82",
  ]) {
    test(`is refused: ${path}`, () => {
      expect(codeOf(() => route(`/openai/v1/${path}`))).toBe("bad_request");
    });
  }
});

test("a fragment is not part of the path", () => {
  const found = route("/openai/v1/realtime/client_secrets#x?y");
  expect([found.path, found.endpoint, found.query]).toEqual([
    "/realtime/client_secrets",
    "/realtime/client_secrets",
    "",
  ]);
});

/** As the most forgiving server would read a path: decoded until nothing changes, without parameters of segments. */
function lenient(path: string): string {
  let text = path;
  for (let before = ""; before !== text; ) {
    before = text;
    try {
      text = decodeURIComponent(text);
    } catch {
      break;
    }
  }
  const segments: string[] = [];
  for (const raw of text.replaceAll("\\", "/").split("/")) {
    const segment = raw.split(";")[0] ?? "";
    if (segment === "..") segments.pop();
    else if (segment !== "." && segment !== "") segments.push(segment);
  }
  return `/${segments.join("/")}`.toLowerCase();
}

test("whatever a forgiving server would take for a denied endpoint is matched as one, in any generated spelling", () => {
  const names = [
    "v1",
    "realtime",
    "client_secrets",
    "organization",
    "organizations",
    "vaults",
    "oauth",
    "token",
  ];
  const spelled = fc
    .constantFrom(...names)
    .chain((name) =>
      fc.constantFrom(
        name,
        name.toUpperCase(),
        `${name};x`,
        `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
        `%25${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
      ),
    );
  const piece = fc.oneof(
    spelled,
    fc.constantFrom("..", ".", "%2e", "%2E%2e", "", ";x", "x", "#", "?", "%20"),
  );
  let met = 0;
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 7 }),
      fc.constantFrom("/", "\\"),
      fc.constantFrom("openai", "anthropic"),
      (pieces, slash, provider) => {
        const { href } = new URL(`http://gateway/${provider}/${pieces.join(slash)}`);
        let found: ReturnType<typeof findRoute>;
        try {
          found = findRoute(href, upstreams);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
          return;
        }
        const sent = new URL(found.upstream.base + found.path + found.query);
        expect(sent.origin).toBe(found.upstream.origin);
        expect(sent.pathname.startsWith(found.upstream.basePath)).toBe(true);
        const bare = lenient(sent.pathname).replace(/^\/v1(?=\/|$)/, "");
        const { denied } = found.upstream.provider;
        if (!denied.some(({ path }) => path.test(bare))) return;
        met++;
        expect(denied.some(({ path }) => path.test(found.endpoint))).toBe(true);
      },
    ),
    { numRuns: 5000 },
  );
  // The generator does reach what it is about.
  expect(met).toBeGreaterThan(100);
});

test("an unknown provider is named where its name is harmless", () => {
  for (const target of ["/", "/nobody/x", "/OpenAI/v1", "/openai.evil/x", "/<script>/x", "/constructor/x"]) {
    expect(codeOf(() => route(target))).toBe("unknown_provider");
  }
  expect(() => route("/nobody/x")).toThrow('no provider "nobody"');
  expect(() => route("/lmk_0123456789/x")).toThrow("names no provider");
});

describe("a master key in the address", () => {
  const key = createKey().text;

  test("is taken out of the path and the query, and nothing else is", () => {
    for (const [target, path, query] of [
      [`/openai/${key}/v1/models`, "/models", ""],
      [`/openai/hf_${key}/models?a=1`, "/models", "?a=1"],
      [`/openai/v1/models?key=${key}`, "/models", ""],
      [`/openai/v1/models?a=1&key=sk-${key}&b=2`, "/models", "?a=1&b=2"],
      [`/openai/v1/models?access_token=${key}&&a`, "/models", "?&a"],
    ] as const) {
      const found = route(target);
      expect([found.path, found.query, found.keys.length]).toEqual([path, query, 1]);
      expect(found.keys[0]).toEndWith(key);
    }
    expect(route("/openai/v1/x?key=other&lmk_x=1").query).toBe("?key=other&lmk_x=1");
  });

  test("is found in its percent-encoded form too", () => {
    const encoded = key.replaceAll("_", "%5F");
    expect(route(`/openai/v1/x?key=${encoded}&a=1`).query).toBe("?a=1");
  });
});

test("links are rewritten for the endpoints that have them", () => {
  expect(route("/anthropic/v1/messages/batches/b").links).toEqual([...anthropic.links]);
  expect(route("/anthropic/messages/batches").links).toEqual([...anthropic.links]);
  expect(route("/anthropic/v1/messages").links).toEqual([]);
  expect(route("/openai/v1/messages/batches").links).toEqual([]);
});

describe("a URL that was read before", () => {
  const address = "https://own.example/v1";
  const set = () => new Map([["openai", createUpstream(openai, address)]]);
  const at = (path: string) => `http://gateway${path}`;
  const chat = at("/openai/v1/chat/completions");

  test("has the route that it had", () => {
    const known = set();
    expect(findRoute(chat, known)).toBe(findRoute(chat, known));
    expect(findRoute(chat, set())).not.toBe(findRoute(chat, known));
  });

  test("has another once its provider is another one, and none once there is none", () => {
    const known = set();
    findRoute(chat, known);
    known.set("openai", createUpstream(openai, "https://other.example/v1"));
    expect(findRoute(chat, known).at.base).toBe("https://other.example/v1");
    known.delete("openai");
    expect(codeOf(() => findRoute(chat, known))).toBe("unknown_provider");
  });

  test("goes to another provider once that is there, where it is meant for it", () => {
    const known = set();
    const url = at("/openai/v1/deployments/d/chat/completions");
    expect(findRoute(url, known).upstream.provider.id).toBe("openai");
    known.set("azure", createUpstream(azure, "https://own.openai.azure.com"));
    expect(findRoute(url, known).upstream.provider.id).toBe("azure");
  });

  test("gives its key each time, and what is behind its question mark", () => {
    const known = set();
    const { text } = createKey();
    for (const url of [at(`/openai/${text}/v1/models`), at(`/openai/v1/models?key=${text}`)]) {
      for (let time = 0; time < 2; time++) expect(findRoute(url, known).keys).toEqual([text]);
    }
    expect(findRoute(at("/openai/v1/models?a=1"), known).query).toBe("?a=1");
    expect(findRoute(at("/openai/v1/models?a=2"), known).query).toBe("?a=2");
  });

  test("is in the account of the credential of the moment", () => {
    const upstream = createUpstream(vertex, vertex.upstream ?? "");
    const known = new Map([["vertex", upstream]]);
    const url = at("/vertex/publishers/google/models/gemini-2.5-flash:generateContent");
    for (const account of ["projects/one", "projects/two"]) {
      upstream.pool.replace([{ id: "c", name: "c", secret: "x", masked: "x", weight: 1, account }]);
      expect(findRoute(url, known).account).toBe(account);
    }
  });

  test("is forgotten where it names an object, and where there are too many", () => {
    const known = set();
    const file = at("/openai/v1/files/file-1");
    expect(findRoute(file, known)).not.toBe(findRoute(file, known));
    const first = findRoute(chat, known);
    for (let n = 0; n < 1000; n++) findRoute(at(`/openai/v1/made-up-${n}`), known);
    expect(findRoute(chat, known)).not.toBe(first);
  });
});
