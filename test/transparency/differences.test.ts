/** Each row of docs/transparency.md has a test of its name here, which shows that the difference exists. */

import { beforeAll, beforeEach, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { spliceOutputCap } from "../../src/gateway/output-cap.ts";
import { scanObject } from "../../src/gateway/scan.ts";
import { chatDemand } from "../../src/providers/formats/openai-demand.ts";
import { ANTHROPIC_KEY, type Behind, behindGateway, OPENAI_KEY } from "../support/behind-gateway.ts";
import { listed } from "../support/differences.ts";
import { chunk, type HeaderList, headBytes, header, LAST_CHUNK } from "../support/http1.ts";
import {
  type RawRequest,
  type RawResponse,
  rawClient,
  rawExchange,
  rawRequest,
} from "../support/raw-client.ts";
import { recordingUpstream, reply } from "../support/recording-upstream.ts";

let behind: Behind;
beforeAll(async () => {
  behind = await behindGateway();
});
beforeEach(() => {
  behind.upstream.clear();
  behind.upstream.answer = reply({ headers: [["Content-Type", "application/json"]], body: "{}" });
});

const shown = new Set<string>();

/** A test named by a row of the page. */
function shows(row: string, work: () => Promise<void>): void {
  shown.add(row);
  test(row, work);
}

/** The header as the provider got it. */
async function arrives(name: string, headers: HeaderList, request: Partial<RawRequest> = {}) {
  await behind.ask({ target: "/openai/v1/x", ...request, headers });
  return header(behind.upstream.last, name);
}

/** The refusal's code and status; the provider must not have been asked. */
async function refused(request: RawRequest): Promise<[number, string | undefined]> {
  const response = await behind.ask(request);
  expect(behind.upstream.requests).toHaveLength(0);
  return [response.status, header(response, "x-llamakey-refusal")];
}

async function answerTo(sent: HeaderList, body = "{}"): Promise<RawResponse> {
  behind.upstream.answer = reply({ headers: sent, body });
  return behind.ask({ target: "/openai/v1/x" });
}

shows("base-address", async () => {
  for (const [target, received] of [
    ["/openai/chat/completions", "/v1/chat/completions"],
    ["/openai/v1/chat/completions", "/v1/chat/completions"],
    ["/anthropic/messages", "/v1/messages"],
    ["/anthropic/v1/messages", "/v1/messages"],
    ["/box/models?x=1", "/deep/v1/models?x=1"],
  ] as const) {
    await behind.ask({ target });
    expect(behind.upstream.last.target).toBe(received);
    expect(`http://${header(behind.upstream.last, "host")}`).toBe(behind.upstream.url);
  }
});

shows("credential", async () => {
  for (const name of ["authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key"]) {
    const key: HeaderList = [
      ["Host", "h"],
      [name, behind.key],
    ];
    await rawRequest(behind.gateway.port, { target: "/openai/v1/x", headers: key });
    expect(header(behind.upstream.last, "authorization")).toBe(`Bearer ${OPENAI_KEY}`);
    await rawRequest(behind.gateway.port, { target: "/anthropic/v1/x", headers: key });
    expect(header(behind.upstream.last, "x-api-key")).toBe(ANTHROPIC_KEY);
  }
  for (const target of [`/openai/v1/x?key=${behind.key}&a=1`, `/openai/${behind.key}/v1/x?a=1`]) {
    await rawRequest(behind.gateway.port, { target, headers: [["Host", "h"]] });
    expect(behind.upstream.last.target).toBe("/v1/x?a=1");
  }
  expect(behind.upstream.raw).not.toContain("lmk_");
});

shows("account-headers", async () => {
  expect(await arrives("openai-organization", [["OpenAI-Organization", "org-1"]])).toBeUndefined();
  expect(await arrives("openai-project", [["OpenAI-Project", "proj-1"]])).toBeUndefined();
  const workspace: HeaderList = [["anthropic-workspace-id", "w"]];
  expect(await arrives("anthropic-workspace-id", workspace, { target: "/anthropic/v1/x" })).toBeUndefined();
});

shows("client-tokens", async () => {
  for (const [target, grant, parameter, provider] of [
    ["/vertex/oauth2/token", "refresh_token", "refresh_token", "/vertex"],
    ["/vectara-auth/oauth/token", "client_credentials", "client_secret", "/vectara"],
  ] as const) {
    const given = await rawRequest(behind.gateway.port, {
      method: "POST",
      target,
      headers: [
        ["Host", "h"],
        ["Content-Type", "application/x-www-form-urlencoded"],
      ],
      body: new URLSearchParams({ grant_type: grant, [parameter]: behind.key }).toString(),
    });
    const { access_token } = JSON.parse(given.body.toString()) as { access_token: string };
    const headers: HeaderList = [
      ["Host", "h"],
      ["Authorization", `Bearer ${access_token}`],
    ];
    const taken = await rawRequest(behind.gateway.port, { target: `${provider}/v1/x`, headers });
    // There is no credential of theirs here: it is known who asks.
    expect([taken.status, header(taken, "x-llamakey-refusal")]).toEqual([403, "no_credential"]);
  }
  expect(behind.upstream.requests).toHaveLength(0);
});

shows("hop-by-hop", async () => {
  for (const name of ["keep-alive", "te", "trailer", "upgrade", "proxy-connection", "proxy-authorization"]) {
    expect(await arrives(name, [[name, "x"]])).toBeUndefined();
  }
  const nominated: HeaderList = [
    ["Connection", "close, X-Hop"],
    ["X-Hop", "1"],
  ];
  expect(await arrives("x-hop", nominated)).toBeUndefined();
  for (const name of ["Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Trailer", "Upgrade"]) {
    expect(header(await answerTo([[name, "x"]]), name)).toBeUndefined();
  }
  const answer = await answerTo([
    ["Connection", "X-Hop"],
    ["X-Hop", "1"],
  ]);
  expect(header(answer, "x-hop")).toBeUndefined();
});

shows("client-network", async () => {
  for (const name of [
    "cookie",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
  ]) {
    expect(await arrives(name, [[name, "x"]])).toBeUndefined();
  }
});

shows("expect", async () => {
  const client = await rawClient(behind.gateway.port);
  const head: HeaderList = [
    ...behind.auth,
    ["Expect", "100-continue"],
    ["Content-Length", "2"],
    ["Content-Type", "application/json"],
  ];
  client.send(headBytes("POST /openai/v1/x HTTP/1.1", head));
  expect((await client.reader.head())?.startLine).toBe("HTTP/1.1 100 Continue");
  client.send("{}");
  expect((await client.response())?.status).toBe(200);
  client.close();
  expect(header(behind.upstream.last, "expect")).toBeUndefined();
});

shows("header-order", async () => {
  await behind.ask({
    target: "/openai/v1/x",
    headers: [
      ["x-z", "1"],
      ["USER-AGENT", "u"],
      ["x-b", "2"],
    ],
  });
  const names = behind.upstream.last.headers.map(([name]) => name);
  expect(names).not.toContain("USER-AGENT");
  // Those that the platform has a number for come first.
  expect(names.indexOf("user-agent")).toBeLessThan(names.indexOf("x-z"));
});

shows("header-merging", async () => {
  const twice: HeaderList = [
    ["X-Twice", "1"],
    ["x-twice", "2"],
  ];
  expect(await arrives("x-twice", twice)).toBe("1, 2");
  expect(behind.upstream.last.headers.filter(([name]) => /x-twice/i.test(name))).toHaveLength(1);
  const answer = await answerTo(twice);
  expect(answer.headers.filter(([name]) => /x-twice/i.test(name)).map(([, value]) => value)).toEqual([
    "1, 2",
  ]);
});

shows("proxied", async () => {
  const names = ["user-agent", "accept", "connection", "content-length"];
  for (const name of names) expect(await arrives(name, [], { method: "DELETE" })).toBeUndefined();
  const proxy = await recordingUpstream();
  const proxied = await behindGateway({ env: { LMK_UPSTREAM_PROXY: proxy.url } });
  await proxied.ask({ method: "DELETE", target: "/openai/v1/x" });
  expect(proxied.upstream.requests).toHaveLength(0);
  expect(proxy.last.target).toBe(`${proxied.upstream.url}/v1/x`);
  const added = names.map((name) => header(proxy.last, name));
  expect(added).toEqual([expect.stringMatching(/^Bun\//), "*/*", "keep-alive", "0"]);
});

shows("request-framing", async () => {
  const chunked: HeaderList = [...behind.auth, ["Transfer-Encoding", "chunked"]];
  for (const [type, framing] of [
    ["application/json", "length"],
    ["application/octet-stream", "chunked"],
  ] as const) {
    const head = headBytes("POST /openai/v1/x HTTP/1.1", [...chunked, ["Content-Type", type]]);
    const response = await rawExchange(
      behind.gateway.port,
      Buffer.concat([head, chunk('{"a":'), chunk("1}"), LAST_CHUNK]),
    );
    expect(response).toHaveProperty("status", 200);
    expect(behind.upstream.last.framing).toBe(framing);
    expect(behind.upstream.last.body.toString()).toBe('{"a":1}');
  }
});

shows("answer-framing", async () => {
  const typed: HeaderList = [["Content-Type", "text/plain"]];
  expect((await answerTo(typed, "x".repeat(256 * 1024))).framing).toBe("length");
  expect((await answerTo(typed, "x".repeat(256 * 1024 + 1))).framing).toBe("chunked");
  expect((await answerTo([], "x")).framing).toBe("chunked");
});

shows("late-head", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  behind.upstream.answer = async (_, socket) => {
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    await promise;
    socket.write(Buffer.concat([chunk("data: 1\n\n"), LAST_CHUNK]));
  };
  const client = await rawClient(behind.gateway.port);
  client.request({ target: "/openai/v1/x", headers: behind.auth });
  const head = client.reader.head();
  expect(await Promise.race([head, Bun.sleep(300)])).toBeUndefined();
  resolve();
  expect((await head)?.startLine).toBe("HTTP/1.1 200 OK");
  client.close();
});

shows("status-line", async () => {
  behind.upstream.answer = (_, socket) => {
    socket.end("HTTP/1.0 404 My Own Words\r\nContent-Length: 0\r\n\r\n");
  };
  const client = await rawClient(behind.gateway.port);
  client.request({ target: "/openai/v1/x", headers: behind.auth });
  expect((await client.reader.head())?.startLine).toBe("HTTP/1.1 404 Not Found");
  client.close();
});

shows("host-headers", async () => {
  const answer = await answerTo([
    ["Alt-Svc", 'h3=":443"'],
    ["Strict-Transport-Security", "max-age=1"],
  ]);
  expect(header(answer, "alt-svc")).toBeUndefined();
  expect(header(answer, "strict-transport-security")).toBeUndefined();
});

shows("browser-headers", async () => {
  const sent: HeaderList = [
    ["Set-Cookie", "lmk_session_8000=somebody-elses; Path=/"],
    ["Set-Cookie", "__Host-lmk_session=somebody-elses; Path=/; Secure"],
    ["Clear-Site-Data", '"cookies"'],
    ["NEL", '{"report_to":"nel","max_age":604800}'],
    ["Report-To", '{"group":"nel","endpoints":[{"url":"https://reports.example"}]}'],
    ["Reporting-Endpoints", 'default="https://reports.example"'],
  ];
  const to = async (headers: HeaderList) => {
    behind.upstream.answer = reply({ headers: sent, body: "{}" });
    const answer = await behind.ask({ target: "/openai/v1/x", headers });
    return sent.filter(([name]) => header(answer, name.toLowerCase()) !== undefined).length;
  };
  expect(await to([["Sec-Fetch-Site", "same-origin"]])).toBe(0);
  expect(await to([])).toBe(sent.length);
});

shows("request-id", async () => {
  expect(header(await answerTo([]), "x-llamakey-request-id")).toMatch(/^lmkreq-/);
});

shows("date", async () => {
  expect(header(await answerTo([["Content-Type", "text/plain"]]), "date")).toMatch(/ GMT$/);
  const own = "Tue, 01 Jan 2019 00:00:00 GMT";
  expect(header(await answerTo([["Date", own]]), "date")).toBe(own);
});

/** Makes it the first user's. */
async function assign(provider: string, kind: string, id: string): Promise<void> {
  const { items } = await behind.gateway.api<{ items: { id: string }[] }>("GET", "/users");
  await behind.gateway.api("POST", "/objects/assign", { provider, kind, id, user: items[0]?.id });
}

shows("links", async () => {
  await assign("anthropic", "message_batch", "b");
  const link = `${behind.upstream.url}/v1/messages/batches/b/results`;
  behind.upstream.answer = reply({
    headers: [["Content-Type", "application/json"]],
    body: `{"id":"b","results_url" : "${link}","other":"${link}"}`,
  });
  const response = await behind.ask({ target: "/anthropic/v1/messages/batches/b" });
  const ours = `${behind.gateway.url}/anthropic/v1/messages/batches/b/results`;
  expect(response.body.toString()).toBe(`{"id":"b","results_url" : "${ours}","other":"${link}"}`);
  expect(header(response, "content-length")).toBe(String(response.body.length));
});

shows("stream-usage", async () => {
  const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
  const first = event({ choices: [{ delta: { content: "hi" } }], usage: null });
  const usage = event({ choices: [], usage: { prompt_tokens: 1 } });
  behind.upstream.answer = reply({
    headers: [["Content-Type", "text/event-stream"]],
    body: `${first}${usage}data: [DONE]\n\n`,
  });
  const headers: HeaderList = [
    ["Content-Type", "application/json"],
    ["Accept-Encoding", "br"],
  ];
  const response = await behind.ask({
    method: "POST",
    target: "/openai/v1/chat/completions",
    headers,
    body: Buffer.from('{"model":"m","stream":true}'),
  });
  const { last } = behind.upstream;
  expect(last.body.toString()).toBe('{"stream_options":{"include_usage":true},"model":"m","stream":true}');
  expect(header(last, "accept-encoding")).toBe("identity");
  expect(response.body.toString()).toBe(`${first}data: [DONE]\n\n`);
});

shows("output-cap", async () => {
  const body = Buffer.from('{"model":"m","messages":[]}');
  const format = chatDemand("max_completion_tokens");
  const scanned = scanObject(body, format);
  if (scanned === null || format.cap === undefined) throw new Error("no cap can be written");
  expect(Buffer.from(spliceOutputCap(body, scanned, format.cap, 2048)).toString()).toBe(
    '{"max_completion_tokens":2048,"model":"m","messages":[]}',
  );
});

shows("identity-encoding", async () => {
  const accept: HeaderList = [["Accept-Encoding", "gzip"]];
  const target = "/anthropic/v1/messages/batches";
  expect(await arrives("accept-encoding", accept, { target })).toBe("identity");
  expect(await arrives("accept-encoding", accept, { target: "/anthropic/v1/messages" })).toBe("gzip");
});

shows("redirects", async () => {
  behind.upstream.answer = reply({ status: 307, headers: [["Location", `${behind.upstream.url}/v1/y?a=1`]] });
  const within = await behind.ask({ method: "POST", target: "/openai/v1/x" });
  expect([within.status, header(within, "location")]).toEqual([307, "/openai/y?a=1"]);

  behind.upstream.answer = reply({ status: 302, headers: [["Location", "http://other.invalid/"]] });
  behind.upstream.clear();
  const elsewhere = await behind.ask({ method: "POST", target: "/openai/v1/x" });
  expect([elsewhere.status, header(elsewhere, "location")]).toEqual([502, undefined]);
});

shows("rejected-credential", async () => {
  behind.upstream.answer = reply({ status: 401, body: `{"error":"bad key ${OPENAI_KEY}"}` });
  const response = await behind.ask({ target: "/openai/v1/x" });
  expect([response.status, header(response, "x-llamakey-refusal")]).toEqual([502, "credential_rejected"]);
  expect(response.body.toString()).not.toContain(OPENAI_KEY.slice(8, 20));
});

shows("trailers", async () => {
  behind.upstream.answer = (_, socket) => {
    socket.write(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n",
    );
  };
  const client = await rawClient(behind.gateway.port);
  client.request({ target: "/openai/v1/x", headers: behind.auth });
  expect((await client.reader.head())?.startLine).toBe("HTTP/1.1 200 OK");
  let bytes = "";
  while (!bytes.includes("abc")) bytes += await client.reader.some();
  expect(bytes).not.toContain("X-Trailer");
  client.close();

  behind.upstream.clear();
  const head = headBytes("POST /openai/v1/x HTTP/1.1", [...behind.auth, ["Transfer-Encoding", "chunked"]]);
  const trailer = Buffer.from("0\r\nX-Trailer: 1\r\n\r\n");
  const response = await rawExchange(behind.gateway.port, Buffer.concat([head, chunk("{}"), trailer]));
  expect(response).toHaveProperty("status", 400);
});

shows("informational", async () => {
  behind.upstream.answer = (_, socket) => {
    socket.write(
      "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
  };
  const client = await rawClient(behind.gateway.port);
  client.request({ target: "/openai/v1/x", headers: behind.auth });
  expect((await client.reader.head())?.startLine).toBe("HTTP/1.1 200 OK");
  client.close();
});

shows("bodiless-answers", async () => {
  behind.upstream.answer = reply({ status: 205, body: "x" });
  const response = await behind.ask({ target: "/openai/v1/x" });
  expect([response.status, response.body.length]).toEqual([205, 0]);
});

shows("get-with-body", async () => {
  for (const method of ["GET", "HEAD"]) {
    expect(await refused({ method, target: "/openai/v1/x", body: "{}" })).toEqual([400, "bad_request"]);
  }
});

shows("unread-probe", async () => {
  const response = await rawRequest(behind.gateway.port, {
    method: "HEAD",
    target: "/anthropic/api/hello",
    headers: [["Host", "h"]],
  });
  expect(response.status).toBe(200);
  expect(behind.upstream.requests).toHaveLength(0);
});

shows("navigation", async () => {
  for (const destination of ["document", "iframe", "embed", "object", "script", "style", "worker"]) {
    const headers: HeaderList = [["Sec-Fetch-Dest", destination]];
    expect(await refused({ target: "/openai/v1/x", headers })).toEqual([403, "bad_request"]);
  }
  expect(await arrives("sec-fetch-dest", [["Sec-Fetch-Dest", "empty"]])).toBe("empty");
});

shows("websocket", async () => {
  const headers: HeaderList = [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ];
  expect((await refused({ target: "/openai/v1/responses", headers }))[0]).toBe(426);
});

shows("dot-segments", async () => {
  for (const target of [
    "/openai/v1/a/../x",
    "/openai/v1/./x",
    "/openai/v1/a/%2e%2e/x",
    "/openai/v1/a/.%2E/x",
    "/openai/v1\\x",
  ]) {
    await behind.ask({ target });
    expect(behind.upstream.last.target).toBe("/v1/x");
  }
});

shows("doubled-slashes", async () => {
  for (const target of ["//openai/v1/x", "/openai//v1/x", "/openai/v1///x"]) {
    await behind.ask({ target });
    expect(behind.upstream.last.target).toBe("/v1/x");
  }
});

shows("ambiguous-paths", async () => {
  for (const part of [
    "a%2Fb",
    "a%2fb",
    "a%5Cb",
    "a%00b",
    "a%0D%0Ab",
    "a%7Fb",
    "a%zz",
    "a%",
    "a%2",
    "..;x/b",
    ".;/b",
    "a%FF",
    "a%C0%AF",
    "%252e%252e",
    "%252f",
  ]) {
    expect(await refused({ target: `/openai/v1/${part}` })).toEqual([400, "bad_request"]);
  }
});

shows("escaped-characters", async () => {
  await behind.ask({ target: '/openai/v1/"<>^`{}?"<>\'^`{}#fragment' });
  expect(behind.upstream.last.target).toBe("/v1/%22%3C%3E%5E%60%7B%7D?%22%3C%3E%27^`{}");
});

shows("unclear-json", async () => {
  const deep = `{"a":${"[".repeat(600)}${"]".repeat(600)}}`;
  for (const body of [
    '{"model":"a"',
    '{"model":"a","model":"b"}',
    '{"model":"a","mod\\u0065l":"b"}',
    "{,}",
    deep,
    "{} {}",
    '{"max_tokens":1,"max_tokens":2}',
    '{"Model":"a"}',
  ]) {
    const headers: HeaderList = [["Content-Type", "application/json"]];
    expect(await refused({ method: "POST", target: "/openai/v1/chat/completions", headers, body })).toEqual([
      400,
      "bad_request",
    ]);
  }
});

shows("ambiguous-model", async () => {
  const part = (name: string, value: string) =>
    `--x\r\nContent-Disposition: form-data; ${name}\r\n\r\n${value}\r\n`;
  const form = "multipart/form-data; boundary=x";
  const heard = "/openai/v1/audio/transcriptions";
  const model = part('name="model"', "a");
  for (const [target, type, body] of [
    ["/openai/v1/chat/completions?model=b", "application/json", '{"model":"a"}'],
    ["/openai/v1/chat/completions?model=a&model=b", "application/json", "{}"],
    [heard, form, `${model}${part('name="model"', "b")}--x--\r\n`],
    [heard, form, `${part('name="model"; name="n"', "b")}--x--\r\n`],
    [heard, `${form}; boundary=y`, `${model}--x--\r\n`],
  ] as const) {
    const headers: HeaderList = [["Content-Type", type]];
    expect(await refused({ method: "POST", target, headers, body })).toEqual([400, "bad_request"]);
  }
});

shows("form-for-json", async () => {
  const body =
    '{"model":"a","n":100}\r\n--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nb\r\n--x--\r\n';
  for (const type of ["multipart/form-data; boundary=x", "Multipart/Mixed; boundary=x"]) {
    for (const target of [
      "/openai/v1/chat/completions",
      "/openai/v1/embeddings",
      "/openai/v1/audio/speech",
    ]) {
      const headers: HeaderList = [["Content-Type", type]];
      expect(await refused({ method: "POST", target, headers, body })).toEqual([400, "bad_request"]);
    }
  }
});

shows("overrides", async () => {
  for (const name of [
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-Original-URL",
    "X-Rewrite-URL",
  ]) {
    const headers: HeaderList = [[name, "DELETE"]];
    expect(await refused({ method: "POST", target: "/openai/v1/files/f", headers, body: "{}" })).toEqual([
      400,
      "bad_request",
    ]);
  }
  for (const parameter of [
    "$httpMethod=DELETE",
    "%24httpMethod=DELETE",
    "a=1&%24ct=x",
    "$HTTPHEADERS=x",
    "$req=x",
  ]) {
    const target = `/openai/v1/files/f?${parameter}`;
    expect(await refused({ method: "POST", target, body: "{}" })).toEqual([400, "bad_request"]);
  }
  behind.upstream.clear();
  await behind.ask({ method: "POST", target: "/openai/v1/x?$alt=json&a=$ct", body: "{}" });
  expect(behind.upstream.requests).toHaveLength(1);
});

shows("unreadable-encoding", async () => {
  const request = (encoding: string, body: Buffer): RawRequest => ({
    method: "POST",
    target: "/openai/v1/x",
    headers: [
      ["Content-Type", "application/json"],
      ["Content-Encoding", encoding],
    ],
    body,
  });
  expect(await refused(request("snappy", Buffer.from("{}")))).toEqual([400, "bad_request"]);
  expect(await refused(request("gzip, gzip", gzipSync(gzipSync("{}"))))).toEqual([400, "bad_request"]);
  expect(await refused(request("gzip", Buffer.from("{}")))).toEqual([400, "bad_request"]);
});

shows("size-limit", async () => {
  const headers: HeaderList = [
    ...behind.auth,
    ["Content-Type", "application/json"],
    ["Content-Length", String(64 * 1024 * 1024 + 1)],
  ];
  const response = await rawExchange(behind.gateway.port, headBytes("POST /openai/v1/x HTTP/1.1", headers));
  expect(response).toHaveProperty("status", 413);

  const long = (size: number): HeaderList => [["X-Long", "x".repeat(size)]];
  expect((await behind.ask({ target: "/openai/v1/x", headers: long(60_000) })).status).toBe(200);
  expect((await behind.ask({ target: "/openai/v1/x", headers: long(70_000) })).status).toBe(431);
  expect(behind.upstream.requests).toHaveLength(1);
});

shows("foreign-objects", async () => {
  await assign("openai", "file", "file-fakeMine");
  expect((await behind.ask({ target: "/openai/v1/files/file-fakeMine" })).status).toBe(200);
  behind.upstream.clear();
  const missing = [404, "object_not_found"] as const;
  expect(await refused({ target: "/openai/v1/files/file-fakeTheirs/content" })).toEqual([...missing]);
  const headers: HeaderList = [["Content-Type", "application/json"]];
  const body = '{"model":"m","input":[{"content":[{"type":"input_file","file_id":"file-fakeTheirs"}]}]}';
  expect(await refused({ method: "POST", target: "/openai/v1/responses", headers, body })).toEqual([
    ...missing,
  ]);
});

shows("filtered-lists", async () => {
  await assign("openai", "file", "file-fakeMine");
  const pages = [
    '{"data": [ {"id":"file-fake1"} ], "has_more" : true}',
    '{"data": [ {"id":"file-fake2"},\n {"id":"file-fakeMine", "x" : 1.0} ], "has_more" : true}',
  ];
  behind.upstream.answer = reply(({ target }) => ({
    headers: [["Content-Type", "application/json"]],
    body: pages[target.includes("after=") ? 1 : 0] as string,
  }));
  const listed = await behind.ask({
    target: "/openai/v1/files?limit=2&order=asc",
    headers: [["Accept-Encoding", "gzip"]],
  });
  expect(listed.body.toString()).toBe('{"data": [ {"id":"file-fakeMine", "x" : 1.0} ], "has_more" : true}');
  expect(behind.upstream.requests.map(({ target }) => target)).toEqual([
    "/v1/files?limit=2&order=asc",
    "/v1/files?limit=2&order=asc&after=file-fake1",
  ]);
  expect(header(behind.upstream.last, "accept-encoding")).toBe("identity");
});

shows("denied-endpoints", async () => {
  for (const target of [
    "/openai/v1/realtime/client_secrets",
    "/openai/organization/admin_api_keys",
    "/anthropic/v1/organizations/me",
  ]) {
    expect(await refused({ method: "POST", target })).toEqual([403, "endpoint_not_allowed"]);
  }
});

shows("unknown-methods", async () => {
  expect(
    await rawExchange(behind.gateway.port, headBytes("FROBNICATE /openai/v1/x HTTP/1.1", behind.auth)),
  ).toBe("closed");
  expect(behind.upstream.requests).toHaveLength(0);
});

test("every row of the page is shown here, and nothing is shown that the page does not list", () => {
  expect([...shown].sort()).toEqual([...listed].sort());
});
