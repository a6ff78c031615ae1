/** What is authorised is what is sent: no spelling of a path, host or header leads past a rule. */
import { beforeAll, beforeEach, expect, test } from "bun:test";
import { ANTHROPIC_KEY, type Behind, behindGateway, OPENAI_KEY } from "../support/behind-gateway.ts";
import { type HeaderList, headBytes, header } from "../support/http1.ts";
import { rawExchange } from "../support/raw-client.ts";
import { reply } from "../support/recording-upstream.ts";

let behind: Behind;
beforeAll(async () => {
  behind = await behindGateway();
});
beforeEach(() => {
  behind.upstream.clear();
  behind.upstream.answer = reply({ body: "{}" });
});

const denied: readonly (readonly [provider: string, path: string])[] = [
  ["openai", "/v1/realtime/client_secrets"],
  ["openai", "/v1/realtime/sessions"],
  ["openai", "/v1/realtime/transcription_sessions"],
  ["openai", "/v1/realtime/calls"],
  ["openai", "/v1/live/sessions"],
  ["openai", "/v1/chatkit/sessions"],
  ["openai", "/v1/vaults"],
  ["openai", "/v1/organization/admin_api_keys"],
  ["openai", "/v1/projects/p/api_keys"],
  ["anthropic", "/v1/organizations/api_keys"],
  ["anthropic", "/v1/oauth/token"],
  ["anthropic", "/v1/vaults/v"],
  ["anthropic", "/v1/tunnels/t"],
  ["anthropic", "/v1/environments/e/work"],
  ["anthropic", "/v1/user_profiles/u/enrollment_url"],
];

/** Spellings that some server reads as the same path. */
const tricks: Record<string, (path: string) => string> = {
  plain: (path) => path,
  "a slash at the end": (path) => `${path}/`,
  "a dot segment": (path) => path.replace("/v1/", "/v1/./"),
  "a way back": (path) => path.replace("/v1/", "/v1/chat/../"),
  "an encoded way back": (path) => path.replace("/v1/", "/v1/chat/%2e%2e/"),
  "a half encoded way back": (path) => path.replace("/v1/", "/v1/chat/.%2E/"),
  "a way back with a parameter": (path) => path.replace("/v1/", "/v1/chat/..;a=b/"),
  "an encoded slash": (path) => path.replace(/\/([^/]+)$/, "%2f$1"),
  "a doubly encoded slash": (path) => path.replace(/\/([^/]+)$/, "%252f$1"),
  "an encoded backslash": (path) => path.replace(/\/([^/]+)$/, "%5c$1"),
  "a backslash": (path) => path.replace(/\/([^/]+)$/, "\\$1"),
  "a backslash way back": (path) => path.replace("/v1/", "/v1\\chat\\..\\"),
  "doubled slashes": (path) => path.replaceAll("/", "//"),
  "a matrix parameter": (path) => `${path};a=b`,
  "a matrix parameter within": (path) => path.replace("/v1/", "/v1;a=b/"),
  "an encoded zero": (path) => `${path}%00`,
  "a zero and more": (path) => `${path}%00.json`,
  "an encoded line end": (path) => `${path}%0d%0a`,
  "an encoded space": (path) => `${path}%20`,
  "an encoded letter": (path) =>
    path.replace(
      /([a-z])([^/]*)$/,
      (_, first: string, rest: string) => `%${first.charCodeAt(0).toString(16)}${rest}`,
    ),
  "all letters encoded": (path) =>
    `/v1${path.slice(3).replaceAll(/[a-z_]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`,
  "letters encoded twice": (path) =>
    path.replace(
      /([a-z])([^/]*)$/,
      (_, first: string, rest: string) => `%25${first.charCodeAt(0).toString(16)}${rest}`,
    ),
  "upper case": (path) => `/v1${path.slice(3).toUpperCase()}`,
  "mixed case": (path) =>
    path.replace(/([a-z])([^/]*)$/, (_, first: string, rest: string) => first.toUpperCase() + rest),
  "a wide letter": (path) => path.replace(/s/, "%EF%BD%93"),
  "an overlong slash": (path) => path.replace(/\/([^/]+)$/, "%c0%af$1"),
  "an overlong dot": (path) => path.replace("/v1/", "/v1/chat/%c0%ae%c0%ae/"),
  "a fragment": (path) => `${path}#x`,
  "an empty query": (path) => `${path}?`,
  "a query with a path": (path) => `/v1/models?/../..${path}`,
  "no version": (path) => path.slice(3),
  "the version twice": (path) => `/v1${path}`,
  "an encoded version": (path) => path.replace("/v1", "/%76%31"),
  "a tab": (path) => path.replace(/([a-z])$/, "%09$1"),
  "a format suffix": (path) => `${path}.json`,
};

/** What the provider was asked for, as a lenient server reads it. */
function asked(): string[] {
  return behind.upstream.requests.map(({ target }) => {
    let path = target.split("?")[0] ?? "";
    for (let i = 0; i < 3; i++) {
      try {
        path = decodeURIComponent(path);
      } catch {
        break;
      }
    }
    const segments: string[] = [];
    for (const raw of path.replaceAll("\\", "/").split("/")) {
      const segment = (raw.split(";")[0] ?? "").replaceAll(/\p{Cc}/gu, "");
      if (segment === "..") segments.pop();
      else if (segment !== "." && segment !== "") segments.push(segment);
    }
    return `/${segments.join("/")}`.toLowerCase();
  });
}

for (const [trick, spell] of Object.entries(tricks)) {
  test(`a denied endpoint spelled with ${trick} does not reach the provider`, async () => {
    for (const [provider, path] of denied) {
      for (const method of ["POST", "GET"]) {
        const head: HeaderList = [...behind.auth, ["Content-Length", "0"]];
        await rawExchange(
          behind.gateway.port,
          headBytes(`${method} /${provider}${spell(path)} HTTP/1.1`, head),
        );
      }
    }
    const rules = denied.map(([, path]) => path.toLowerCase());
    const bare = rules.map((rule) => rule.slice(3));
    const reached = asked().filter((path) =>
      [...rules, ...bare].some((rule) => path === rule || path.startsWith(`${rule}/`)),
    );
    expect(reached).toEqual([]);
  });
}

const hosts: Record<string, string | undefined> = {
  none: undefined,
  empty: "",
  "of another site": "api.openai.com",
  "with a path": "h/anthropic/v1/messages?",
  "with a fragment": "h#",
  "with a user": "openai:x@anthropic",
  "with spaces": "a b",
  "with a slash in front": "/anthropic",
  "with letters beyond ASCII": "h\xe9\xff",
  "with a bad escape": "%zz",
  "with a port out of range": "a:99999",
  "of a provider": "api.anthropic.com",
  "that is very long": "a".repeat(3000),
  "with a backslash": "a\\b",
  "with brackets": "[::1",
};

for (const [what, host] of Object.entries(hosts)) {
  for (const version of ["1.1", "1.0"]) {
    test(`a Host header ${what} in HTTP/${version} changes neither route nor rules`, async () => {
      const send = (target: string) =>
        rawExchange(
          behind.gateway.port,
          headBytes(`POST ${target} HTTP/${version}`, [
            ...(host === undefined ? [] : [["Host", host] as const]),
            ["Authorization", `Bearer ${behind.key}`],
            ["Content-Length", "0"],
          ]),
        );
      for (const [target, expected] of [
        ["/openai/v1/models", "/v1/models"],
        ["/anthropic/v1/messages", "/v1/messages"],
      ] as const) {
        behind.upstream.clear();
        const response = await send(target);
        // Refused, or forwarded to where the path says.
        if (response === "closed" || response === "open") throw new Error(`The connection is ${response}.`);
        if (response.status === 200) expect(behind.upstream.last.target).toBe(expected);
        else expect([response.status, behind.upstream.requests.length]).toEqual([400, 0]);
      }
      behind.upstream.clear();
      for (const target of [
        "/xxxxxxx/openai/v1/realtime/x/../client_secrets",
        "/xxxxxxx/openai/v1/realtime/x/%2e%2e/client_secrets",
        "/xxxxxxx/openai/v1/realtime\\client_secrets",
        "/xxxxxxx/openai/../../admin",
        "/openai/v1/realtime/client_secrets",
        "/openai/v1/realtime/x/../client_secrets",
      ]) {
        const response = await send(target);
        expect(response).not.toHaveProperty("status", 500);
      }
      expect(behind.upstream.requests.map(({ target }) => target)).toEqual([]);
      // The gateway's own paths keep their doors shut too.
      for (const target of ["/api/v1/users", "/xxxxxxx/api/v1/users", "/openai/../api/v1/users"]) {
        const response = await send(target);
        expect(response).not.toHaveProperty("status", 200);
        expect(response).not.toHaveProperty("status", 500);
      }
    });
  }
}

test("health checks that speak HTTP/1.0 without a Host are answered, as load balancers send them", async () => {
  for (const path of ["/healthz", "/readyz"]) {
    const response = await rawExchange(behind.gateway.port, `GET ${path} HTTP/1.0\r\n\r\n`);
    expect(response).toHaveProperty("status", 200);
  }
});

test("an address with a host in front goes by its path alone", async () => {
  for (const [target, expected] of [
    ["http://evil.example/openai/v1/models", "/v1/models"],
    ["http://evil.example/anthropic/v1/messages", "/v1/messages"],
  ] as const) {
    behind.upstream.clear();
    await rawExchange(behind.gateway.port, headBytes(`GET ${target} HTTP/1.1`, behind.auth));
    expect(behind.upstream.requests.map((request) => request.target)).toEqual([expected]);
  }
});

test("a client cannot have the provider's key or the body's framing dropped by naming it in Connection", async () => {
  const nominated =
    "authorization, x-api-key, Content-Length, content-type, host, transfer-encoding, x-custom, anthropic-version";
  for (const [provider, name, value] of [
    ["openai", "authorization", `Bearer ${OPENAI_KEY}`],
    ["anthropic", "x-api-key", ANTHROPIC_KEY],
  ] as const) {
    behind.upstream.clear();
    const response = await behind.ask({
      method: "POST",
      target: `/${provider}/v1/messages`,
      headers: [
        ["Connection", nominated],
        ["Content-Type", "application/json"],
        ["X-Custom", "1"],
      ],
      body: '{"model":"m"}',
    });
    expect(response.status).toBe(200);
    const { last } = behind.upstream;
    expect(header(last, name)).toBe(value);
    expect(header(last, "content-type")).toBe("application/json");
    expect(header(last, "x-custom")).toBeUndefined();
    expect(last.body.toString()).toBe('{"model":"m"}');
    expect(behind.upstream.raw).not.toContain("lmk_");
  }
});

test("headers spelled with an underscore do not stand for those with a dash", async () => {
  for (const name of ["x_api_key", "api_key", "X_API_Key"]) {
    const headers: HeaderList = [
      ["Host", "h"],
      [name, behind.key],
    ];
    const response = await rawExchange(behind.gateway.port, headBytes("POST /openai/v1/x HTTP/1.1", headers));
    expect(response).toHaveProperty("status", 401);
  }
});

test("two authorization headers are not merged into one that counts", async () => {
  const head = headBytes("POST /openai/v1/x HTTP/1.1", [
    ["Host", "h"],
    ["Authorization", "Bearer sk-other-0123456789"],
    ["Authorization", `Bearer ${behind.key}`],
    ["Content-Length", "0"],
  ]);
  const response = await rawExchange(behind.gateway.port, head);
  expect(response).toHaveProperty("status", 401);
  expect(behind.upstream.requests).toHaveLength(0);
});

test("a body cannot say where it is sent to", async () => {
  const sink = "http://127.0.0.1:9/sink";
  const names = [
    "api_base",
    "base_url",
    "baseUrl",
    "endpoint",
    "url",
    "host",
    "upstream",
    "provider",
    "api_key",
    "proxy",
    "target",
    "origin",
    "forward",
    "redirect",
    "callback_url",
    "custom_host",
  ];
  const body = JSON.stringify({ model: "m", ...Object.fromEntries(names.map((name) => [name, sink])) });
  const query = names.map((name) => `${name}=${encodeURIComponent(sink)}`).join("&");
  const headers: HeaderList = names
    .filter((name) => name !== "host")
    .flatMap(
      (name) =>
        [
          [name, sink],
          [`x-${name}`, sink],
          [`x-lmk-${name}`, sink],
          [`x-portkey-${name}`, sink],
        ] as const,
    );
  const response = await behind.ask({
    method: "POST",
    target: `/openai/v1/chat/completions?${query}`,
    headers: [...headers, ["Content-Type", "application/json"]],
    body,
  });
  expect(response.status).toBe(200);
  expect(header(behind.upstream.last, "host")).toBe(behind.upstream.url.slice(7));
  expect(behind.upstream.last.body.toString()).toBe(body);
});

test("a browser cannot load what a provider returns as a page of this host", async () => {
  for (const destination of [
    "document",
    "iframe",
    "frame",
    "fencedframe",
    "embed",
    "object",
    "script",
    "style",
    "worker",
    "sharedworker",
    "serviceworker",
    "audioworklet",
    "paintworklet",
    "xslt",
  ]) {
    behind.upstream.clear();
    const response = await behind.ask({ target: "/openai/v1/x", headers: [["Sec-Fetch-Dest", destination]] });
    expect([destination, response.status]).toEqual([destination, 403]);
    expect(behind.upstream.requests).toHaveLength(0);
  }
  expect((await behind.ask({ target: "/openai/v1/x", headers: [["Sec-Fetch-Dest", "empty"]] })).status).toBe(
    200,
  );
});
