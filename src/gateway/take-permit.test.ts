import { expect, test } from "bun:test";
import { bodilessDemand, defaultBounds } from "../domain/demand.ts";
import type { LimitedScope } from "../domain/limits.ts";
import { MemoryLimiter } from "../limits/memory-limiter.ts";
import { openai } from "../providers/openai.ts";
import type { Call } from "./authorise.ts";
import { Exchange } from "./exchange.ts";
import { findRoute } from "./route.ts";
import { takePermit } from "./take-permit.ts";
import { createUpstream } from "./upstreams.ts";

const upstreams = new Map([["openai", createUpstream(openai, "https://own.example/v1")]]);
const call: Call = {
  route: findRoute("http://x/openai/v1/chat/completions", upstreams),
  method: "POST",
  headers: new Headers(),
  body: new Uint8Array(8),
  scanned: null,
  demand: bodilessDemand(defaultBounds),
};
const scopes: LimitedScope[] = [
  { id: "key:a", label: "key a", limits: { concurrentRequests: 1, requestsPerMinute: 1 } },
];
const newExchange = () => new Exchange("x", "POST", 0, null, 0, 1000);

function leave(exchange: Exchange): void {
  exchange.ended = true;
  exchange.abort.abort();
}

test("a client that has left takes nothing", async () => {
  const limiter = new MemoryLimiter();
  const exchange = newExchange();
  leave(exchange);
  expect(() => takePermit(call, scopes, exchange, limiter)).toThrow();
  expect(() => takePermit(call, scopes, newExchange(), limiter)).not.toThrow();
});

test("a client that leaves while its counts are asked for elsewhere gets them taken back", async () => {
  const limiter = new MemoryLimiter();
  const asked = Promise.withResolvers<void>();
  const elsewhere = {
    acquire: async (...all: Parameters<MemoryLimiter["acquire"]>) => {
      const acquired = limiter.acquire(...all);
      await asked.promise;
      return acquired;
    },
  };
  const exchange = newExchange();
  const taking = takePermit(call, scopes, exchange, elsewhere);
  leave(exchange);
  asked.resolve();
  expect(taking).rejects.toThrow();
  await taking?.catch(() => {});
  expect(() => takePermit(call, scopes, newExchange(), limiter)).not.toThrow();
});
