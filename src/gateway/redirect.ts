import { Refusal } from "../domain/refusal.ts";
import { Answer } from "../upstream/answer.ts";
import type { Call } from "./authorise.ts";
import type { Exchange } from "./exchange.ts";
import type { ForwardSettings } from "./forward.ts";
import { unreachable } from "./in-flight.ts";
import { isMetadata, isPublicAddress, networkOf } from "./private-address.ts";
import type { Upstream } from "./upstreams.ts";

const MAX_HOPS = 5;
const FOLLOWED = new Set([301, 302, 303, 307, 308]);

/** True for an answer that sends the client elsewhere. */
export function isRedirect(reply: Answer): boolean {
  return FOLLOWED.has(reply.status) && reply.headers.has("location");
}

/**
 * Keeps a redirect from leading the client, and the master key with it, past the gateway.
 *
 * Within the provider, the `location` is pointed to the gateway. To another host, the gateway follows a GET itself,
 * without any credential, as the SDK would have to a signed storage link. Anything else is refused, but where the
 * provider's file says that its SDK follows without a key of its own.
 * @throws Refusal `upstream_unreachable` where it cannot be followed.
 */
export async function settleRedirect(
  reply: Answer,
  call: Call,
  exchange: Exchange,
  settings: ForwardSettings,
): Promise<Answer> {
  const { upstream, at, takenOff, path: sent } = call.route;
  const target = locationOf(reply, new URL(at.base + sent));
  if (target.origin === at.origin && isWithin(target.pathname, at.basePath)) {
    // Who calls the provider's own host comes back here by itself.
    if (call.route.isNamed) return reply;
    const headers = new Headers(reply.headers);
    const path = target.pathname.slice(at.basePath.length);
    headers.set("location", `/${upstream.provider.id}${takenOff}${path}${target.search}`);
    return new Answer(reply.status, headers, reply.body);
  }
  if (upstream.provider.clientRedirects?.test(call.route.endpoint)) return reply;
  if (call.method !== "GET" && call.method !== "HEAD") {
    throw notFollowed(upstream, `a ${call.method} request was redirected to another address`);
  }
  reply.body?.cancel();
  return follow(target, call, exchange, settings, MAX_HOPS);
}

async function follow(
  target: URL,
  call: Call,
  exchange: Exchange,
  { sender }: ForwardSettings,
  hopsLeft: number,
): Promise<Answer> {
  const { upstream } = call.route;
  if (hopsLeft === 0) throw notFollowed(upstream, "it redirects too often");
  const mayLeadTo = await safeAddresses(target, upstream);
  const { abort } = exchange;
  let reply: Answer;
  try {
    reply = await sender.send({
      origin: target.origin,
      method: call.method,
      target: target.pathname + target.search,
      headers: storageHeaders(call.headers),
      body: null,
      length: undefined,
      connectMs: upstream.provider.timeouts.connectMs,
      abort,
      mayLeadTo,
    });
  } catch (cause) {
    throw abort.aborted ? abort.reason : unreachable(upstream, cause);
  }
  if (!isRedirect(reply)) return reply;
  reply.body?.cancel();
  return follow(locationOf(reply, target), call, exchange, { sender }, hopsLeft - 1);
}

/** What a download needs, and nothing that says who asks. */
function storageHeaders(client: Headers): string[] {
  const headers: string[] = [];
  for (const name of [
    "accept",
    "accept-encoding",
    "range",
    "if-none-match",
    "if-modified-since",
    "if-range",
  ]) {
    const value = client.get(name);
    if (value !== null) headers.push(name, value);
  }
  return headers;
}

/**
 * A provider may not send us into our own network; a server of one's own may, it lives there. Who is one is not for its
 * name to say alone: whoever owns a name can let it lead anywhere, now and then.
 */
async function safeAddresses(target: URL, upstream: Upstream): Promise<(address: string) => boolean> {
  const isOwnServer =
    upstream.mayBePrivate && (await networkOf(new URL(upstream.base).hostname)) === "private";
  const { protocol, username, hostname } = target;
  if (protocol === "https:" ? isOwnServer || username === "" : isOwnServer && protocol === "http:") {
    const network = await networkOf(hostname);
    // Looked at again where the connection leads: the name may do otherwise by then.
    const isSafe = isOwnServer ? (address: string) => !isMetadata(address) : isPublicAddress;
    if (network === "public" || (isOwnServer && network !== "metadata")) return isSafe;
  }
  throw notFollowed(upstream, "it redirects to an address that is not public");
}

function locationOf(reply: Answer, base: URL): URL {
  const location = reply.headers.get("location") ?? "";
  if (!URL.canParse(location, base.href)) {
    throw new Refusal("upstream_unreachable", "The provider's redirect names no valid address.");
  }
  return new URL(location, base);
}

function isWithin(path: string, basePath: string): boolean {
  return basePath === "" || path === basePath || path.startsWith(`${basePath}/`);
}

function notFollowed(upstream: Upstream, why: string): Refusal {
  return new Refusal(
    "upstream_unreachable",
    `${upstream.provider.name}'s redirect was not followed: ${why}.`,
  );
}
