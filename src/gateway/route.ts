import { KEY_PREFIX, looksLikeKey } from "../domain/key.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Denial, LinkRule, MeterRule, Provider, VersionRule } from "../providers/provider.ts";
import type { CredentialPool } from "./credential-pool.ts";
import type { NamedHost } from "./named-hosts.ts";
import { type OwnedPlan, ownedPlan } from "./owned-plan.ts";
import { type Base, type Destination, locate, type Upstream, type Upstreams } from "./upstreams.ts";

/** The query parameter that holds a signed permission: see `capability.ts`. */
export const CAPABILITY = "lmk_capability";

/** Where a request goes. What is authorised and what is sent come from this one object. */
export interface Route {
  readonly upstream: Upstream;
  /** What the path is appended to: the upstream's own base, or another host of its provider. */
  readonly at: Base;
  /** The path as it is sent; percent-encoding as it came. */
  readonly path: string;
  /** What stood in front of it and only chose the host. */
  readonly takenOff: string;
  /** The client called the provider's own host by its name, and follows its links to it as well. */
  readonly isNamed: boolean;
  /** This host is sent no key. */
  readonly withoutKey: boolean;
  /** The account that was written into the path: only its credentials will do. */
  readonly account: string | undefined;
  /** Decoded, lower-cased, without the version prefix: what rules are matched against. */
  readonly endpoint: string;
  /** False where some reader could take the path for another endpoint than that. */
  readonly isPlain: boolean;
  /** With its `?`, or empty; no master key in it. */
  readonly query: string;
  /** Master keys that the URL carried. */
  readonly keys: readonly string[];
  /** How this endpoint's answers tell what they used. */
  readonly meter: MeterRule | undefined;
  /** The signed permission that the URL carried, instead of a key. */
  readonly capability?: string;
  /** The links to rewrite in this endpoint's answers. */
  readonly links: readonly LinkRule[];
  /** What this endpoint has to do with objects that somebody owns; undefined where it has nothing. */
  readonly owned: OwnedPlan | undefined;
  /** The provider's rules that close this endpoint, to some method or to all. */
  readonly denied: readonly Denial[];
  /** What is sent there costs nothing. */
  readonly isFree: boolean;
  /** What is sent there starts work whose cost shows only later. */
  readonly isDeferred: boolean;
  /** What is sent there names the models it asks in a file, or deep in its body. */
  readonly isBatch: boolean;
}

/** The requests of a batch stand in a file, or deep in its body, and each names a model of its own. */
const BATCHES = /(?:^|\/)(?:batches|batch\/jobs|evals\/[^/]+\/runs)$/;

/** What a URL carries that is for us and not for the provider. */
interface Taken {
  readonly keys: string[];
  capability?: string;
}

/**
 * Routes of URLs that were read before: nearly all calls go to a few endpoints. Such a route depends on nothing but its
 * URL and the provider's upstream, and holds no key and no object's id.
 */
const remembered = new WeakMap<Upstreams, Map<string, Route>>();
/** Clients can make up any number of URLs, of any length. */
const MOST_REMEMBERED = 1000;
const LONGEST_REMEMBERED = 300;

/**
 * Reads provider and path from the request's URL, as the platform parsed it: dot segments are resolved already.
 * @param named What the host's name says of it, where the client called the provider's own.
 * @throws Refusal `unknown_provider`, or `bad_request` for paths that two readers could read differently.
 */
export function findRoute(url: string, upstreams: Upstreams, named?: NamedHost): Route {
  const known = named === undefined ? remembered.get(upstreams)?.get(url) : undefined;
  // A provider that was changed has another upstream.
  if (known !== undefined && upstreams.get(known.upstream.provider.id) === known.upstream) return known;
  return readRoute(url, upstreams, named);
}

function remember(url: string, route: Route, upstreams: Upstreams): void {
  let routes = remembered.get(upstreams);
  if (routes === undefined || routes.size >= MOST_REMEMBERED) {
    routes = new Map();
    remembered.set(upstreams, routes);
  }
  routes.set(url, route);
}

function readRoute(url: string, upstreams: Upstreams, named: NamedHost | undefined): Route {
  // From 8, behind the longest scheme: the host has at least one character.
  const start = url.indexOf("/", 8);
  const mark = url.indexOf("?", start);
  const hash = url.indexOf("#", start);
  if (hash !== -1) return findRoute(url.slice(0, hash), upstreams, named);
  const end = mark === -1 ? url.length : mark;
  const raw = url.slice(start, end);
  const whole = raw.includes("//") ? raw.replace(/\/{2,}/g, "/") : raw;

  const slash = named === undefined ? whole.indexOf("/", 1) : 0;
  const id = named?.provider ?? (slash === -1 ? whole.slice(1) : whole.slice(1, slash));
  const chosen = upstreams.get(id);
  if (chosen === undefined) throw unknownProvider(id, upstreams);

  const taken: Taken = { keys: [] };
  const rest = takeKeysFromPath(slash === -1 ? "" : whole.slice(slash), taken);
  const query = mark === -1 ? "" : takeFromQuery(url.slice(mark), taken);
  const { upstream, path: meant } =
    named === undefined ? handOver(chosen, rest, query, upstreams) : atHost(named, chosen, rest);
  const { provider } = upstream;
  const versioned = applyVersion(provider.version, rewritten(provider, meant), upstream.basePath);
  const path = withAccount(upstream, versioned);
  refuseAmbiguous(path, provider);
  const endpoint = endpointOf(provider.version, path);
  const plain = isPlain(provider.version, path, upstream.basePath, endpoint);
  const { owned } = provider;
  const route: Route = {
    upstream,
    ...(named?.at === undefined ? locate(upstream, path) : destination(named, named.at, path)),
    isNamed: named !== undefined,
    account: path === versioned ? undefined : accountOf(upstream.pool),
    endpoint,
    isPlain: plain,
    query,
    ...taken,
    meter: provider.meters.find((meter) => meter.path.test(endpoint)),
    links:
      provider.links.length === 0
        ? provider.links
        : provider.links.filter((link) => isRewritten(link, named) && link.path.test(endpoint)),
    owned: owned && ownedPlan(owned, endpoint, plain, () => readingsOf(path, endpoint, plain)),
    denied: provider.denied.filter((denial) => denial.path.test(endpoint)),
    isFree: provider.free?.test(endpoint) === true,
    isDeferred: provider.deferred?.test(endpoint) === true,
    isBatch: BATCHES.test(endpoint),
  };
  const isItsOwn = named === undefined && upstream === chosen && !mayBeHandedOver(chosen, rest);
  if (isItsOwn && mark === -1 && isRepeated(url, route)) remember(url, route, upstreams);
  return route;
}

/** Whether another call of this URL has the same route: no key and no object's id is in it, and no credential's account. */
function isRepeated(url: string, { upstream, owned }: Route): boolean {
  if (url.length > LONGEST_REMEMBERED || url.includes(KEY_PREFIX)) return false;
  return upstream.provider.accountPath === undefined && (owned === undefined || owned.named.length === 0);
}

/** Whether it would be, if all providers were set up here. */
function mayBeHandedOver({ provider }: Upstream, path: string): boolean {
  return provider.handovers?.some(({ when }) => when.test(path)) === true;
}

/** A call that an SDK sends to one provider's address although it is meant for another that is set up here. */
function handOver(
  upstream: Upstream,
  path: string,
  query: string,
  upstreams: Upstreams,
): { upstream: Upstream; path: string } {
  for (const { to, when, rewrite } of upstream.provider.handovers ?? []) {
    const meant = upstreams.get(to);
    if (meant === undefined || !when.test(path + query)) continue;
    return { upstream: meant, path: rewrite === undefined ? path : path.replace(...rewrite) };
  }
  return { upstream, path };
}

/** The path as it is written behind the provider's id. */
function atHost(named: NamedHost, upstream: Upstream, path: string): { upstream: Upstream; path: string } {
  const { host, place, at, paths, tokens } = named;
  const isApi = tokens === undefined && (paths?.test(path) ?? true);
  // What its base does not begin with would be sent to another address than the client's.
  const isWithin = at === undefined || place !== "" || startsWithSegment(path, at.basePath);
  if (!isApi || !isWithin) {
    throw new Refusal(
      "endpoint_not_allowed",
      `This path of ${host} is not part of ${upstream.provider.name}'s API, which is all that goes through here.`,
    );
  }
  return { upstream, path: place + path };
}

/** Where a client that called the host by its name wanted to go. */
function destination({ place, withoutKey }: NamedHost, at: Base, path: string): Destination {
  const isBelow = place !== "" && startsWithSegment(path, place);
  return { at, path: isBelow ? path.slice(place.length) : path, takenOff: "", withoutKey };
}

/** Links to hosts that the client calls by name bring it back here as they are, but for what it follows without a key. */
function isRewritten(link: LinkRule, named: NamedHost | undefined): boolean {
  return named === undefined || link.followedWithoutKey === true;
}

function rewritten(provider: Provider, path: string): string {
  const rewrite = provider.rewrites?.find(([pattern]) => pattern.test(path));
  return rewrite === undefined ? path : path.replace(...rewrite);
}

/** Of several credentials, the first one's. */
function accountOf(pool: CredentialPool): string | undefined {
  return pool.members[0]?.credential.account;
}

/** Names the gateway's own account where the client could not. */
function withAccount({ provider, pool }: Upstream, path: string): string {
  const account = accountOf(pool);
  if (provider.accountPath === undefined || account === undefined) return path;
  const { path: pattern, part, location } = provider.accountPath;
  return path.replace(pattern, (start) => start + part(account, location));
}

/** Encoded slashes, backslashes, control characters and dots with parameters: upstreams disagree on what they mean. */
// U+FFFD is what the platform makes of bytes that are no UTF-8.
const AMBIGUOUS =
  /%(?:ef%bf%bd|2f|5c|[01][0-9a-f]|7f|25(?:2[ef]|5c|00)|(?![0-9a-f]{2}))|(?:^|\/)(?:\.|%2e){1,2}(?:;|\/|$)/i;

function refuseAmbiguous(path: string, provider: Provider): void {
  if (!path.includes("%") && !path.includes(";")) return;
  // Where a provider takes encoded slashes they are read as slashes: a dot segment between two of them is one.
  const read = provider.encodedSlashes?.test(path) ? path.replace(/%2f/gi, "/") : path;
  if (AMBIGUOUS.test(read)) {
    throw new Refusal(
      "bad_request",
      "The path contains an encoded slash, backslash or control character, or a malformed escape; send it plainly.",
    );
  }
}

function unknownProvider(id: string, upstreams: Upstreams): Refusal {
  const known = [...upstreams.keys()].join(", ");
  const named = /^[a-z0-9-]{1,40}$/.test(id)
    ? `There is no provider "${id}" here.`
    : "The path names no provider.";
  return new Refusal("unknown_provider", `${named} Paths begin with one of: ${known}.`);
}

/** `/openai/<master key>/v1/...`: for clients that can carry a key nowhere else. Wherever one stands, it is taken out. */
function takeKeysFromPath(path: string, { keys }: Taken): string {
  if (!path.includes("lmk_")) return path;
  const kept = path.split("/").filter((segment) => {
    if (!looksLikeKey(segment)) return true;
    keys.push(segment);
    return false;
  });
  return kept.join("/");
}

/**
 * A master key is taken out of whatever parameter it stands in, and our own parameter is; all others stay as they
 * came.
 */
export function takeFromQuery(query: string, taken: Taken): string {
  if (!query.includes("lmk_") && !query.includes("%")) return query;
  const kept = query
    .slice(1)
    .split("&")
    .filter((parameter) => {
      const equals = parameter.indexOf("=");
      const value = decodedOnce(parameter.slice(equals + 1));
      if (parameter.slice(0, equals) === CAPABILITY) taken.capability = value;
      else if (looksLikeKey(value)) taken.keys.push(value);
      else return true;
      return false;
    });
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}

function applyVersion(version: VersionRule, path: string, basePath: string): string {
  if (version.kind === "in-base") {
    // A base that was configured without it leaves the version to the path.
    return basePath.endsWith(version.prefix) ? withoutPrefix(path, version) : path;
  }
  if (version.kind === "in-path") {
    const end = path.indexOf("/", 1);
    const first = end === -1 ? path.slice(1) : path.slice(1, end);
    // Google's methods follow a colon: `/models:batch`.
    const name = first.includes(":") ? first.slice(0, first.indexOf(":")) : first;
    if (version.endpoints.includes(name)) return version.prefix + path;
  }
  return path;
}

/**
 * What any reader may take the path for: decoded as often as it can be, without parameters, query and fragment, before
 * anything is compared (`/%761/x` is `/v1/x` to the provider).
 */
function endpointOf(version: VersionRule, path: string): string {
  const plain = (ENCODED.test(path) ? normalised(path) : path).toLowerCase();
  if (version.kind === "none") return plain;
  for (let bare = plain; ; ) {
    const shorter = withoutPrefix(bare, version);
    if (shorter === bare) return bare;
    bare = shorter;
  }
}

/** What readers may take the path for, in its own letters, for ids have capitals; without its version. */
function readingsOf(path: string, endpoint: string, isPlain: boolean): readonly string[] {
  const whole = ENCODED.test(path) ? normalised(path) : path;
  const reading = tailLike(whole, endpoint);
  if (isPlain) return [reading];
  const once = decode(path);
  return [...new Set([reading, tailLike(once, endpoint), once])];
}

/** The end of a text that is another one but for its capitals; what is no such text is left whole. */
function tailLike(text: string, lower: string): string {
  const tail = text.slice(text.length - lower.length);
  return tail.toLowerCase() === lower ? tail : text;
}

/** The path of a pattern, in the form that endpoints are compared in. */
export function patternPath(provider: Provider, path: string): string {
  return endpointOf(provider.version, path);
}

/** Whether a reader that decodes once and knows no parameters, and of versions the one that we know, reads the same. */
function isPlain(version: VersionRule, path: string, basePath: string, endpoint: string): boolean {
  const once = (path.includes("%") ? decode(path) : path).toLowerCase();
  if (once === endpoint) return true;
  const isInBase = version.kind === "in-base" && basePath.endsWith(version.prefix);
  return version.kind !== "none" && !isInBase && withoutPrefix(once, version) === endpoint;
}

const ENCODED = /[%;#?]/;
const MAX_DECODINGS = 4;

function normalised(path: string): string {
  let plain = decode(path);
  for (let n = 1; n < MAX_DECODINGS && plain.includes("%"); n++) plain = decodedOnce(plain);
  return plain
    .replace(/[?#].*$/s, "")
    .replace(/;[^/]*/g, "")
    .replace(/\/{2,}/g, "/");
}

function withoutPrefix(path: string, version: { prefix: string; also?: readonly string[] }): string {
  if (startsWithSegment(path, version.prefix)) return path.slice(version.prefix.length);
  const prefix = version.also?.find((other) => startsWithSegment(path, other));
  return prefix === undefined ? path : path.slice(prefix.length);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new Refusal("bad_request", "The path's percent-encoding is not valid UTF-8.", { cause });
  }
}

/** As it came where it is not percent-encoded, or not as UTF-8. */
function decodedOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function startsWithSegment(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === "/");
}
