import { writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Config } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import type { SecretStore } from "../domain/store.ts";
import { type NamedHosts, providerDomains } from "../gateway/named-hosts.ts";
import type { Upstreams } from "../gateway/upstreams.ts";
import type { Authority, Sealer } from "../tls/authority.ts";
import type { Subject } from "../tls/x509.ts";

/** The names and addresses that are the gateway's own: what `subdomains` are below, and this machine's. */
export function ownSubject({ host, publicUrl }: Config, upstreams: Upstreams): Subject {
  const named = publicUrl === undefined ? undefined : bareHost(new URL(publicUrl).hostname);
  const all = ["localhost", "127.0.0.1", "::1", ...(named === undefined ? [] : [named])];
  if (isIP(host) !== 0 && !/^(?:0\.0\.0\.0|::)$/.test(host)) all.push(host);
  const unique = [...new Set(all)];
  const names = unique.filter((one) => isIP(one) === 0);
  const below = names.flatMap((name) => [...upstreams.keys()].map((id) => `${id}.${name}`));
  return { names: [...names, ...below], addresses: unique.filter((one) => isIP(one) !== 0) };
}

/** Host names that choose a provider: its id in front of a name of the gateway's own. */
export function subdomains({ names }: Subject, upstreams: Upstreams): ReadonlyMap<string, string> {
  const own = names.filter((name) => !upstreams.has(name.slice(0, name.indexOf("."))));
  return new Map(own.flatMap((name) => [...upstreams.keys()].map((id) => [`${id}.${name}`, id] as const)));
}

/**
 * The authority of this installation. What it can vouch for is the providers' names and the gateway's own. Its
 * certificate is also put into the data directory, for the command line.
 */
export async function openAuthority(
  own: Subject,
  upstreams: Upstreams,
  parts: { store: SecretStore; sealer: Sealer; clock: Clock; dataDir: string },
): Promise<Authority> {
  const names = [...new Set([...topmost(own.names), ...providerDomains(upstreams)])].sort();
  // Loaded here: most installations have no need of it.
  const { Authority } = await import("../tls/authority.ts");
  const authority = await Authority.open({ names, addresses: [...own.addresses].sort() }, parts);
  writeFileSync(join(parts.dataDir, "ca.pem"), authority.certificate, { mode: 0o644 });
  return authority;
}

/** One for each provider, with all of its names. */
export function providerSubjects(hosts: NamedHosts): Map<string, Subject> {
  const byProvider = new Map<string, string[]>();
  for (const { provider, host } of hosts.values())
    byProvider.set(provider, [...(byProvider.get(provider) ?? []), host]);
  return new Map([...byProvider].map(([provider, names]) => [provider, { names, addresses: [] }]));
}

/** Without those that are below another one of them. */
export function topmost(names: readonly string[]): string[] {
  return names.filter((name) => !names.some((other) => name.endsWith(`.${other}`)));
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
