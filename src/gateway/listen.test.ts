import { afterAll, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { Listener } from "./listen.ts";

const paths: string[] = [];
const listener = new Listener({ host: "127.0.0.1", port: 0, report: () => {} });
listener.start({
  gateway: undefined,
  trustedProxies: [],
  own: ({ url }) => {
    paths.push(new URL(url).pathname);
    return new Response("own");
  },
  subdomains: new Map(),
});
afterAll(() => listener.stop());

test("an empty Host, even the first that comes, leaves no dot segments in the path", async () => {
  const socket = connect(listener.port, "127.0.0.1");
  socket.write("GET /openai/../healthz HTTP/1.1\r\nHost: \r\n\r\n");
  expect(String(await once(socket, "data"))).toStartWith("HTTP/1.1 200 ");
  socket.destroy();
  expect(paths).toEqual(["/healthz"]);
});
