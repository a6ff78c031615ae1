import { afterAll, expect, spyOn, test } from "bun:test";
import { poll } from "../../test/support/poll.ts";
import { answering, type RawConnection, RawUpstream } from "../../test/support/raw-upstream.ts";
import { failureOf, requestTo, textOf } from "../../test/support/upstream-call.ts";
import { Abort } from "./abort.ts";
import { UpstreamClient } from "./client.ts";

const client = new UpstreamClient();
afterAll(() => client.close());

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const EARLY = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig";

interface Upload {
  readonly stream: ReadableStream<Uint8Array>;
  readonly send: (text: string) => void;
  readonly end: () => void;
  readonly fail: (reason: unknown) => void;
  /** Whether whoever writes it was told that nobody takes the rest. */
  readonly isCancelled: () => boolean;
}

/** A body whose pieces come when the test says so. */
function upload(): Upload {
  let isCancelled = false;
  let source: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      source = controller;
    },
    cancel() {
      isCancelled = true;
    },
  });
  return {
    stream,
    send: (text) => source?.enqueue(Buffer.from(text, "latin1")),
    end: () => source?.close(),
    fail: (reason) => source?.error(reason),
    isCancelled: () => isCancelled,
  };
}

function post(origin: string, body: Upload | Uint8Array<ArrayBuffer>, length?: number) {
  const its = { method: "POST", body: body instanceof Uint8Array ? body : body.stream, length };
  return client.send(requestTo(origin, its));
}

async function heard(upstream: RawUpstream, text: string): Promise<RawConnection> {
  return poll(`${text} at the upstream`, () =>
    upstream.connections.find((connection) => connection.text.includes(text)),
  );
}

test("a stream goes in chunks as it comes, or with the length that its client has said", async () => {
  const requests: (string | undefined)[] = [];
  await using upstream = await RawUpstream.start(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === undefined) return;
      requests.push(request.slice(request.indexOf("\r\n\r\n") + 4));
      await connection.write(OK);
    }
  });
  for (const length of [undefined, 17, undefined]) {
    const body = upload();
    const answer = post(upstream.origin, body, length);
    body.send("abc");
    // No piece ends it.
    body.send("");
    await Bun.sleep(10);
    body.send("0123456789\r\n\0\xff");
    body.end();
    expect(await textOf(await answer)).toBe("ok");
  }
  const chunks = "3\r\nabc\r\ne\r\n0123456789\r\n\0\xff\r\n0\r\n\r\n";
  expect(requests).toEqual([chunks, "abc0123456789\r\n\0\xff", chunks]);
  expect(upstream.connections).toHaveLength(1);
});

test("an empty stream is an empty body", async () => {
  await using upstream = await RawUpstream.start(answering(OK, OK));
  for (const length of [undefined, 0]) {
    const body = upload();
    body.end();
    expect(await textOf(await post(upstream.origin, body, length))).toBe("ok");
  }
  expect(upstream.connections).toHaveLength(1);
});

test.each([[undefined], [10]])(
  "a stream that breaks off is not whole for the upstream (length %p)",
  async (length) => {
    await using upstream = await RawUpstream.start(() => {});
    const body = upload();
    const failed = failureOf(post(upstream.origin, body, length));
    body.send("abc");
    const connection = await heard(upstream, "abc");
    body.fail("the client went away");
    expect(await failed).toBe("the client went away");
    await connection.closed;
    expect(connection.text).not.toEndWith("0\r\n\r\n");
  },
);

test("a stream that is shorter than it says is not whole, and no request fills it up", async () => {
  await using upstream = await RawUpstream.start((connection, before) =>
    before === 0 ? undefined : answering(OK)(connection),
  );
  const body = upload();
  const failed = failureOf(post(upstream.origin, body, 100));
  body.send("abc");
  body.end();
  expect(await failed).toMatchObject({ code: "EBODYLENGTH" });
  await upstream.connections[0]?.closed;
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  expect(upstream.connections[0]?.text).toEndWith("\r\n\r\nabc");
});

test.each([
  ["in one piece", ["abcGET /forged HTTP/1.1\r\nhost: a\r\n\r\n"], ""],
  ["in another piece", ["abc", "GET /forged HTTP/1.1\r\nhost: a\r\n\r\n"], "abc"],
])(
  "what a stream has more than it says, %s, is not sent: it would be another request",
  async (_, pieces, sent) => {
    await using upstream = await RawUpstream.start((connection, before) =>
      before === 0 ? undefined : answering(OK)(connection),
    );
    const body = upload();
    const failed = failureOf(post(upstream.origin, body, 3));
    for (const piece of pieces) body.send(piece);
    body.end();
    expect(await failed).toMatchObject({ code: "EBODYLENGTH" });
    await upstream.connections[0]?.closed;
    expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
    expect(upstream.connections[0]?.text).toEndWith(`content-length: 3\r\n\r\n${sent}`);
  },
);

test("an answer before the upload is over is passed on; the rest is sent to nobody", async () => {
  await using upstream = await RawUpstream.start(async (connection, before) => {
    if (before > 0) return answering(OK)(connection);
    await poll("head", () => (connection.text.includes("abc") ? true : undefined));
    await connection.write(EARLY);
  });
  const body = upload();
  const answer = post(upstream.origin, body);
  body.send("abc");
  expect(await textOf(await answer)).toBe("big");
  await upstream.connections[0]?.closed;
  expect(body.isCancelled()).toBe(true);
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
});

test("an answer that begins before the upload is over goes on beside it", async () => {
  await using upstream = await RawUpstream.start(async (connection) => {
    await poll("head", () => (connection.text.includes("abc") ? true : undefined));
    await connection.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhe");
    await connection.request();
    await connection.write("ar");
    await answering(OK)(connection);
  });
  const body = upload();
  const sent = post(upstream.origin, body);
  body.send("abc");
  const answer = await sent;
  expect(answer.status).toBe(200);
  body.send("def");
  body.end();
  expect(await textOf(answer)).toBe("hear");
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  expect(upstream.connections).toHaveLength(1);
});

test("an answer before a long body has left ends the connection, too", async () => {
  await using upstream = await RawUpstream.start(async (connection, before) => {
    if (before > 0) return answering(OK)(connection);
    connection.socket.pause();
    await connection.write(EARLY);
  });
  expect(await textOf(await post(upstream.origin, Buffer.alloc(64 * 1024 * 1024)))).toBe("big");
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
});

test("so it does where the body had left once, on a kept connection that closed", async () => {
  await using upstream = await RawUpstream.start(async (connection, before) => {
    if (before === 1) {
      connection.socket.pause();
      await connection.write(EARLY);
    } else {
      await answering(OK)(connection);
      await connection.request();
      connection.socket.resetAndDestroy();
    }
  });
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  const its = { method: "PUT", body: Buffer.alloc(32 * 1024 * 1024) };
  expect(await textOf(await client.send(requestTo(upstream.origin, its)))).toBe("big");
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  expect(upstream.connections).toHaveLength(3);
});

test("a stream is never sent twice", async () => {
  await using upstream = await RawUpstream.start(async (connection) => {
    await answering(OK)(connection);
    await connection.request();
    connection.socket.resetAndDestroy();
  });
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  const body = upload();
  body.send("abc");
  body.end();
  const its = { method: "PUT", body: body.stream };
  expect(await failureOf(client.send(requestTo(upstream.origin, its)))).toMatchObject({ isSent: true });
  await Bun.sleep(20);
  expect(upstream.connections).toHaveLength(1);
});

test("whoever writes a body is told when the upstream goes, or when it is aborted", async () => {
  await using upstream = await RawUpstream.start(async (connection, before) => {
    await poll("body", () => (connection.text.includes("abc") ? true : undefined));
    if (before === 0) connection.socket.resetAndDestroy();
  });
  const gone = upload();
  const failed = failureOf(post(upstream.origin, gone));
  gone.send("abc");
  expect(await failed).toMatchObject({ code: "ECONNRESET", isSent: true });
  expect(gone.isCancelled()).toBe(true);

  const cut = upload();
  const abort = new Abort();
  const its = { method: "POST", body: cut.stream, abort };
  const ended = failureOf(client.send(requestTo(upstream.origin, its)));
  cut.send("abc");
  await poll("second connection", () => upstream.connections[1]?.text.includes("abc") || undefined);
  abort.abort("why");
  expect(await ended).toBe("why");
  expect(cut.isCancelled()).toBe(true);
  await upstream.connections[1]?.closed;
});

test("a body that somebody else reads fails the call", async () => {
  await using upstream = await RawUpstream.start(() => {});
  const body = upload();
  body.stream.getReader();
  expect(await failureOf(post(upstream.origin, body))).toBeInstanceOf(TypeError);
  await upstream.connections[0]?.closed;
});

test.each([["a long body"], ["a stream"], ["a stream with a length"]])(
  "%s arrives whole at an upstream that reads slowly, and waits where it is",
  async (kind) => {
    const size = 48 * 1024 * 1024;
    const pieceBytes = 64 * 1024;
    let pulled = 0;
    const piece = Buffer.alloc(pieceBytes, "x");
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (pulled === size) return controller.close();
          pulled += pieceBytes;
          controller.enqueue(piece);
        },
      },
      { highWaterMark: 0 },
    );
    let received = 0;
    let pulledWhilePaused = 0;
    await using upstream = await RawUpstream.start(async (connection) => {
      const { socket } = connection;
      socket.removeAllListeners("data");
      socket.on("data", (bytes) => {
        received += bytes.length;
        if (received >= size) void connection.write(OK);
      });
      socket.pause();
      await Bun.sleep(300);
      pulledWhilePaused = pulled;
      socket.resume();
    });
    const body = kind === "a long body" ? Buffer.alloc(size, "x") : stream;
    const length = kind === "a stream with a length" ? size : undefined;
    const its = { method: "POST", body, length };
    expect(await textOf(await client.send(requestTo(upstream.origin, its)))).toBe("ok");
    // What the two sides' sockets hold.
    expect(pulledWhilePaused).toBeLessThan(16 * 1024 * 1024);
  },
);

test("what a socket has no room for stays as it was, whatever is sent elsewhere meanwhile", async () => {
  // No real socket can be made to take a part alone of what is so short.
  const received: string[] = [];
  const drains: (() => void)[] = [];
  let room = 10;
  const connect = spyOn(Bun, "connect").mockImplementation(((
    options: Bun.TCPSocketConnectOptions<object>,
  ) => {
    const number = received.push("") - 1;
    const socket = {
      data: options.data,
      write(bytes: Uint8Array, from = 0, length = bytes.length - from) {
        const taken = Math.min(room, length);
        received[number] += Buffer.from(bytes.subarray(from, from + taken)).toString("latin1");
        return taken;
      },
      terminate: () => options.socket.close?.(socket as never),
    };
    drains.push(() => options.socket.drain?.(socket as never));
    queueMicrotask(() => options.socket.open?.(socket as never));
    return Promise.resolve(socket);
  }) as never);
  try {
    const sent = ["a", "b"].map((letter) => {
      const abort = new Abort();
      const body = Buffer.alloc(1000, letter);
      const its = { method: "POST", body, abort };
      return { abort, answer: failureOf(client.send(requestTo("http://127.0.0.1:9", its))) };
    });
    await poll("both heads' beginnings", () => received.join("").length === 20 || undefined);
    room = 10_000;
    for (const drain of drains) drain();
    expect(received.map((text) => text.slice(text.indexOf("\r\n\r\n") + 4))).toEqual([
      "a".repeat(1000),
      "b".repeat(1000),
    ]);
    for (const { abort } of sent) abort.abort("over");
    expect(await Promise.all(sent.map(({ answer }) => answer))).toEqual(["over", "over"]);
  } finally {
    connect.mockRestore();
  }
});
