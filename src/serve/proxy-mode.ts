import { lookup } from "node:dns/promises";
import type { ProxyAddress } from "../client/proxy-exports.ts";
import type { ProxyConfig } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import { parseKey } from "../domain/key.ts";
import { Refusal } from "../domain/refusal.ts";
import type { RequestRecord } from "../domain/request-record.ts";
import type { KeyHolder } from "../gateway/directory.ts";
import { type Behind, type Handlers, Listener } from "../gateway/listen.ts";
import { type NamedHosts, providerDomains } from "../gateway/named-hosts.ts";
import { proxyToken } from "../gateway/proxy-token.ts";
import { nextId } from "../gateway/request-id.ts";
import type { Upstreams } from "../gateway/upstreams.ts";
import { ForwardProxy, type ProxyParts } from "../proxy/forward-proxy.ts";
import type { Target } from "../proxy/target.ts";
import type { TunnelRule } from "../proxy/tunnel-rule.ts";
import type { Vault } from "../vault/vault.ts";
import type { Certificates } from "./certificates.ts";
import { StartFailure } from "./failure.ts";
import { requireMayCall } from "./may-call.ts";

export interface ProxyModeParts {
  readonly config: ProxyConfig;
  readonly hosts: NamedHosts;
  readonly upstreams: Upstreams;
  readonly certificates: Certificates;
  /** The gateway's own address, which a client may ask its proxy for as well. */
  readonly publicUrl: string;
  /** @throws Refusal */
  readonly identify: (token: string) => KeyHolder;
  readonly log: (row: RequestRecord) => void;
  readonly clock: Clock;
  readonly report: (message: string) => void;
}

/** The forward proxy, and behind it the listener at which calls to providers' own hosts end. */
export class ProxyMode {
  /** Where clients reach it. */
  readonly publicUrl: string;
  private readonly inner: Listener;
  private readonly proxy: ForwardProxy;
  private readonly unfollow: () => void;

  private constructor(publicUrl: string, inner: Listener, proxy: ForwardProxy, unfollow: () => void) {
    this.publicUrl = publicUrl;
    this.inner = inner;
    this.proxy = proxy;
    this.unfollow = unfollow;
  }

  /** @throws StartFailure where its address cannot be opened. */
  static async open(parts: ProxyModeParts): Promise<ProxyMode> {
    const { config, hosts, certificates, report } = parts;
    const behind = new Map<number, Behind>();
    const inner = new Listener({
      host: "127.0.0.1",
      port: 0,
      certificates: certificates.current,
      behind: (port) => behind.get(port),
      report,
    });
    const own = new URL(parts.publicUrl);
    const proxy = await listen(config, {
      endsHere: ({ host, port }: Target) => (hosts.has(host) && port === 443) || isOwn(own, host, port),
      innerPort: () => inner.port,
      announce: (port, { address, host, token }) => {
        behind.set(port, {
          address,
          named: hosts.get(host),
          opener: () => openerOf(token, parts.identify),
          refusal: (named) => refusalOf(host, named),
        });
        return () => behind.delete(port);
      },
      domains: new Set(providerDomains(parts.upstreams)),
      tunnels: tunnelRule(config.tunnels),
      identify: (token, address) => {
        const holder = parts.identify(token);
        requireMayCall(holder, address, parts.clock.now());
        const { key, user, group } = holder;
        return { keyId: key.id, userId: user.id, groupId: group.id };
      },
      resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
      log: parts.log,
      nextId,
      clock: parts.clock,
      report,
    });
    const unfollow = certificates.follow((others) => inner.renew(others));
    return new ProxyMode(config.publicUrl ?? addressOf(config, proxy.port, own), inner, proxy, unfollow);
  }

  start(handlers: Handlers): void {
    this.inner.start(handlers);
  }

  async stop(): Promise<void> {
    this.unfollow();
    await this.proxy.stop();
    await this.inner.stop();
  }
}

async function listen({ host, port }: ProxyConfig, parts: ProxyParts): Promise<ForwardProxy> {
  try {
    return await ForwardProxy.listen(host, port, parts);
  } catch (error) {
    const code = (error as { code?: string }).code ?? "unknown reason";
    const why = code === "EADDRINUSE" ? "is taken by another program" : `cannot be opened (${code})`;
    throw new StartFailure(`${host}:${port} ${why}. Set LMK_PROXY_LISTEN to another address.`);
  }
}

/** A token that is none identifies nobody, and is no reason to refuse what carries a key. */
function openerOf(token: string | undefined, identify: (token: string) => KeyHolder): KeyHolder | undefined {
  try {
    return token === undefined ? undefined : identify(token);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** The request must name the host that the connection was asked for; a port may stand behind it. */
function refusalOf(host: string, named: string | null): Refusal | undefined {
  if (named?.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "") === host) return undefined;
  return new Refusal(
    "host_not_allowed",
    `The request names another host than ${host}, which the proxy was asked for.`,
    { status: 421 },
  );
}

function isOwn(own: URL, host: string, port: number): boolean {
  if (own.protocol !== "https:" || port !== Number(own.port || 443)) return false;
  return host === own.hostname || host.endsWith(`.${own.hostname}`);
}

function tunnelRule(names: readonly string[]): TunnelRule {
  return {
    any: names.includes("*"),
    names: new Set(names.filter((name) => !name.startsWith("*"))),
    suffixes: names.filter((name) => name.startsWith("*.")).map((name) => name.slice(1)),
  };
}

/** What a client writes into `HTTPS_PROXY`, with a token that is good for tunnels and what SDKs ask without a key. */
export function proxyAddress(url: string, key: string, vault: Vault): ProxyAddress {
  const parsed = parseKey(key);
  if (typeof parsed === "string") throw new Error("A key that was identified is none.");
  return { url, token: proxyToken(parsed.id, vault.hashKey(parsed.text), vault) };
}

/** On loopback where it listens, else at the host that the gateway has in public. */
function addressOf({ host }: ProxyConfig, port: number, own: URL): string {
  const isLoopback = host === "localhost" || host === "::1" || host.startsWith("127.");
  const name = isLoopback ? (host.includes(":") ? `[${host}]` : host) : own.hostname;
  return `http://${name}:${port}`;
}
