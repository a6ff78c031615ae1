import { afterAll, expect, test } from "bun:test";
import { poll } from "../../test/support/poll.ts";
import { answering, type RawConnection, RawUpstream } from "../../test/support/raw-upstream.ts";
import { failureOf, requestTo, textOf } from "../../test/support/upstream-call.ts";
import { Abort } from "./abort.ts";
import { UpstreamClient } from "./client.ts";
import { UpstreamFailure } from "./failure.ts";

const client = new UpstreamClient();
afterAll(() => client.close());

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

async function get(origin: string, its: Parameters<typeof requestTo>[1] = {}): Promise<string> {
  return textOf(await client.send(requestTo(origin, its)));
}

/** Answers every request on every connection the same way. */
function always(answer: string) {
  return async (connection: RawConnection) => {
    while ((await connection.request()) !== undefined) await connection.write(answer);
  };
}

test("what is sent is what was given, and nothing else", async () => {
  const requests: (string | undefined)[] = [];
  await using upstream = await RawUpstream.start(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === undefined) return;
      requests.push(request);
      await connection.write(OK);
    }
  });
  const host = `host: 127.0.0.1:${upstream.port}`;
  await get(upstream.origin, { target: "/a?b=%20'\"|", headers: ["x-a", "1", "x-A", "caf\u00e9\t"] });
  await get(upstream.origin, { method: "POST", body: Buffer.from("{}") });
  await get(upstream.origin, { method: "DELETE", body: new Uint8Array(0) });
  expect(requests).toEqual([
    `GET /a?b=%20'"| HTTP/1.1\r\n${host}\r\nx-a: 1\r\nx-A: caf\u00e9\t\r\n\r\n`,
    `POST /v1/things HTTP/1.1\r\n${host}\r\ncontent-length: 2\r\n\r\n{}`,
    `DELETE /v1/things HTTP/1.1\r\n${host}\r\ncontent-length: 0\r\n\r\n`,
  ]);
});

test("what cannot be written as HTTP is refused before anybody is called", async () => {
  await using upstream = await RawUpstream.start(always(OK));
  const bad = [
    { target: "" },
    { target: "v1" },
    { target: "/a b" },
    { target: "/a\r\nx: y" },
    { target: "/\u00fc" },
    { target: "/\0" },
    { method: "" },
    { method: "GET /x HTTP/1.1\r\nx:" },
    { headers: ["x-a", "1\r\nx-b: 2"] },
    { headers: ["x-a", "1\n"] },
    { headers: ["x-a", "\0"] },
    { headers: ["x-a", "\x1f"] },
    { headers: ["x-a", "\u0100"] },
    { headers: ["x-a", "\u560d\u560a"] },
    { headers: ["", "1"] },
    { headers: ["x a", "1"] },
    { headers: ["x:a", "1"] },
    { headers: ["x-a: 1\r\nx-b", "1"] },
    { length: -1 },
    { length: 1.5 },
    { length: Number.NaN },
  ];
  for (const its of bad) {
    expect(await failureOf(Promise.try(() => client.send(requestTo(upstream.origin, its))))).toBeInstanceOf(
      TypeError,
    );
  }
  await Bun.sleep(20);
  expect(upstream.connections).toHaveLength(0);
});

test("a connection takes one request after another, and none at the same time", async () => {
  await using upstream = await RawUpstream.start(always(OK));
  for (let count = 0; count < 5; count++) expect(await get(upstream.origin)).toBe("ok");
  expect(upstream.connections).toHaveLength(1);
  await Promise.all([get(upstream.origin), get(upstream.origin), get(upstream.origin)]);
  expect(upstream.connections).toHaveLength(3);
});

test.each([
  ["is closed", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"],
  ["speaks HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"],
  [
    "is kept for too short a while",
    "HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok",
  ],
  [
    "has an answer with chunks and a length",
    "HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  ],
])("a connection that %s takes no other request, though the upstream would", async (_, answer) => {
  await using upstream = await RawUpstream.start(always(answer));
  expect(await get(upstream.origin)).toBe("ok");
  expect(await get(upstream.origin)).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
  await upstream.connections[0]?.closed;
});

test("a connection is closed before the upstream closes it", async () => {
  const answer = "HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 2\r\n\r\nok";
  await using upstream = await RawUpstream.start(always(answer));
  // Before the call: the time that it is kept for begins before anybody here knows.
  const started = performance.now();
  await get(upstream.origin);
  await upstream.connections[0]?.closed;
  expect(performance.now() - started).toBeWithin(900, 2_500);
});

const BODIES: [name: string, answer: string, body: string][] = [
  ["with a length", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"],
  [
    "in chunks",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\na: b\r\n\r\n",
    "hello",
  ],
  ["without a body", "HTTP/1.1 204 No Content\r\n\r\n", ""],
  [
    "behind others",
    "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
    "hi",
  ],
];

test.each(BODIES)("an answer %s may come in any two pieces, or byte by byte", async (_, answer, body) => {
  const cuts = Array.from({ length: answer.length - 1 }, (_, at) => [
    answer.slice(0, at + 1),
    answer.slice(at + 1),
  ]);
  cuts.push([...answer]);
  await using upstream = await RawUpstream.start(async (connection) => {
    connection.socket.setNoDelay(true);
    for (const pieces of cuts) {
      if ((await connection.request()) === undefined) return;
      for (const piece of pieces) {
        await connection.write(piece);
        await Bun.sleep(1);
      }
    }
  });
  for (const _ of cuts) expect(await get(upstream.origin)).toBe(body);
  expect(upstream.connections).toHaveLength(1);
});

test.each(BODIES)("an answer %s that breaks off anywhere is not taken for whole", async (_, answer) => {
  // Behind a head that has been read whole, what is there is passed on before the break.
  await using upstream = await RawUpstream.start(async (connection, before) => {
    await connection.request();
    if (before > 0) await connection.write(answer.slice(0, before));
    connection.socket.end();
  });
  for (let at = 0; at < answer.length; at++) {
    const failure = await failureOf(get(upstream.origin));
    expect(failure).toBeInstanceOf(UpstreamFailure);
    expect([(failure as UpstreamFailure).code, (failure as UpstreamFailure).isSent]).toEqual([
      "ECLOSED",
      true,
    ]);
  }
  expect(upstream.connections).toHaveLength(answer.length);
});

test("an answer that ends with its connection is whole where that ends well, and broken where it is reset", async () => {
  await using upstream = await RawUpstream.start(async (connection, before) => {
    await connection.request();
    await connection.write("HTTP/1.1 200 OK\r\n\r\nabc");
    await Bun.sleep(20);
    if (before === 0) connection.socket.end("def");
    else connection.socket.resetAndDestroy();
  });
  expect(await get(upstream.origin)).toBe("abcdef");
  const answer = await client.send(requestTo(upstream.origin));
  expect(await failureOf(textOf(answer))).toMatchObject({ code: "ECONNRESET", isSent: true });
});

test("a reset before the head, or within the body, is told", async () => {
  await using upstream = await RawUpstream.start(async (connection, before) => {
    await connection.request();
    if (before > 0) await connection.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    await Bun.sleep(20);
    connection.socket.resetAndDestroy();
  });
  expect(await failureOf(get(upstream.origin))).toMatchObject({ code: "ECONNRESET", isSent: true });
  const answer = await client.send(requestTo(upstream.origin));
  const first = await answer.body?.read();
  expect(Buffer.from(first as Uint8Array).toString()).toBe("abc");
  expect(await failureOf(Promise.try(() => answer.body?.read()))).toMatchObject({ code: "ECONNRESET" });
  // Whoever asks again is told again.
  expect(await failureOf(Promise.try(() => answer.body?.read()))).toMatchObject({ code: "ECONNRESET" });
});

test.each([
  ["SSH-2.0-OpenSSH_9.2\r\n"],
  ["220 smtp.example ESMTP\r\n"],
  ["HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n"],
  ["HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n"],
  ["HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"],
  ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n+2\r\nok\r\n0\r\n\r\n"],
])("%j is no answer, and nothing is read behind it", async (text) => {
  await using upstream = await RawUpstream.start(answering(text));
  expect(await failureOf(get(upstream.origin))).toMatchObject({ code: "EBADANSWER", isSent: true });
  await upstream.connections[0]?.closed;
});

test.each([
  ["a head", "HTTP/1.1 200 OK\r\n", "x-filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"],
  ["one header", "HTTP/1.1 200 OK\r\nx-filler: ", "a".repeat(1000)],
  ["answers that others follow", "", "HTTP/1.1 102 Processing\r\n\r\n"],
  ["trailers", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", "a: b\r\n"],
  ["a chunk's size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", "a"],
])("%s without end is refused", async (_, start, more) => {
  await using upstream = await RawUpstream.start(async (connection) => {
    await connection.request();
    await connection.write(start);
    while (!connection.isOver) await connection.write(more.repeat(Math.ceil(20_000 / more.length)));
  });
  expect(await failureOf(get(upstream.origin))).toMatchObject({ code: "EBADANSWER" });
  await upstream.connections[0]?.closed;
});

test("a GET whose kept connection the upstream had closed is sent again, once, on one of its own", async () => {
  await using upstream = await RawUpstream.start(async (connection, before) => {
    await connection.request();
    if (before === 0) await connection.write(OK);
    // Closed only when the next request is here, as if both had crossed on the way.
    if (before === 0) await connection.request();
    if (before !== 1) connection.socket.resetAndDestroy();
    else await connection.write(OK);
  });
  expect(await get(upstream.origin)).toBe("ok");
  expect(await get(upstream.origin)).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
});

test("it is not sent a third time", async () => {
  await using upstream = await RawUpstream.start(async (connection, before) => {
    await connection.request();
    if (before === 0) await connection.write(OK);
    if (before === 0) await connection.request();
    connection.socket.end();
  });
  expect(await get(upstream.origin)).toBe("ok");
  expect(await failureOf(get(upstream.origin))).toMatchObject({ code: "ECLOSED", isSent: true });
  expect(upstream.connections).toHaveLength(2);
});

test.each([
  ["a POST", { method: "POST", body: Buffer.from("{}") }, ""],
  ["a request of a method that nobody knows", { method: "PATCH", body: null }, ""],
  ["a GET of which an answer has begun", {}, "H"],
  ["a GET of which an answer has gone before", {}, "HTTP/1.1 100 Continue\r\n\r\n"],
])("%s is never sent twice", async (_, its, begun) => {
  await using upstream = await RawUpstream.start(async (connection) => {
    await connection.request();
    await connection.write(OK);
    await connection.request();
    if (begun !== "") await connection.write(begun);
    connection.socket.end();
  });
  expect(await get(upstream.origin)).toBe("ok");
  expect(await failureOf(get(upstream.origin, its))).toMatchObject({ isSent: true });
  await Bun.sleep(20);
  expect(upstream.connections).toHaveLength(1);
});

test("a kept connection that the upstream closes is not used", async () => {
  await using upstream = await RawUpstream.start(async (connection) => {
    await connection.request();
    await connection.write(OK);
    connection.socket.end();
  });
  expect(await get(upstream.origin)).toBe("ok");
  await upstream.connections[0]?.closed;
  await Bun.sleep(20);
  expect(await get(upstream.origin, { method: "POST", body: Buffer.from("{}") })).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
});

test("what was aborted before it began calls nobody", async () => {
  await using upstream = await RawUpstream.start(always(OK));
  const abort = new Abort();
  abort.abort("why");
  expect(await failureOf(get(upstream.origin, { abort }))).toBe("why");
  await Bun.sleep(20);
  expect(upstream.connections).toHaveLength(0);
});

test("what was aborted while it connects is not sent; the connection is there for the next", async () => {
  await using upstream = await RawUpstream.start(always(OK));
  const abort = new Abort();
  const failed = failureOf(get(upstream.origin, { abort }));
  abort.abort("why");
  expect(await failed).toBe("why");
  await poll("connection", () => upstream.connections[0]);
  await Bun.sleep(20);
  expect(upstream.connections[0]?.text).toBe("");
  expect(await get(upstream.origin)).toBe("ok");
  expect(upstream.connections).toHaveLength(1);
});

test.each([
  ["before its head", ""],
  ["within its head", "HTTP/1.1 200 OK\r\nx-a"],
  ["in its body", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"],
])("an answer that is aborted %s ends its connection", async (_, begun) => {
  await using upstream = await RawUpstream.start(async (connection, before) => {
    await connection.request();
    await connection.write(before === 0 ? begun : OK);
  });
  const abort = new Abort();
  const text = failureOf(get(upstream.origin, { abort }));
  await poll("connection", () => upstream.connections[0]);
  await Bun.sleep(30);
  abort.abort("why");
  expect(await text).toBe("why");
  await upstream.connections[0]?.closed;
  expect(await get(upstream.origin)).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
});

test("an abort behind the end of an answer takes what nobody has read, and leaves the connection", async () => {
  await using upstream = await RawUpstream.start(always(OK));
  const abort = new Abort();
  const answer = await client.send(requestTo(upstream.origin, { abort }));
  abort.abort("why");
  expect(await failureOf(Promise.try(() => answer.body?.read()))).toBe("why");
  expect(await get(upstream.origin)).toBe("ok");
  expect(upstream.connections).toHaveLength(1);
});

test("a body that nobody wants any more ends its connection", async () => {
  await using upstream = await RawUpstream.start(
    answering("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"),
  );
  const answer = await client.send(requestTo(upstream.origin));
  answer.body?.cancel();
  await upstream.connections[0]?.closed;
  expect(await failureOf(textOf(answer))).toMatchObject({ code: "ECANCELED" });
});

test("to an address that may not be led to not a byte is sent, on connections new and kept", async () => {
  await using upstream = await RawUpstream.start(always(OK));
  const looked: string[] = [];
  const mayLeadTo = (address: string) => {
    looked.push(address);
    return false;
  };
  const refused = { code: "EADDRNOTALLOWED", isSent: false };
  expect(await failureOf(get(upstream.origin, { mayLeadTo }))).toMatchObject(refused);
  await upstream.connections[0]?.closed;
  expect(upstream.connections[0]?.text).toBe("");
  expect(await get(upstream.origin, { mayLeadTo: (address) => address === "127.0.0.1" })).toBe("ok");
  expect(await failureOf(get(upstream.origin, { mayLeadTo }))).toMatchObject(refused);
  await upstream.connections[1]?.closed;
  expect(upstream.connections[1]?.text).toBe("");
  expect([looked, upstream.connections.length]).toEqual([["127.0.0.1", "127.0.0.1"], 2]);
});

test("a client that is closed keeps nothing open, and what is under way comes to its end", async () => {
  const own = new UpstreamClient();
  await using upstream = await RawUpstream.start(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === undefined) return;
      if (request.includes("/slow")) await Bun.sleep(50);
      await connection.write(OK);
    }
  });
  const call = async (target: string) => textOf(await own.send(requestTo(upstream.origin, { target })));
  const slow = call("/slow");
  expect(await call("/fast")).toBe("ok");
  own.close();
  expect(await slow).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
  for (const connection of upstream.connections) await connection.closed;
});

test("a process that calls nobody any more can end, and closes what it kept", async () => {
  const answer = "HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 2\r\n\r\nok";
  await using upstream = await RawUpstream.start(always(answer));
  const script = `
    import { UpstreamClient } from "${import.meta.dirname}/client.ts";
    import { requestTo, textOf } from "${import.meta.dirname}/../../test/support/upstream-call.ts";
    console.log(await textOf(await new UpstreamClient().send(requestTo("${upstream.origin}"))));`;
  const child = Bun.spawn([process.execPath, "--no-env-file", "-e", script], { stderr: "inherit" });
  expect(await new Response(child.stdout).text()).toBe("ok\n");
  expect(await child.exited).toBe(0);
  await upstream.connections[0]?.closed;
});
