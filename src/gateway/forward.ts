import { bearer, type Provider } from "../providers/provider.ts";
import type { Answer } from "../upstream/answer.ts";
import type { UpstreamRequest } from "../upstream/client.ts";
import { UpstreamFailure } from "../upstream/failure.ts";
import type { Sender } from "../upstream/sender.ts";
import type { Call } from "./authorise.ts";
import { bodyToSend } from "./body.ts";
import type { Credential } from "./credential.ts";
import type { Exchange } from "./exchange.ts";
import { KEY_HEADERS } from "./identify.ts";
import { unreachable } from "./in-flight.ts";
import { readsBody } from "./links.ts";
import { isPublicAddress } from "./private-address.ts";
import { requirePublic } from "./require-public.ts";

/** Said by one hop to the next (RFC 9110 7.6.1), or by the client to us; none of it is for the provider. */
const REQUEST_HEADERS_TAKEN_OFF = [
  ...KEY_HEADERS,
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // Without an upgrade it means nothing, and some clients carry their key in it.
  "sec-websocket-protocol",
  "host",
  // Written anew for the body that is sent.
  "content-length",
  // Answered by our own listener already.
  "expect",
  // A browser's cookies for this host are not the provider's.
  "cookie",
  // Names our client's network to the provider.
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];

export interface ForwardSettings {
  readonly sender: Sender;
}

/**
 * Sends the call and returns when the answer's head is there. Nothing is decompressed, followed or retried.
 * @param token What is sent instead of the credential, where tokens are made of it.
 * @throws Refusal `upstream_unreachable`, or what the exchange was cut with.
 */
export async function forward(
  call: Call,
  credential: Credential | undefined,
  token: string | undefined,
  exchange: Exchange,
  { sender }: ForwardSettings,
): Promise<Answer> {
  const { upstream, at, path, query } = call.route;
  // It decides on what the headers say.
  const body = bodyToSend(call, exchange, exchange.outputCap);
  const target = at.basePath + path + query;
  const { abort } = exchange;
  const request: UpstreamRequest = {
    origin: at.origin,
    method: call.method,
    target: target.startsWith("/") ? target : `/${target}`,
    headers: requestHeaders(call, credential, token, exchange),
    body,
    length: body instanceof ReadableStream ? lengthOf(call.headers) : undefined,
    connectMs: upstream.provider.timeouts.connectMs,
    abort,
    mayLeadTo: upstream.mustBePublic ? isPublicAddress : undefined,
  };
  if (upstream.mustBePublic) await requirePublic(upstream, exchange.at);
  // What cannot be sent at all throws here, and has cost nothing.
  const sending = sender.send(request);
  exchange.isSent = true;
  exchange.sentMs ??= exchange.elapsedMs();
  try {
    return await sending;
  } catch (cause) {
    if (abort.aborted) throw abort.reason;
    if (!(cause instanceof UpstreamFailure)) throw cause;
    exchange.isSent = cause.isSent;
    throw unreachable(upstream, cause);
  }
}

/** Of a body that passes as it comes. */
function lengthOf(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length === null ? undefined : Number(length);
}

/** Names that are never sent on, by what they depend on: a provider's account headers are its own. */
const takenOff = new WeakMap<Provider, ReadonlySet<string>>();

function takenOffFor(provider: Provider): ReadonlySet<string> {
  let names = takenOff.get(provider);
  if (names === undefined) {
    names = new Set([...REQUEST_HEADERS_TAKEN_OFF, ...provider.accountHeaders]);
    takenOff.set(provider, names);
  }
  return names;
}

/** Names and values by turns. */
function requestHeaders(
  call: Call,
  credential: Credential | undefined,
  token: string | undefined,
  { usageFilter, owned }: Exchange,
): string[] {
  const { provider } = call.route.upstream;
  const set = headersToSet(call, credential, token);
  // Links in the answer have to be rewritten, lists filtered, or an event taken out, which compressed bytes do not allow.
  if (usageFilter !== undefined || readsBody(call.route.links) || owned?.readsAnswer === true)
    set.push("accept-encoding", "identity");
  // What the client nominates as its hop's may be any name, but none that we set.
  const nominated = nominatedBy(call.headers.get("connection"));
  const never = takenOffFor(provider);
  const headers: string[] = [];
  const sent: Readonly<Record<string, string | string[]>> = call.headers.toJSON();
  for (const name in sent) {
    if (never.has(name) || isSet(set, name) || nominated?.has(name)) continue;
    const value = sent[name] as string | string[];
    // The platform keeps these apart, and no others.
    if (typeof value === "string") headers.push(name, value);
    else for (const one of value) headers.push(name, one);
  }
  for (const text of set) headers.push(text);
  return headers;
}

/** Our own, which go before the client's: names and values by turns. */
function headersToSet(call: Call, credential: Credential | undefined, token: string | undefined): string[] {
  const { provider } = call.route.upstream;
  const { account } = provider;
  const set: string[] = [];
  if (account?.value !== undefined && account.path.test(call.route.path))
    set.push(account.header, account.value);
  if (token !== undefined) set.push(...bearer(token));
  else if (credential !== undefined)
    set.push(...provider.credential.place(credential.secret, call.headers, call.route.path));
  for (let at = 0; at < set.length; at += 2) set[at] = (set[at] as string).toLowerCase();
  return set;
}

function isSet(set: readonly string[], name: string): boolean {
  for (let at = 0; at < set.length; at += 2) if (set[at] === name) return true;
  return false;
}

/** The headers that a `Connection` header calls its own hop's; undefined where that is none. */
export function nominatedBy(connection: string | null): Set<string> | undefined {
  if (connection === null || connection === "keep-alive" || connection === "close") return undefined;
  const names = connection.split(",").map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => TOKEN.test(name) && !UNNOMINABLE.has(name)));
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Nobody can make us drop what frames or describes the body by calling it its hop's. */
const UNNOMINABLE = new Set(["content-length", "content-type", "content-encoding"]);
