import { knownProviders } from "../providers/catalogue.ts";
import type { HostName } from "../providers/host-name.ts";
import type { Provider } from "../providers/provider.ts";
import { type Base, parseBase, type Upstream, type Upstreams } from "./upstreams.ts";

/** What a host's name says of the calls to it. */
export interface NamedHost {
  readonly host: string;
  readonly provider: string;
  /** Put in front of its paths, which are then looked at like any others of the provider. */
  readonly place: string;
  /** Where its calls go; undefined for the upstream that an administrator has named instead. */
  readonly at: Base | undefined;
  readonly paths: RegExp | undefined;
  readonly withoutKey: boolean;
  readonly keyless: RegExp | undefined;
  /** In front of its paths among those that are asked for tokens; undefined for a host that is more than that. */
  readonly tokens: string | undefined;
}

export type NamedHosts = ReadonlyMap<string, NamedHost>;

/** The hosts that clients in proxy mode call by name, each with what it means. */
export function namedHosts(upstreams: Upstreams): NamedHosts {
  const hosts = new Map<string, NamedHost>();
  for (const upstream of upstreams.values()) {
    for (const name of namesOf(upstream.provider, upstream.base)) {
      if (!hosts.has(name.host)) hosts.set(name.host, namedHost(name, upstream));
    }
  }
  return hosts;
}

/**
 * All names that a client could mean a provider by, whether it is set up here or not: no other certificate is ever
 * made, and nothing is tunnelled to them. Each stands for the names below it, too.
 */
export function providerDomains(upstreams: Upstreams): string[] {
  const known = knownProviders.flatMap((provider) => [
    ...namesOf(provider, provider.upstream).map(({ host }) => host),
    ...(provider.domains ?? []),
  ]);
  const own = [...upstreams.values()].flatMap(({ provider, base }) => namesOf(provider, base));
  return [...new Set([...known, ...own.map(({ host }) => host)])].sort();
}

/** @param base Where its requests go: its name is one where the provider has no common address. */
function namesOf(provider: Provider, base: string | undefined): readonly HostName[] {
  const { names = [] } = provider;
  const own = httpsHost(provider.upstream ?? base);
  return own === undefined ? names : [{ host: own }, ...names];
}

function namedHost(name: HostName, upstream: Upstream): NamedHost {
  const { provider, base } = upstream;
  const isReplaced = provider.upstream !== undefined && base !== provider.upstream;
  return {
    host: name.host,
    provider: provider.id,
    place: name.place ?? "",
    at: isReplaced ? undefined : baseOf(name, upstream),
    paths: name.paths,
    withoutKey: name.withoutKey === true,
    keyless: name.keyless,
    tokens: name.tokens,
  };
}

/** As the provider's own, but at this host. */
function baseOf({ host, place, retired }: HostName, upstream: Upstream): Base {
  if (retired === true) return upstream;
  return parseBase(`https://${host}${place === undefined ? upstream.basePath : ""}`);
}

/** The name in an address that a client would reach by TLS at the usual port. */
function httpsHost(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const { protocol, hostname, port } = new URL(address);
  const isName = /^(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*$/.test(hostname);
  return protocol === "https:" && port === "" && isName ? hostname : undefined;
}
