import type { Server } from "bun";
import type { Network } from "../domain/network.ts";
import { clientAddress } from "./client-address.ts";
import { tokenPaths } from "./client-token.ts";
import { type Connection, type Gateway, handle } from "./handle.ts";

/** Idle keep-alive connections: longer than common clients keep theirs, so that they close first. Seconds. */
const KEEP_ALIVE_SECONDS = 75;

/** Paths that are the gateway's own; all others begin with a provider. */
const OWN_PATHS = new RegExp(
  `^/(?:api|console|lmk|healthz|readyz|metrics)(?:[/?]|$)|^(?:${[...tokenPaths.keys()].join("|")})(?:[?]|$)`,
);
/** As far as the longest of them reaches. */
const OWN_PATH_LENGTH = Math.max("/console".length, ...[...tokenPaths.keys()].map((path) => path.length)) + 1;

/** Who answers: providers' paths, and the gateway's own. */
export interface Handlers {
  readonly gateway: Gateway;
  readonly own: (request: Request, connection: Pick<Connection, "address">) => Response | Promise<Response>;
}

/** The open port. Until it is started every request is told to come again. */
export class Listener {
  /** `http://host:port`, with the port that the system chose where it was asked to. */
  readonly url: string;
  private readonly server: Server<undefined>;
  private handlers: Handlers | undefined;
  /** The last `Host` that was one: nearly all requests name the same. */
  private knownHost = "";

  /**
   * @param report Told what went wrong inside, for operators.
   * @throws the platform's error where the address cannot be opened (`EADDRINUSE`, `EACCES`, ...).
   */
  constructor(host: string, port: number, report: (message: string) => void) {
    this.server = Bun.serve({
      hostname: host,
      port,
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
    const name = host.includes(":") ? `[${host}]` : host;
    this.url = `http://${name}:${this.server.port}`;
  }

  start(handlers: Handlers): void {
    this.handlers = handlers;
  }

  /** Closes the port and whatever connection is still open. */
  async stop(): Promise<void> {
    await this.server.stop(true);
  }

  private answer(request: Request, server: Server<undefined>): Response | Promise<Response> {
    if (this.handlers === undefined)
      return new Response(null, { status: 503, headers: { "retry-after": "1" } });
    const url = this.targetOf(request);
    if (url === undefined) return new Response(null, { status: 400, headers: { connection: "close" } });
    const { gateway } = this.handlers;
    const connection = new ServerConnection(request, server, gateway.trustedProxies);
    const start = url.indexOf("/", 8);
    if (OWN_PATHS.test(url.slice(start, start + OWN_PATH_LENGTH))) {
      return this.handlers.own(url === request.url ? request : new Request(url, request), connection);
    }
    // The platform's timer runs from the request's head whatever arrives: ours take over until the answer is out.
    server.timeout(request, 0);
    return handle(request, url, connection, gateway);
  }

  /**
   * The request's URL, parsed for certain: with a `Host` that is none, or without one, the platform hands its target on
   * as it came, dot segments and all.
   */
  private targetOf(request: Request): string | undefined {
    const { url } = request;
    const host = request.headers.get("host");
    if (host === this.knownHost) return url;
    if (host !== null && !url.startsWith("/") && URL.canParse(`http://${host}`)) {
      this.knownHost = host;
      return url;
    }
    const path = url.startsWith("/") ? url : url.slice(url.indexOf("/", 8));
    return URL.canParse(`http://host${path}`) ? new URL(`http://host${path}`).href : undefined;
  }
}

/** A request's connection at the platform's server. */
class ServerConnection implements Connection {
  private readonly request: Request;
  private readonly server: Server<undefined>;
  private readonly trusted: readonly Network[];
  private listener: (() => void) | undefined;

  constructor(request: Request, server: Server<undefined>, trusted: readonly Network[]) {
    this.request = request;
    this.server = server;
    this.trusted = trusted;
  }

  whenLeft(listener: () => void): void {
    this.listener = listener;
    this.request.signal.addEventListener("abort", listener);
  }

  release(): void {
    // The platform keeps signals for long, and all that their listeners hold with them.
    if (this.listener !== undefined) this.request.signal.removeEventListener("abort", this.listener);
    this.server.timeout(this.request, KEEP_ALIVE_SECONDS);
  }

  get address(): string | null {
    const peer = this.server.requestIP(this.request)?.address ?? null;
    return clientAddress(this.request.headers, peer, this.trusted);
  }
}
