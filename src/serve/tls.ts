import { join } from "node:path";
import { writeTrust } from "../client/trust.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import type { SecretStore } from "../domain/store.ts";
import { type NamedHosts, namedHosts } from "../gateway/named-hosts.ts";
import type { Upstreams } from "../gateway/upstreams.ts";
import type { Authority, Sealer } from "../tls/authority.ts";
import { type Certificates, certificateFiles, localCertificates } from "./certificates.ts";
import { openAuthority, ownSubject, providerSubjects, subdomains, topmost } from "./local-authority.ts";

/** What the gateway shows to clients that speak TLS, and the names that it knows by. */
export interface Tls {
  /** Undefined where nothing needs it. */
  readonly authority: Authority | undefined;
  /** The folder with what programs on this machine need to trust the gateway's own listener. */
  readonly trust: string | undefined;
  /** For the gateway's own listener; undefined for plain HTTP. */
  readonly certificates: Certificates | undefined;
  /** For the listener behind the proxy: the gateway's own first, then one for each provider's hosts. */
  readonly proxyCertificates: () => Promise<Certificates>;
  readonly hosts: NamedHosts;
  readonly subdomains: ReadonlyMap<string, string>;
}

/** @throws StartFailure where the administrator's certificate cannot be used. */
export async function openTls(
  config: Config,
  upstreams: Upstreams,
  parts: { store: SecretStore; sealer: Sealer; clock: Clock; report: (message: string) => void },
): Promise<Tls> {
  const { tls, proxy, dataDir, certificateMs } = config;
  const own = ownSubject(config, upstreams);
  const hosts = namedHosts(upstreams);
  const needsAuthority = tls?.kind === "local" || proxy !== undefined;
  const authority = needsAuthority ? await openAuthority(own, upstreams, { ...parts, dataDir }) : undefined;
  const local = (subjects: Parameters<typeof localCertificates>[1]) =>
    localCertificates(required(authority), subjects, certificateMs, parts.report);
  // Who connects to an address asks for no name. All others get one without addresses: BoringSSL, which Bun and gRPC
  // check with, knows no constraints on them and rejects what has any.
  const ownEntries = [
    { subject: own, serverNames: [] },
    { subject: { ...own, addresses: [] }, serverNames: shownNames(own.names) },
  ];
  const providers = [...providerSubjects(hosts).values()].map((subject) => ({
    subject,
    serverNames: subject.names,
  }));
  return {
    authority,
    trust: authority !== undefined && tls?.kind === "local" ? trustFolder(dataDir, authority) : undefined,
    certificates:
      tls?.kind === "files" ? certificateFiles(tls, parts.report) : tls && (await local(ownEntries)),
    proxyCertificates: () => local([...ownEntries, ...providers]),
    hosts,
    subdomains: subdomains(own, upstreams),
  };
}

/** Each name, and all that is below it in one. */
function shownNames(names: readonly string[]): string[] {
  return topmost(names).flatMap((name) => [name, `*.${name}`]);
}

function trustFolder(dataDir: string, { certificate }: Authority): string {
  const folder = join(dataDir, "trust");
  writeTrust(folder, certificate, {});
  return folder;
}

function required(authority: Authority | undefined): Authority {
  if (authority === undefined) throw new Error("There is no local authority.");
  return authority;
}
