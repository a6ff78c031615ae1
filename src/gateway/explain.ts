import { type CompiledScope, leakedKeys } from "../domain/compiled-scope.ts";
import { type AskedCall, answersTo, decide } from "../domain/decide.ts";
import type { DescribedCall, DescribedCaller, Explanation } from "../domain/explanation.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { PriceBook } from "../pricing/book.ts";
import { foresee } from "./admit.ts";
import { askedCall, authorise, type Call, letsOthersAnswer } from "./authorise.ts";
import type { Directory } from "./directory.ts";
import { Exchange } from "./exchange.ts";
import { requireActive } from "./identify.ts";
import { findRoute } from "./route.ts";
import type { Upstreams } from "./upstreams.ts";

/** A body that is described is read at once. */
const PATIENCE_MS = 10_000;

export interface Explaining {
  readonly upstreams: Upstreams;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly prices: PriceBook;
  readonly now: number;
}

/** What would happen to a call, found out by the very steps that a real one takes; nothing is sent. */
export async function explain(
  described: DescribedCall,
  caller: DescribedCaller,
  { upstreams, directory, ledger, prices, now }: Explaining,
): Promise<Explanation> {
  const scopes = directory.scopesOf(caller);
  const nothing = {
    endpoint: null,
    model: null,
    answers: [],
    budgets: [],
    admission: null,
    limited: [],
    leakedKeys: leakedKeys(scopes),
  };
  let read: Read;
  try {
    const holder = caller.key === undefined ? undefined : directory.find(caller.key);
    if (holder !== undefined) requireActive(holder, now);
    read = await readCall(described, upstreams, now);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...nothing, refusal: { code: error.code, message: error.message, by: "the gateway" } };
  }
  const { asked: call, sent } = read;
  const { denial } = decide(call, scopes);
  const money =
    denial === undefined && described.body !== null ? admissionOf(read, scopes, ledger, prices) : {};
  return {
    refusal: denial === undefined ? (money.refusal ?? null) : { ...denial, by: denial.scope.name },
    admission: money.admission ?? null,
    endpoint: sent,
    model: call.model,
    answers: answersTo(call, scopes),
    budgets: scopes.flatMap((scope) =>
      scope.budgets
        .filter((budget) => budget.covers(call.provider, call.letsOthersAnswer === true ? null : call.model))
        .map((budget) => ({ scope, budget })),
    ),
    limited: scopes.filter(({ policy }) => policy.limits !== undefined),
    leakedKeys: nothing.leakedKeys,
  };
}

interface Read {
  readonly asked: AskedCall;
  readonly call: Call;
  readonly exchange: Exchange;
  /** The path. */
  readonly sent: string;
}

function admissionOf(
  { call, exchange }: Read,
  scopes: readonly CompiledScope[],
  ledger: Ledger,
  prices: PriceBook,
): Partial<Pick<Explanation, "admission" | "refusal">> {
  try {
    return { admission: foresee(call, scopes, exchange, ledger, prices) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { refusal: { code: error.code, message: error.message, by: "a budget" } };
  }
}

/** @throws Refusal of what no policy can allow. */
async function readCall(
  { provider, method, path, model, address, body, contentType }: DescribedCall,
  upstreams: Upstreams,
  now: number,
): Promise<Read> {
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
  exchange.upstream = route.upstream;
  const call = await authorise(request as Request, route, exchange, []);
  if (body === null) exchange.model ??= model;
  return { asked: askedCall(route, exchange, letsOthersAnswer(call)), call, exchange, sent: route.path };
}
