import { bearer } from "../providers/provider.ts";
import type { Call } from "./authorise.ts";
import { bodyToSend } from "./body.ts";
import type { Credential } from "./credential.ts";
import type { Exchange } from "./exchange.ts";
import { KEY_HEADERS } from "./identify.ts";
import { unreachable } from "./in-flight.ts";
import { readsBody } from "./links.ts";
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
  readonly upstreamProxy: string | undefined;
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
  settings: ForwardSettings,
): Promise<Response> {
  const { upstream, at, path, query } = call.route;
  const body = bodyToSend(call, exchange, exchange.outputCap);
  const init: BunFetchRequestInit & { timeout: false } = {
    method: call.method,
    headers: requestHeaders(call, credential, token, exchange),
    body,
    signal: exchange.abort.signal,
    redirect: "manual",
    decompress: false,
    timeout: false,
  };
  if (settings.upstreamProxy !== undefined) init.proxy = settings.upstreamProxy;
  if (upstream.mustBePublic) await requirePublic(upstream, exchange.at);
  exchange.isSent = true;
  exchange.sentMs ??= exchange.elapsedMs();
  try {
    return await fetch(at.base + path + query, init);
  } catch (cause) {
    if (neverConnected(cause)) exchange.isSent = false;
    const { signal } = exchange.abort;
    throw signal.aborted ? signal.reason : unreachable(upstream, cause);
  }
}

/** True where not a byte can have left: there was no connection that it could have gone through. */
function neverConnected(cause: unknown): boolean {
  const { code } = cause as { code?: unknown };
  return typeof code === "string" && NO_CONNECTION.has(code);
}

const NO_CONNECTION = new Set([
  "ConnectionRefused",
  "FailedToOpenSocket",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

function requestHeaders(
  call: Call,
  credential: Credential | undefined,
  token: string | undefined,
  { usageFilter, owned }: Exchange,
): Headers {
  const headers = new Headers(call.headers);
  const { provider } = call.route.upstream;
  // Before our own headers are set: what the client nominates as its hop's may be any name.
  const nominated = call.headers.get("connection");
  if (nominated !== null) deleteNominated(headers, nominated);
  for (const name of REQUEST_HEADERS_TAKEN_OFF) headers.delete(name);
  for (const name of provider.accountHeaders) headers.delete(name);
  if (readsBody(call.route.links) || owned?.readsAnswer === true) {
    // Links in the answer have to be rewritten, or lists filtered, which compressed bytes do not allow.
    headers.set("accept-encoding", "identity");
  }
  if (usageFilter !== undefined) {
    // It asks for usage in the client's place. The body is longer than the client's, and no event can be taken out of a compressed stream.
    headers.delete("content-length");
    headers.set("accept-encoding", "identity");
  }
  const { account } = provider;
  if (account?.value !== undefined && account.path.test(call.route.path))
    headers.set(account.header, account.value);
  if (token !== undefined) headers.set(...bearer(token));
  else if (credential !== undefined) {
    const [name, value] = provider.credential.place(credential.secret, call.headers, call.route.path);
    headers.set(name, value);
  }
  return headers;
}

/** Deletes the headers that a `Connection` header calls its own hop's. */
export function deleteNominated(headers: Headers, nominated: string): void {
  if (nominated === "keep-alive" || nominated === "close") return;
  for (const name of nominated.split(",")) {
    const trimmed = name.trim();
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(trimmed) && !UNNOMINABLE.has(trimmed.toLowerCase())) {
      headers.delete(trimmed);
    }
  }
}

/** A client cannot make us drop what frames or describes the body by calling it its hop's. */
const UNNOMINABLE = new Set(["content-length", "content-type", "content-encoding"]);
