import type { CompiledScope } from "../domain/compiled-scope.ts";
import { type AskedCall, atTheDoor, decide, ofModel, type Question } from "../domain/decide.ts";
import { Refusal } from "../domain/refusal.ts";
import { hasBody, type Taken, takeBody } from "./body.ts";
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
  /^(?:document|iframe|frame|embed|object|script|style|xslt|(?:shared|service)?worker|(?:audio|paint)worklet)$/;

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
  refuseDenied(method, route);
  refuseBodyOfGet(method, headers);
  if (scopes.length === 0) return { route, method, headers, ...(await takeBody(request, route, exchange)) };
  // Before the body is read: whoever may not call here need not send it.
  enforce(atTheDoor, route, exchange, scopes);
  const taken = await takeBody(request, route, exchange);
  enforce(ofModel, route, exchange, scopes, taken.demand.otherModels);
  return { route, method, headers, ...taken };
}

/** @throws Refusal of the first scope that says no; what scopes say that only count is noted. */
function enforce(
  questions: readonly Question[],
  route: Route,
  exchange: Exchange,
  scopes: readonly CompiledScope[],
  letsOthersAnswer = false,
): void {
  const call = { ...askedCall(route, exchange), letsOthersAnswer };
  const { denial, shadow } = decide(call, scopes, questions);
  for (const { scope, code } of shadow) exchange.shadowRefusals.push(`${scope.name}: ${code}`);
  if (denial !== undefined) throw new Refusal(denial.code, denial.message);
}

/** What policies are asked about. */
export function askedCall(route: Route, { method, model, address, at }: Exchange): AskedCall {
  const { endpoint, isPlain, meter, upstream } = route;
  return {
    provider: upstream.provider.id,
    method,
    endpoint,
    isPlain,
    model,
    bills: method === "POST" && meter !== undefined,
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

function refuseDenied(method: string, route: Route): void {
  for (const denial of route.upstream.provider.denied) {
    if ((denial.method === "*" || denial.method === method) && denial.path.test(route.endpoint)) {
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
