import { expect, test } from "bun:test";
import { poll } from "../../test/support/poll.ts";
import { answering, RawUpstream } from "../../test/support/raw-upstream.ts";
import { failureOf, requestTo, textOf } from "../../test/support/upstream-call.ts";
import { Abort } from "./abort.ts";
import { UpstreamFailure } from "./failure.ts";
import { ProxiedSender } from "./sender.ts";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: caf\u00e9\r\n\r\nok";

test("a call goes to the proxy, with the name that only the proxy may look up", async () => {
  let request: string | undefined;
  await using proxy = await RawUpstream.start(async (connection) => {
    request = await connection.request();
    await connection.write(OK);
  });
  const body = Buffer.from("{}");
  const headers = ["x-key", "1"];
  const its = { method: "POST", target: "/v1/a?b=%20", headers, body };
  const answer = await new ProxiedSender(proxy.origin).send(requestTo("http://models.invalid", its));
  expect([answer.status, answer.headers.get("x-a"), await textOf(answer)]).toEqual([200, "caf\u00e9", "ok"]);
  expect(request).toStartWith("POST http://models.invalid/v1/a?b=%20 HTTP/1.1\r\n");
  expect(request?.toLowerCase()).toContain("\r\nx-key: 1\r\n");
  expect(request).toEndWith("\r\n\r\n{}");
});

test("a proxy that is not there is told from one that breaks off", async () => {
  const proxy = await RawUpstream.start(async (connection) => {
    await connection.request();
    connection.socket.resetAndDestroy();
  });
  const sender = new ProxiedSender(proxy.origin);
  const post = () => requestTo("http://models.invalid", { method: "POST", body: Buffer.from("{}") });
  const broken = await failureOf(sender.send(post()));
  expect(broken).toBeInstanceOf(UpstreamFailure);
  expect(broken).toMatchObject({ isSent: true });
  await proxy[Symbol.asyncDispose]();
  const absent = await failureOf(sender.send(post()));
  expect(absent).toBeInstanceOf(UpstreamFailure);
  expect(absent).toMatchObject({ isSent: false });
});

test("a call that is aborted ends with its reason, before and within the answer", async () => {
  await using proxy = await RawUpstream.start(answering("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"));
  const sender = new ProxiedSender(proxy.origin);
  const early = new Abort();
  early.abort("why");
  expect(await failureOf(sender.send(requestTo("http://models.invalid", { abort: early })))).toBe("why");
  const late = new Abort();
  const answer = await sender.send(requestTo("http://models.invalid", { abort: late }));
  const text = failureOf(textOf(answer));
  await poll("connection", () => proxy.connections[0]);
  late.abort("why");
  expect(await text).toBe("why");
});
