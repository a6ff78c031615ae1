import type { HostRule, Provider } from "../providers/provider.ts";
import { CredentialPool } from "./credential-pool.ts";

/** An address that paths are appended to. */
export interface Base {
  /** Without a trailing slash. */
  readonly base: string;
  /** Scheme, host and port of `base`. */
  readonly origin: string;
  /** The path in `base`; empty or `/...` without a trailing slash. */
  readonly basePath: string;
}

/** Where a provider's requests go, and with which keys. */
export interface Upstream extends Base {
  readonly provider: Provider;
  /** Paths that go elsewhere; none where an administrator has replaced the provider's own address. */
  readonly hosts: readonly HostRule[];
  readonly pool: CredentialPool;
  /** Whether it may be in a network of one's own, and lead us about in there. */
  readonly mayBePrivate: boolean;
  /** Whether each call looks where its name leads: an administrator has added it as one out on the internet. */
  readonly mustBePublic: boolean;
  /** When that was last so, epoch milliseconds. */
  publicAt: number;
  /** When operators were last told that it could not be reached, epoch milliseconds. */
  troubleReportedAt: number;
}

export type Upstreams = ReadonlyMap<string, Upstream>;

export function createUpstream(provider: Provider, base: string, mayBePrivate = true): Upstream {
  return {
    provider,
    ...parseBase(base),
    hosts: base === provider.upstream ? (provider.hosts ?? []) : [],
    pool: new CredentialPool(),
    mayBePrivate,
    mustBePublic: false,
    publicAt: 0,
    troubleReportedAt: 0,
  };
}

/** Where a path is really sent. */
export interface Destination {
  readonly at: Base;
  /** What is appended to the base. */
  readonly path: string;
  /** The part in front of it that only chose the base. */
  readonly takenOff: string;
  readonly withoutKey: boolean;
}

/** @param path As the provider's version rule gave it. */
export function locate(upstream: Upstream, path: string): Destination {
  for (const rule of upstream.hosts) {
    const match = rule.path.exec(path);
    if (match === null) continue;
    const base = rule.base.replace("$1", match[1] ?? "");
    const takenOff = rule.takesOff === true ? match[0] : "";
    return {
      at: parseBase(base),
      path: path.slice(takenOff.length),
      takenOff,
      withoutKey: rule.withoutKey === true,
    };
  }
  return { at: upstream, path, takenOff: "", withoutKey: false };
}

/** @param base Without a trailing slash. */
export function parseBase(base: string): Base {
  const url = new URL(base);
  return { base, origin: url.origin, basePath: url.pathname.replace(/\/+$/, "") };
}
