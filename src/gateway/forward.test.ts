import { expect, test } from "bun:test";
import { bodilessDemand, defaultBounds } from "../domain/demand.ts";
import { openai } from "../providers/openai.ts";
import { UpstreamClient } from "../upstream/client.ts";
import { ProxiedSender } from "../upstream/sender.ts";
import type { Call } from "./authorise.ts";
import { Exchange } from "./exchange.ts";
import { forward } from "./forward.ts";
import { createUpstream } from "./upstreams.ts";

const upstream = createUpstream(openai, "http://127.0.0.1:9/v1");
const call: Call = {
  route: {
    upstream,
    at: upstream,
    path: "/models",
    query: "",
    endpoint: "/models",
    links: [],
    withoutKey: false,
    owned: undefined,
  } as unknown as Call["route"],
  method: "GET",
  headers: new Headers(),
  body: null,
  demand: bodilessDemand(defaultBounds),
  scanned: null,
};

test.each([
  ["our own client", new UpstreamClient()],
  ["a proxy", new ProxiedSender("http://127.0.0.1:9")],
])("through %s, what cannot be written as HTTP has not been sent", async (_, sender) => {
  const exchange = new Exchange("id", "GET", 0, null, 0, 1000);
  const sent = forward(call, undefined, "two\nlines", exchange, { sender });
  expect(await sent.catch((error: unknown) => error)).toBeInstanceOf(TypeError);
  expect(exchange.isSent).toBe(false);
});
