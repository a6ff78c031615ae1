import { type AskedCall, answersTo, decide } from "../domain/decide.ts";
import type { DescribedCall, DescribedCaller, Explanation } from "../domain/explanation.ts";
import { Refusal } from "../domain/refusal.ts";
import { askedCall, authorise } from "./authorise.ts";
import type { Directory } from "./directory.ts";
import { Exchange } from "./exchange.ts";
import { requireActive } from "./identify.ts";
import { findRoute } from "./route.ts";
import type { Upstreams } from "./upstreams.ts";

/** A body that is described is read at once. */
const PATIENCE_MS = 10_000;

/** What would happen to a call, found out by the very steps that a real one takes; nothing is sent. */
export async function explain(
  described: DescribedCall,
  caller: DescribedCaller,
  { upstreams, directory, now }: { upstreams: Upstreams; directory: Directory; now: number },
): Promise<Explanation> {
  const scopes = directory.scopesOf(caller);
  const nothing = { endpoint: null, model: null, answers: [], budgets: [], limited: [] };
  let call: AskedCall;
  let sent: string;
  try {
    const holder = caller.key === undefined ? undefined : directory.find(caller.key);
    if (holder !== undefined) requireActive(holder, now);
    ({ call, sent } = await read(described, upstreams, now));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...nothing, refusal: { code: error.code, message: error.message, by: "the gateway" } };
  }
  const { denial } = decide(call, scopes);
  return {
    refusal: denial === undefined ? null : { ...denial, by: denial.scope.name },
    endpoint: sent,
    model: call.model,
    answers: answersTo(call, scopes),
    budgets: scopes.flatMap((scope) =>
      scope.budgets
        .filter((budget) => budget.covers(call.provider, call.model))
        .map((budget) => ({ scope, budget })),
    ),
    limited: scopes.filter(({ policy }) => policy.limits !== undefined),
  };
}

/** @throws Refusal of what no policy can allow. */
async function read(
  { provider, method, path, model, address, body, contentType }: DescribedCall,
  upstreams: Upstreams,
  now: number,
): Promise<{ call: AskedCall; sent: string }> {
  const target = new URL(`http://gateway/${provider}${path.startsWith("/") ? path : `/${path}`}`);
  const length = body === null ? 0 : Buffer.byteLength(body);
  const headers = { "content-type": contentType, "content-length": String(length) };
  // As a real request's head: the platform allows a GET no body, and what is sent with one is refused further down.
  const request =
    method === "GET" || method === "HEAD"
      ? { method, headers: new Headers(body === null ? {} : headers) }
      : new Request(target, { method, headers: body === null ? {} : headers, body });
  const route = findRoute(target.href, upstreams);
  const exchange = new Exchange("explained", method, now, address, 0, PATIENCE_MS);
  await authorise(request as Request, route, exchange, []);
  if (body === null) exchange.model ??= model;
  return { call: askedCall(route, exchange), sent: route.path };
}
