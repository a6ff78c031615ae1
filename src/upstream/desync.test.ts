import { afterAll, expect, test } from "bun:test";
import { answering, type RawConnection, RawUpstream } from "../../test/support/raw-upstream.ts";
import { requestTo, textOf } from "../../test/support/upstream-call.ts";
import { UpstreamClient } from "./client.ts";

/** What an upstream sends that nobody has asked for never becomes the answer to a request. */

const client = new UpstreamClient();
afterAll(() => client.close());

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const FORGED = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged";

/** On its first connection this answer to the first request, and nothing of its own accord to another. */
function first(serve: (connection: RawConnection) => Promise<void>) {
  return async (connection: RawConnection, before: number): Promise<void> => {
    if (before > 0) return answering(OK)(connection);
    await connection.request();
    await serve(connection);
  };
}

const ANSWERS: [name: string, method: string, answer: string, body: string][] = [
  ["a body with a length", "GET", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", "abc"],
  ["an empty body", "GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""],
  [
    "a last chunk",
    "GET",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "abc",
  ],
  ["an answer without content", "DELETE", "HTTP/1.1 204 No Content\r\n\r\n", ""],
  ["an answer that nothing has changed", "GET", "HTTP/1.1 304 Not Modified\r\n\r\n", ""],
  ["an answer to HEAD", "HEAD", "HTTP/1.1 200 OK\r\n\r\n", ""],
];

test.each(ANSWERS)("bytes at once behind %s end the connection", async (_, method, answer, body) => {
  await using upstream = await RawUpstream.start(first((connection) => connection.write(answer + FORGED)));
  expect(await textOf(await client.send(requestTo(upstream.origin, { method })))).toBe(body);
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
  await upstream.connections[0]?.closed;
});

test.each(ANSWERS)("bytes later behind %s end the connection", async (_, method, answer, body) => {
  await using upstream = await RawUpstream.start(
    first(async (connection) => {
      await connection.write(answer);
      await Bun.sleep(30);
      await connection.write(FORGED);
    }),
  );
  expect(await textOf(await client.send(requestTo(upstream.origin, { method })))).toBe(body);
  await upstream.connections[0]?.closed;
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
});

test.each([
  ["HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 38\r\n\r\n"],
  ["HEAD", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"],
  ["GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 38\r\n\r\n"],
  ["DELETE", "HTTP/1.1 204 No Content\r\ncontent-length: 38\r\n\r\n"],
])("a body that %s announces and that cannot be may come late: %j", async (method, answer) => {
  await using upstream = await RawUpstream.start(
    first(async (connection) => {
      await connection.write(answer);
      // As late as can be: the next request is here.
      await connection.request();
      await connection.write(FORGED);
    }),
  );
  await textOf(await client.send(requestTo(upstream.origin, { method })));
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  expect(upstream.connections).toHaveLength(2);
});

test("a connection on which the upstream speaks first is not used", async () => {
  await using upstream = await RawUpstream.start(
    first(async (connection) => {
      await connection.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      await Bun.sleep(20);
      await connection.write(
        "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
      );
    }),
  );
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  await upstream.connections[0]?.closed;
  const post = requestTo(upstream.origin, { method: "POST", body: Buffer.from("{}") });
  expect(await textOf(await client.send(post))).toBe("ok");
});
