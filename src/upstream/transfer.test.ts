import { expect, test } from "bun:test";
import { answering, RawUpstream } from "../../test/support/raw-upstream.ts";
import { requestTo, textOf } from "../../test/support/upstream-call.ts";
import { UpstreamClient } from "./client.ts";
import { Transfer } from "./transfer.ts";

/** A transfer, and what it asks of its connection. */
function transfer() {
  const asked: string[] = [];
  const its = new Transfer({
    method: "GET",
    head: "",
    body: null,
    length: undefined,
    connectMs: 1,
    mayLeadTo: undefined,
  });
  its.isWritten = true;
  its.connection = {
    noteAnswer: () => {},
    pause: () => asked.push("pause"),
    resume: () => asked.push("resume"),
    release: (isClean) => asked.push(isClean ? "keep" : "close"),
  };
  return { its, asked, take: (text: string) => its.take(Buffer.from(text, "latin1")) };
}

const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

test("an answer that nobody reads holds its upstream up, and its reader lets it go on", async () => {
  const { its, asked, take } = transfer();
  take(`HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n${"a".repeat(200_000)}`);
  take("a".repeat(60_000));
  expect(asked).toEqual([]);
  take("a".repeat(60_000));
  take("a".repeat(60_000));
  expect(asked).toEqual(["pause"]);
  await its.read();
  await its.read();
  expect(asked).toEqual(["pause", "resume"]);
});

test("an answer that is whole holds up nobody, read or not", () => {
  const { its, asked, take } = transfer();
  take(`HTTP/1.1 200 OK\r\ncontent-length: 400000\r\n\r\n${"a".repeat(300_000)}`);
  take("a".repeat(100_000));
  expect(asked).toEqual(["pause", "resume", "keep"]);
  expect((its.read() as Uint8Array).length).toBe(300_000);
  expect(asked).toHaveLength(3);
});

test("what waits is bound by the memory that it takes, not by its bytes alone", () => {
  const held = (packet: string) => {
    const { its, asked, take } = transfer();
    take(CHUNKED);
    let packets = 0;
    while (asked.length === 0) {
      take(packet);
      packets++;
    }
    let bytes = 0;
    for (let read = 0; read < packets; read++) bytes += (its.read() as Uint8Array).buffer.byteLength;
    return { packets, bytes };
  };
  // A byte a packet: what each of them costs beside it counts.
  expect(held("1\r\na\r\n").packets).toBeLessThan(2_100);
  // A byte a packet that is large: only the byte is kept.
  expect(held(`1;${"x".repeat(15_000)}\r\na\r\n`).bytes).toBeLessThan(1024 * 1024);
});

test("an error of ours while an answer is read fails the call, and hangs nobody", async () => {
  const { its, asked, take } = transfer();
  const bug = new RangeError("a bug");
  if (its.connection !== undefined) {
    its.connection.noteAnswer = () => {
      throw bug;
    };
  }
  take("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n");
  expect(await its.answer.catch((error: unknown) => error)).toBe(bug);
  expect(asked).toEqual(["close"]);
});

test("a head that comes byte by byte costs each byte once", () => {
  const { its, take } = transfer();
  // Lines that nearly are the end of it.
  const head = `HTTP/1.1 200 OK\r\n${"\r\na".repeat(80_000)}`;
  const started = process.cpuUsage();
  for (const char of head) take(char);
  const { user, system } = process.cpuUsage(started);
  expect(its.isOver).toBe(false);
  // To move 120,000 bytes for each that comes would be more than ten times that.
  expect((user + system) / 1000).toBeLessThan(1_000);
});

test("a slow reader of a long answer gets all of it, though its upstream has closed", async () => {
  const client = new UpstreamClient();
  const size = 48 * 1024 * 1024;
  let left = 0;
  await using upstream = await RawUpstream.start(async (connection) => {
    await connection.request();
    await connection.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${size}\r\n\r\n`);
    for (; left < size; left += 1024 * 1024) await connection.write("x".repeat(1024 * 1024));
    connection.socket.end();
  });
  const answer = await client.send(requestTo(upstream.origin));
  await Bun.sleep(300);
  // What the two sides' sockets hold.
  expect(left).toBeLessThan(20 * 1024 * 1024);
  let received = 0;
  for (;;) {
    const piece = await answer.body?.read();
    if (!piece) break;
    received += piece.length;
    if (received % 7 === 0) await Bun.sleep(1);
  }
  expect(received).toBe(size);
  client.close();
});

test("the next request goes over the connection of an answer that waits for its reader", async () => {
  const client = new UpstreamClient();
  const body = "x".repeat(300 * 1024);
  const long = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  await using upstream = await RawUpstream.start(
    answering(long, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
  );
  const waiting = await client.send(requestTo(upstream.origin));
  await Bun.sleep(100);
  expect(await textOf(await client.send(requestTo(upstream.origin)))).toBe("ok");
  expect(await textOf(waiting)).toBe(body);
  expect(upstream.connections.length).toBeLessThanOrEqual(2);
  client.close();
});
