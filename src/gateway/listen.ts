import type { Server } from "bun";
import type { Network } from "../domain/network.ts";
import type { Refusal } from "../domain/refusal.ts";
import { clientAddress } from "./client-address.ts";
import { tokenPaths } from "./client-token.ts";
import type { KeyHolder } from "./directory.ts";
import { type Connection, type Gateway, handle } from "./handle.ts";
import type { NamedHost } from "./named-hosts.ts";

/** Idle keep-alive connections: longer than common clients keep theirs, so that they close first. Seconds. */
const KEEP_ALIVE_SECONDS = 75;
/** How long it is until an address is tried again that could not be opened anew. Milliseconds. */
const REOPEN_MS = 500;

/** Paths that are the gateway's own; all others begin with a provider. */
const OWN_PATHS = new RegExp(
  `^/(?:api|claim|console|lmk|healthz|readyz|metrics)(?:[/?]|$)|^(?:${[...tokenPaths.keys()].join("|")})(?:[?]|$)`,
);
/** As far as the longest of them reaches. */
const OWN_PATH_LENGTH = Math.max("/console".length, ...[...tokenPaths.keys()].map((path) => path.length)) + 1;

/** Who answers: providers' paths, and the gateway's own. */
export interface Handlers {
  /** Undefined on a listener that takes no calls for providers. */
  readonly gateway: Gateway | undefined;
  /** Who may say for whom they call: see `client-address.ts`. */
  readonly trustedProxies: readonly Network[];
  readonly own: (request: Request, connection: Pick<Connection, "address">) => Response | Promise<Response>;
  /** Host names that choose a provider, as its path prefix does. */
  readonly subdomains: ReadonlyMap<string, string>;
}

/** A certificate with its key, both PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** The name that a client must ask for to be shown it; of the first one, any. */
  readonly serverName?: string;
}

/** Who is on the other side of a connection that our own proxy opened. */
export interface Behind {
  readonly address: string | null;
  readonly named: NamedHost | undefined;
  /** Whom the proxy knows it by, at this moment. */
  readonly opener: () => KeyHolder | undefined;
  /** What must be refused of a request that names this host. */
  refusal(host: string | null): Refusal | undefined;
}

export interface ListenerSettings {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** None for plain HTTP. */
  readonly certificates?: readonly Certificate[];
  /** For the listener that is behind our own proxy: who opened the connection from this port of ours. */
  readonly behind?: (port: number) => Behind | undefined;
  /** Told what went wrong inside, for operators. */
  readonly report: (message: string) => void;
}

/** The open port. Until it is started every request is told to come again. */
export class Listener {
  /** `http://host:port` or `https://...`, with the port that the system chose where it was asked to. */
  readonly url: string;
  readonly port: number;
  private readonly settings: ListenerSettings;
  private server: Server<undefined> | undefined;
  /** Those that take no new connections, because their certificates were renewed. */
  private readonly leaving = new Set<Server<undefined>>();
  private reopening: ReturnType<typeof setTimeout> | undefined;
  private handlers: Handlers | undefined;
  /** The last `Host` that was one: nearly all requests name the same. An empty one is none. */
  private knownHost: string | undefined;
  /** The provider that it chooses, as a path. */
  private knownPlace = "";

  /** @throws the platform's error where the address cannot be opened (`EADDRINUSE`, `EACCES`, ...). */
  constructor(settings: ListenerSettings) {
    this.settings = settings;
    this.server = this.open(settings.port, settings.certificates);
    this.port = this.server.port ?? settings.port;
    const name = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
    this.url = `${settings.certificates === undefined ? "http" : "https"}://${name}:${this.port}`;
  }

  start(handlers: Handlers): void {
    this.handlers = handlers;
  }

  /**
   * New connections are shown these certificates. The platform has no way to exchange those of a port that is open, so
   * it is closed and opened again at once; connections that are there go on.
   */
  renew(certificates: readonly Certificate[]): void {
    const { server } = this;
    clearTimeout(this.reopening);
    if (server !== undefined) {
      this.leaving.add(server);
      void server.stop(false).then(() => this.leaving.delete(server));
      this.server = undefined;
    }
    try {
      this.server = this.open(this.port, certificates);
    } catch (error) {
      this.settings.report(`listener: ${this.url} cannot be opened again (${(error as Error).message}).`);
      this.reopening = setTimeout(() => this.renew(certificates), REOPEN_MS);
    }
  }

  /** Closes the port and whatever connection is still open. */
  async stop(): Promise<void> {
    clearTimeout(this.reopening);
    const all = [...this.leaving, ...(this.server === undefined ? [] : [this.server])];
    await Promise.all(all.map((server) => server.stop(true)));
  }

  private open(port: number, certificates: readonly Certificate[] | undefined): Server<undefined> {
    const { host, report } = this.settings;
    return Bun.serve({
      hostname: host,
      port,
      ...(certificates === undefined ? {} : { tls: [...certificates] }),
      // The platform's error page shows source code.
      development: false,
      idleTimeout: KEEP_ALIVE_SECONDS,
      // Bodies are bounded where they are read; those that stream have no bound of their own.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: (request, server) => this.answer(request, server),
      error(error) {
        report(`listener: ${error.stack ?? error.message}`);
        return new Response(null, { status: 500 });
      },
    });
  }

  private answer(request: Request, server: Server<undefined>): Response | Promise<Response> {
    if (this.handlers === undefined)
      return new Response(null, { status: 503, headers: { "retry-after": "1" } });
    const url = this.targetOf(request);
    if (url === undefined) return new Response(null, { status: 400, headers: { connection: "close" } });
    if (this.settings.behind !== undefined)
      return this.answerBehind(request, url, server, this.settings.behind);
    return this.pass(request, url, new ServerConnection(request, server, this.handlers));
  }

  /** What came through our own proxy: the host that the client asked the proxy for has decided already. */
  private answerBehind(
    request: Request,
    url: string,
    server: Server<undefined>,
    behind: (port: number) => Behind | undefined,
  ): Response | Promise<Response> {
    const opener = behind(server.requestIP(request)?.port ?? 0);
    // Somebody on this machine has found the port.
    if (opener === undefined || this.handlers === undefined)
      return new Response(null, { status: 421, headers: { connection: "close" } });
    const connection = new ServerConnection(request, server, this.handlers, opener);
    if (opener.named?.tokens === undefined) return this.pass(request, url, connection);
    const start = url.indexOf("/", 8);
    return this.pass(request, url.slice(0, start) + opener.named.tokens + url.slice(start), connection);
  }

  private pass(request: Request, url: string, connection: ServerConnection): Response | Promise<Response> {
    const { gateway, own } = this.handlers as Handlers;
    const { named } = connection;
    if ((named === undefined || named.tokens !== undefined) && connection.refused === undefined) {
      const start = url.indexOf("/", 8);
      if (gateway === undefined || OWN_PATHS.test(url.slice(start, start + OWN_PATH_LENGTH))) {
        return own(url === request.url ? request : new Request(url, request), connection);
      }
    }
    if (gateway === undefined) return new Response(null, { status: 421 });
    // The platform's timer runs from the request's head whatever arrives: ours take over until the answer is out.
    connection.suspendTimeout();
    return handle(request, url, connection, gateway);
  }

  /**
   * The request's URL, parsed for certain: with a `Host` that is none, or without one, the platform hands its target on
   * as it came, dot segments and all.
   */
  private targetOf(request: Request): string | undefined {
    const { url } = request;
    const host = request.headers.get("host");
    if (host === this.knownHost) return within(url, this.knownPlace);
    if (host !== null && !url.startsWith("/") && URL.canParse(`http://${host}`)) {
      this.knownHost = host;
      const provider = this.handlers?.subdomains.get(new URL(`http://${host}`).hostname.replace(/\.$/, ""));
      this.knownPlace = provider === undefined ? "" : `/${provider}`;
      return within(url, this.knownPlace);
    }
    const path = url.startsWith("/") ? url : url.slice(url.indexOf("/", 8));
    return URL.canParse(`http://host${path}`) ? new URL(`http://host${path}`).href : undefined;
  }
}

/** The URL with a path in front of its own. */
function within(url: string, place: string): string {
  if (place === "") return url;
  const start = url.indexOf("/", 8);
  return url.slice(0, start) + place + url.slice(start);
}

/** A request's connection at the platform's server. */
class ServerConnection implements Connection {
  private readonly request: Request;
  private readonly server: Server<undefined>;
  private readonly trusted: readonly Network[];
  private readonly behind: Behind | undefined;
  private listener: (() => void) | undefined;

  constructor(request: Request, server: Server<undefined>, { trustedProxies }: Handlers, behind?: Behind) {
    this.request = request;
    this.server = server;
    this.trusted = trustedProxies;
    this.behind = behind;
  }

  get named(): NamedHost | undefined {
    return this.behind?.named;
  }

  get opener(): KeyHolder | undefined {
    return this.behind?.opener();
  }

  get refused(): Refusal | undefined {
    return this.behind?.refusal(this.request.headers.get("host"));
  }

  whenLeft(listener: () => void): void {
    this.listener = listener;
    this.request.signal.addEventListener("abort", listener);
  }

  suspendTimeout(): void {
    this.server.timeout(this.request, 0);
  }

  release(): void {
    // The platform keeps signals for long, and all that their listeners hold with them.
    if (this.listener !== undefined) this.request.signal.removeEventListener("abort", this.listener);
    this.server.timeout(this.request, KEEP_ALIVE_SECONDS);
  }

  get address(): string | null {
    if (this.behind !== undefined) return this.behind.address;
    const peer = this.server.requestIP(this.request)?.address ?? null;
    return clientAddress(this.request.headers, peer, this.trusted);
  }
}
