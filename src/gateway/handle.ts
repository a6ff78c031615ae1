import type { Clock } from "../domain/clock.ts";
import type { Limiter } from "../domain/limits.ts";
import type { Network } from "../domain/network.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Ending, RequestRecord } from "../domain/request-record.ts";
import type { Usage } from "../domain/usage.ts";
import type { Journal } from "../ledger/journal.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { PriceBook } from "../pricing/book.ts";
import type { UsageFormat } from "../providers/formats/usage.ts";
import type { Answer } from "../upstream/answer.ts";
import { admit } from "./admit.ts";
import { type AttemptSettings, attempt, giveBack, requireCredential } from "./attempt.ts";
import { authorise, type Call, refuseNavigation } from "./authorise.ts";
import { RECEIVE_BYTES_PER_MS } from "./body.ts";
import { identifyByCapability, type Signer, withCapability } from "./capability.ts";
import { identifyByToken, presentedToken } from "./client-token.ts";
import type { Directory, KeyHolder } from "./directory.ts";
import { isDraining } from "./drain.ts";
import { Exchange } from "./exchange.ts";
import { forward } from "./forward.ts";
import { identify, type KeyHasher, presentsKey, requireActive } from "./identify.ts";
import type { InFlight } from "./in-flight.ts";
import { isFirstOfJob, type JobStore } from "./jobs.ts";
import type { LeakWatch } from "./leak-watch.ts";
import { rewriteLinks } from "./links.ts";
import { createMeter } from "./meter.ts";
import type { NamedHost } from "./named-hosts.ts";
import type { ObjectIndex } from "./object-index.ts";
import { concernsObjects, notesStream, type Owning, ownObjects } from "./own-objects.ts";
import type { OwnedCall } from "./owned-plan.ts";
import { isRedirect, settleRedirect } from "./redirect.ts";
import { asRefusal, refusalResponse } from "./refuse.ts";
import { answerHeaders, endingOf, relay } from "./relay.ts";
import { remembersObject } from "./remember-object.ts";
import { nextId } from "./request-id.ts";
import { requireObjects } from "./require-objects.ts";
import { findRoute, type Route } from "./route.ts";
import { settle, shrinkToInput } from "./settle.ts";
import { endPermit, takePermit } from "./take-permit.ts";
import type { Upstreams } from "./upstreams.ts";

/** What a request's way needs; all of it made in `serve.ts`. */
export interface Gateway extends AttemptSettings {
  readonly upstreams: Upstreams;
  readonly directory: Directory;
  readonly hasher: KeyHasher;
  readonly signer: Signer;
  readonly inFlight: InFlight;
  readonly limiter: Limiter;
  readonly clock: Clock;
  readonly publicUrl: string;
  /** Who may say for whom they call: see `client-address.ts`. */
  readonly trustedProxies: readonly Network[];
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly jobs: JobStore;
  /** Whose the files, batches, threads... at the providers are. */
  readonly objects: ObjectIndex;
  readonly leaks: LeakWatch;
  /** The prices of this moment; another book whenever an administrator changes them. */
  readonly prices: () => PriceBook;
  /** Whom users ask where something is refused; null where nobody is named. */
  readonly contact: () => string | null;
  /** For operators: what went wrong inside. */
  readonly report: (message: string) => void;
}

/** How long a request's body may take to arrive, milliseconds; large ones get longer. */
const RECEIVE_MS = 30_000;
/** Longer paths are cut in the log. */
const MAX_LOGGED_PATH = 1024;

/** What the platform's server does for one request. */
export interface Connection {
  /** Calls this where the client leaves before `release`. */
  whenLeft(listener: () => void): void;
  /** The answer is out: gives this connection's idle timeout back to the platform, and forgets the listener. */
  release(): void;
  readonly address: string | null;
  /** What the host's name says, where the client called a provider's own. */
  readonly named: NamedHost | undefined;
  /** Whose it is, where the client has shown the proxy a token; good for what `NamedHost.keyless` allows alone. */
  readonly opener: KeyHolder | undefined;
  /** Why nothing that comes over it is taken. */
  readonly refused: Refusal | undefined;
}

/**
 * A request's whole way.
 * @param url The request's own, parsed: see `Listener`.
 */
export async function handle(
  request: Request,
  url: string,
  connection: Connection,
  gateway: Gateway,
): Promise<Response> {
  const { inFlight } = gateway;
  const exchange = open(request, connection, gateway);
  const onEnd = (ending: Ending) => close(exchange, ending, connection, gateway);
  try {
    refuseUnready(gateway);
    if (connection.refused !== undefined) throw connection.refused;
    refuseNavigation(request.headers);
    const found = findRoute(url, gateway.upstreams, connection.named);
    const opener = keylessOpener(request, found, connection);
    const route = opener === undefined ? found : { ...found, withoutKey: true };
    exchange.upstream = route.upstream;
    exchange.base = route.at;
    // What is asked at an upstream's very address has no path of its own.
    exchange.endpoint = (route.path || "/").slice(0, MAX_LOGGED_PATH);
    gateway.leaks.watchUrl(route, exchange);
    if (request.method === "HEAD" && !presentsKey(request.headers, route))
      return answerProbe(exchange, onEnd);
    const holder = opener ?? holderOf(request, route, exchange, gateway);
    exchange.holder = holder;
    requireActive(holder, exchange.at);
    const call = await authorise(request, route, exchange, holder.scopes);
    const owns = route.owned && requireObjects(call, route.owned, holder, gateway);
    exchange.owned = owns instanceof Promise ? await owns : owns;
    requireCredential(call);
    const permit = holder.limits && takePermit(call, holder.limits, exchange, gateway.limiter);
    if (permit !== undefined) await permit;
    await admit(call, holder, exchange, gateway.ledger, gateway.prices);
    gateway.leaks.watchBody(call, exchange);

    let reply = await attempt(call, exchange, gateway);
    exchange.firstByteMs = exchange.elapsedMs();
    if (!reply.ok) exchange.costsNothing = true;
    exchange.upstreamRequestId = upstreamRequestId(reply, route.upstream.provider.requestIdHeaders);
    if (isRedirect(reply)) reply = await settleRedirect(reply, call, exchange, gateway);
    const headers = answerHeaders(reply, exchange.id, request.headers);
    if (exchange.outputCap !== null) headers.set("x-llamakey-output-cap", String(exchange.outputCap));
    const { owned } = exchange;
    const owning =
      owned !== undefined && concernsObjects(owned, request.method)
        ? owningOf(owned, call, holder, exchange, gateway)
        : undefined;
    if (owning !== undefined) reply = await ownObjects(reply, headers, owning);
    if (route.links.length > 0) {
      const permit = (link: string) =>
        withCapability(link, holder.key.id, gateway.signer, gateway.upstreams, exchange.at);
      reply = await rewriteLinks(reply, headers, route, { publicUrl: gateway.publicUrl, permit });
    }
    const meter = createMeter(meterFormat(route, reply, request.method), headers, route.path);
    const noting = owning === undefined ? meter : notesStream(meter, reply, owning);
    exchange.meter = remembersObject(noting, call, reply, headers, exchange, gateway.homes);
    const onInput = exchange.most === undefined ? undefined : () => shrinkToInput(exchange, gateway.prices());
    const relayed = relay(reply, headers, exchange, inFlight, onEnd, onInput);
    return relayed instanceof Promise ? await relayed : relayed;
  } catch (error) {
    return refuse(error, request, exchange, onEnd, gateway);
  }
}

function open(request: Request, connection: Connection, gateway: Gateway): Exchange {
  const { inFlight } = gateway;
  const length = Number(request.headers.get("content-length") ?? 0);
  const patienceMs = RECEIVE_MS + length / RECEIVE_BYTES_PER_MS;
  const exchange = new Exchange(
    nextId(),
    request.method,
    gateway.clock.now(),
    connection.address,
    inFlight.now,
    patienceMs,
  );
  inFlight.add(exchange);
  connection.whenLeft(() => close(exchange, "client_closed", connection, gateway));
  return exchange;
}

/** Whose request without a key this is, where its SDK sends none and what it asks for is open to anybody. */
function keylessOpener(request: Request, route: Route, connection: Connection): KeyHolder | undefined {
  const { named } = connection;
  if (named?.keyless === undefined || request.method !== "GET" || !named.keyless.test(route.path))
    return undefined;
  return presentsKey(request.headers, route) ? undefined : connection.opener;
}

/** Whose request this is: the key says it, a token that was given for it, or the link that is followed without one. */
function holderOf(request: Request, route: Route, exchange: Exchange, gateway: Gateway): KeyHolder {
  const { directory, hasher, signer } = gateway;
  const { capability, upstream } = route;
  if (capability !== undefined)
    return identifyByCapability(capability, route, directory, signer, exchange.at);
  const token = presentedToken(request.headers, route);
  return token === undefined
    ? identify(request.headers, route, directory, hasher, exchange.at)
    : identifyByToken(token, upstream.provider.id, directory, signer, exchange.at);
}

function owningOf(
  owned: OwnedCall,
  call: Call,
  holder: KeyHolder,
  exchange: Exchange,
  gateway: Gateway,
): Owning {
  const credential = exchange.member?.credential;
  const again = async (query: string) => {
    const token = await credential?.minted?.get(exchange.abort.signal);
    return forward({ ...call, route: { ...call.route, query } }, credential, token, exchange, gateway);
  };
  const { objects: index } = gateway;
  return { call, owned, holder, credentialId: credential?.id ?? null, index, at: exchange.at, again };
}

/** How this answer tells what it used; what failed used nothing. */
function meterFormat({ meter }: Route, reply: Answer, method: string): UsageFormat | undefined {
  if (meter === undefined || !reply.ok) return undefined;
  return meter.method === undefined || meter.method === method ? meter.format : undefined;
}

/** The end of every way, whichever came first; later ones change nothing. */
function close(exchange: Exchange, ending: Ending, connection: Connection, gateway: Gateway): void {
  if (exchange.ended) return;
  const onCut = () => close(exchange, "cut", connection, gateway);
  if (ending === "client_closed" && isDraining(exchange, gateway.inFlight.now, onCut)) return;
  exchange.ended = true;
  giveBack(exchange);
  const isWhole = ending === "complete";
  if (!isWhole && ending !== "refused") exchange.abort.abort();
  if (ending !== "client_closed") connection.release();
  const row = exchange.record(exchange.drainUntil === null ? ending : "client_closed");
  const used = exchange.meter?.end() ?? null;
  // Only compressed answers are read a little later than they pass.
  if (used instanceof Promise) void used.then((usage) => finish(exchange, row, usage, isWhole, gateway));
  else finish(exchange, row, used, isWhole, gateway);
}

function finish(
  exchange: Exchange,
  row: RequestRecord,
  usage: Usage | null,
  isWhole: boolean,
  gateway: Gateway,
): void {
  const isFirst = isFirstLook(exchange, usage, gateway);
  const end = (first: boolean) => conclude(exchange, row, first ? usage : null, isWhole, gateway);
  // Where nobody can say, rather twice than not at all.
  if (isFirst instanceof Promise) void isFirst.catch(() => true).then(end);
  else end(isFirst);
}

/** Whether what the answer tells was not paid for before: the results of jobs can be had again and again. */
function isFirstLook(
  exchange: Exchange,
  usage: Usage | null,
  { journal, jobs }: Gateway,
): boolean | Promise<boolean> {
  if (usage === null || usage.jobId === null) return true;
  // A later look costs nothing, and the first one is told from it by its usage.
  exchange.costsNothing = true;
  const job = `${exchange.upstream?.provider.id}:${usage.jobId}`;
  return isFirstOfJob(job, exchange.method, exchange.id, journal, jobs);
}

/** @param usage What is to be paid for. */
function conclude(
  exchange: Exchange,
  row: RequestRecord,
  usage: Usage | null,
  isWhole: boolean,
  gateway: Gateway,
): void {
  endPermit(exchange, usage);
  row.metered = settle(exchange, usage, isWhole, gateway.prices());
  if (usage !== null) row.model ??= usage.model;
  gateway.inFlight.remove(exchange);
  gateway.journal.log(row);
}

function refuse(
  error: unknown,
  request: Request,
  exchange: Exchange,
  onEnd: (ending: Ending) => void,
  gateway: Gateway,
): Response {
  if (exchange.ended || request.signal.aborted) {
    onEnd("client_closed");
    return new Response(null, { status: 499 });
  }
  const refusal = asRefusal(error);
  reportCause(refusal, exchange, gateway);
  exchange.refusal = refusal.code;
  const response = refusalResponse(
    refusal,
    exchange.upstream?.provider,
    exchange.id,
    request.method,
    gateway.clock.now(),
    gateway.contact(),
  );
  exchange.status = response.status;
  exchange.abort.abort(refusal);
  onEnd(endingOf(refusal) === "timeout" ? "timeout" : "refused");
  return response;
}

function refuseUnready(gateway: Gateway): void {
  if (gateway.inFlight.draining) {
    throw new Refusal("shutting_down", "The gateway is shutting down; try again in a moment.", {
      headers: { connection: "close" },
    });
  }
  if (!gateway.journal.healthy) {
    throw new Refusal(
      "storage_unavailable",
      "The gateway cannot record requests at the moment; try again later.",
    );
  }
}

/** Clients look whether anybody is there before they send a key; nothing is forwarded. */
function answerProbe(exchange: Exchange, onEnd: (ending: Ending) => void): Response {
  exchange.status = 200;
  onEnd("complete");
  return new Response(null, { headers: { "x-llamakey-request-id": exchange.id } });
}

function upstreamRequestId(reply: Answer, names: readonly string[]): string | null {
  for (const name of names) {
    const value = reply.headers.get(name);
    if (value !== null) return value.slice(0, 128);
  }
  return null;
}

/** Tells operators what only they can mend; an upstream that is down says so once in a while, not for every call. */
function reportCause(refusal: Refusal, exchange: Exchange, gateway: Gateway): void {
  const { cause } = refusal;
  if (refusal.code === "internal_error") {
    const what =
      cause instanceof Error ? (cause.stack ?? cause.name) : "something that is no error was thrown";
    gateway.report(`request ${exchange.id}: ${what}`);
  }
  const { upstream } = exchange;
  const now = gateway.clock.now();
  if (refusal.code !== "upstream_unreachable" || upstream === undefined) return;
  if (now - upstream.troubleReportedAt < TROUBLE_EVERY_MS) return;
  upstream.troubleReportedAt = now;
  // The platform's messages quote the URL, whose query is nobody's to log.
  const reason = (cause as { code?: string } | undefined)?.code ?? refusal.message;
  gateway.report(`${upstream.provider.name} could not be used at ${exchange.base?.origin} (${reason}).`);
}

const TROUBLE_EVERY_MS = 10_000;
