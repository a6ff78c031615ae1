import type { CompiledScope } from "../domain/compiled-scope.ts";
import { type AskedCall, atTheDoor, decide, ofModel, type Question } from "../domain/decide.ts";
import { Refusal } from "../domain/refusal.ts";
import { hasBody, type Taken, takeBody } from "./body.ts";
import { costKind } from "./cost-kind.ts";
import type { Exchange } from "./exchange.ts";
import type { Route } from "./route.ts";

/** What may be sent: authorised and dispatched from the same object. */
export interface Call extends Taken {
  readonly route: Route;
  readonly method: string;
  readonly headers: Headers;
}

/** A browser loading a page or a part of one; scripts' own calls (`empty`) are none of these. */
const BROWSER_DESTINATIONS =
  /^(?:document|(?:fenced|i)?frame|embed|object|script|style|xslt|(?:shared|service)?worker|(?:audio|paint)worklet)$/;

/**
 * Nothing that a provider returns may run in the origin that the console lives in.
 * @throws Refusal `bad_request`.
 */
export function refuseNavigation(headers: Headers): void {
  const destination = headers.get("sec-fetch-dest");
  if (destination !== null && BROWSER_DESTINATIONS.test(destination)) {
    throw new Refusal(
      "bad_request",
      "Provider paths are for programs; a browser may not load them as a page.",
      {
        status: 403,
      },
    );
  }
}

/**
 * Decides whether this call may be made, and takes its body in.
 * @param scopes What restricts whoever makes it.
 * @throws Refusal of a policy, `endpoint_not_allowed`, `too_large` or `bad_request`.
 */
export async function authorise(
  request: Request,
  route: Route,
  exchange: Exchange,
  scopes: readonly CompiledScope[],
): Promise<Call> {
  const { method, headers } = request;
  refuseMethod(method);
  refuseUpgrade(headers);
  refuseOverrides(headers, route.query);
  refuseDenied(method, route);
  refuseBodyOfGet(method, headers);
  // Before the body is read: whoever may not call here need not send it.
  if (scopes.length > 0) enforceAtTheDoor(route, exchange, scopes);
  const taking = takeBody(request, route, exchange);
  const { body, demand, scanned, read } = taking instanceof Promise ? await taking : taking;
  const call: Call = { route, method, headers, body, demand, scanned, read };
  if (scopes.length > 0) enforceOfModel(call, exchange, scopes);
  return call;
}

/** Whether other models than the one that the call names may answer it, or take part. */
export function letsOthersAnswer({ demand, route, method }: Call): boolean {
  return demand.otherModels || (method === "POST" && route.isBatch);
}

/** The last call that scopes allowed without a word, of those that a key is in: most calls are like the one before. */
interface Allowed {
  /** At the door; the route is the very same only where it is remembered, see `findRoute`. */
  route?: Route;
  method?: string;
  address?: string | null;
  /** When one of the scopes ends its access, epoch milliseconds. */
  until: number;
  /** Once its model was known. */
  ofModel?: { route: Route; method: string; model: string | null; letsOthersAnswer: boolean };
}

/** By a key holder's scopes, which are other ones after every change. */
const allowed = new WeakMap<readonly CompiledScope[], Allowed>();

function allowedOf(scopes: readonly CompiledScope[]): Allowed {
  let last = allowed.get(scopes);
  if (last === undefined) {
    last = { until: Math.min(...scopes.map(({ policy }) => policy.expiresAt ?? Number.POSITIVE_INFINITY)) };
    allowed.set(scopes, last);
  }
  return last;
}

function enforceAtTheDoor(route: Route, exchange: Exchange, scopes: readonly CompiledScope[]): void {
  const { method, address, at } = exchange;
  const last = allowedOf(scopes);
  const isLike = last.route === route && last.method === method && last.address === address;
  if (isLike && at < last.until) return;
  if (!enforce(atTheDoor, askedCall(route, exchange, false), exchange, scopes)) return;
  last.route = route;
  last.method = method;
  last.address = address;
}

function enforceOfModel(call: Call, exchange: Exchange, scopes: readonly CompiledScope[]): void {
  const { route, method } = call;
  const { model } = exchange;
  const others = letsOthersAnswer(call);
  const last = allowedOf(scopes);
  const known = last.ofModel;
  const isLike = known?.route === route && known.method === method && known.model === model;
  if (isLike && known.letsOthersAnswer === others) return;
  if (!enforce(ofModel, askedCall(route, exchange, others), exchange, scopes)) return;
  last.ofModel = { route, method, model, letsOthersAnswer: others };
}

/**
 * @returns whether no scope had anything to say; what scopes say that only count is noted.
 * @throws Refusal of the first scope that says no.
 */
function enforce(
  questions: readonly Question[],
  call: AskedCall,
  exchange: Exchange,
  scopes: readonly CompiledScope[],
): boolean {
  const { denial, shadow } = decide(call, scopes, questions);
  for (const { scope, code } of shadow) exchange.shadowRefusals.push(`${scope.name}: ${code}`);
  if (denial !== undefined) throw new Refusal(denial.code, denial.message);
  return shadow.length === 0;
}

/** What policies are asked about. */
export function askedCall(
  route: Route,
  { method, model, address, at }: Exchange,
  letsOthersAnswer: boolean,
): AskedCall {
  const { endpoint, isPlain, upstream } = route;
  return {
    provider: upstream.provider.id,
    method,
    endpoint,
    isPlain,
    model,
    letsOthersAnswer,
    bills: method === "POST" && costKind(route, method) !== "free",
    address,
    at,
  };
}

/** Said to a proxy itself, and never for the provider. */
function refuseMethod(method: string): void {
  if (method !== "TRACE" && method !== "CONNECT") return;
  throw new Refusal("bad_request", `${method} requests are not forwarded.`, { status: 405 });
}

function refuseUpgrade(headers: Headers): void {
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return;
  // Codex and others go on over plain HTTP when they see this status.
  throw new Refusal("bad_request", "WebSocket connections are not forwarded yet; use the HTTP endpoint.", {
    status: 426,
    headers: { upgrade: "HTTP/1.1", connection: "close" },
  });
}

/** What makes some servers take a request for another one than it says it is: with them, policies would judge the wrong one. */
const OVERRIDING_HEADERS = [
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
];
/** Google's: https://cloud.google.com/apis/docs/system-parameters. */
const OVERRIDING_PARAMETERS = ["$httpMethod", "$httpHeaders", "$ct", "$req"];

/** @throws Refusal `bad_request` for what says that its method, path or type is another one. */
function refuseOverrides(headers: Headers, query: string): void {
  let name = overridingHeader(headers);
  if (name === undefined && query !== "" && /\$|%24/.test(query)) {
    const asked = new Set([...new URLSearchParams(query).keys()].map((key) => key.toLowerCase()));
    name = OVERRIDING_PARAMETERS.find((parameter) => asked.has(parameter.toLowerCase()));
  }
  if (name === undefined) return;
  throw new Refusal(
    "bad_request",
    `A request that asks by ${name} to be taken for another one cannot be forwarded; send it as what it is.`,
  );
}

function overridingHeader(headers: Headers): string | undefined {
  for (const name of OVERRIDING_HEADERS) if (headers.has(name)) return name;
  return undefined;
}

function refuseDenied(method: string, { denied }: Route): void {
  for (const denial of denied) {
    if (denial.method === "*" || denial.method === method) {
      throw new Refusal(
        "endpoint_not_allowed",
        `This endpoint is not open through the gateway: ${denial.why}.`,
      );
    }
  }
}

/** The platform drops the body of a GET, and what was forwarded would not be what was sent. */
function refuseBodyOfGet(method: string, headers: Headers): void {
  if ((method === "GET" || method === "HEAD") && hasBody(headers)) {
    throw new Refusal("bad_request", `A ${method} request with a body cannot be forwarded.`);
  }
}
