import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP, type Socket } from "node:net";
import type { Clock } from "../domain/clock.ts";
import { Refusal } from "../domain/refusal.ts";
import type { RequestRecord } from "../domain/request-record.ts";
import { firstBytes } from "./first-bytes.ts";
import { proxyToken, refuseConnect, refuseRequest } from "./refuse.ts";
import { type Relayed, relay } from "./relay.ts";
import { readTarget, type Target } from "./target.ts";
import { isWithin, mayTunnel, type TunnelRule } from "./tunnel-rule.ts";
import { openHere, openPublic, type Resolve } from "./upstream.ts";

/** Whose a tunnel is. */
export interface Owner {
  readonly keyId: string;
  readonly userId: string;
  readonly groupId: string;
}

/** Who is behind a connection to the gateway's own listener. */
export interface Announced {
  readonly address: string | null;
  /** What was asked for. */
  readonly host: string;
  /** As it came; not looked at yet. */
  readonly token: string | undefined;
}

export interface ProxyParts {
  /** Whether this ends at the gateway itself. */
  readonly endsHere: (target: Target) => boolean;
  /** The port on loopback where it does; see `Listener`. */
  readonly innerPort: () => number;
  /** Tells the gateway who is behind a connection from this port, until what it returns is called. */
  readonly announce: (port: number, client: Announced) => () => void;
  /** Providers' own, none of which is ever tunnelled to: a key would leave. */
  readonly domains: ReadonlySet<string>;
  readonly tunnels: TunnelRule;
  /** @throws Refusal for a proxy token that is none, or whose policies let it call nothing now, or not from here. */
  readonly identify: (token: string, address: string | null) => Owner;
  readonly resolve: Resolve;
  readonly log: (row: RequestRecord) => void;
  readonly nextId: () => string;
  readonly clock: Clock;
  readonly report: (message: string) => void;
}

/** The port where known hosts are asked for; whatever else a forward proxy has to have, it is one. */
const TLS_PORT = 443;
const MAX_CONNECTIONS = 10_000;
/** Of a request for a tunnel, bytes and milliseconds. */
const MAX_HEAD_BYTES = 16 * 1024;
const HEAD_MS = 10_000;
/** After this long without a byte either way, a tunnel is closed. */
const TUNNEL_IDLE_MS = 5 * 60_000;
/** How often it is looked whether tunnels' keys are still good. */
const CHECK_MS = 5_000;

/**
 * A forward proxy for what reads no base address. `CONNECT` to a provider's host ends at the gateway itself, which is
 * shown its own certificate for that name; all other hosts are refused, or tunnelled where the administrator allows it.
 */
export class ForwardProxy {
  readonly port: number;
  private readonly parts: ProxyParts;
  private readonly server: Server;
  private readonly open = new Set<Socket>();
  private readonly tunnels = new Map<Socket, { readonly token: string; readonly address: string | null }>();
  private readonly check: ReturnType<typeof setInterval>;

  /** Listens at once. @throws the platform's error where the address cannot be opened. */
  static async listen(host: string, port: number, parts: ProxyParts): Promise<ForwardProxy> {
    const server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: HEAD_MS,
      requestTimeout: HEAD_MS,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 1_000,
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    return new ForwardProxy(server, parts);
  }

  private constructor(server: Server, parts: ProxyParts) {
    this.server = server;
    this.parts = parts;
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    server.on("connection", (socket: Socket) => this.count(socket));
    server.on("request", (request: IncomingMessage, response: ServerResponse) =>
      this.refuseForm(request, response),
    );
    server.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.connect(request, socket, head).catch((error: unknown) => {
        parts.report(
          `proxy: ${error instanceof Error ? error.stack : "something that is no error was thrown"}`,
        );
        socket.destroy();
      });
    });
    server.on("clientError", (_: Error, socket: Socket) => socket.destroy());
    this.check = setInterval(() => this.cutRevoked(), CHECK_MS);
    this.check.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.check);
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.open) socket.destroy();
    await closed;
  }

  private count(socket: Socket): void {
    if (this.open.size >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.open.add(socket);
    socket.on("close", () => this.open.delete(socket));
  }

  /** Requests in plain text: what they carry has been seen by the whole way already. */
  private refuseForm(request: IncomingMessage, response: ServerResponse): void {
    const exchange = this.begin(request.socket, request.method ?? "");
    const target = request.url ?? "";
    const isAbsolute = URL.canParse(target);
    if (isAbsolute) exchange.endpoint = new URL(target).host;
    const refusal = isAbsolute
      ? new Refusal(
          "host_not_allowed",
          "This proxy takes CONNECT alone: a request in plain text would show its key on the way. Use https:// addresses.",
        )
      : new Refusal("bad_request", "This is the address of a proxy: name it in HTTPS_PROXY.");
    refuseRequest(response, refusal, exchange.id);
    this.end(exchange, refusal);
  }

  private async connect(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const exchange = this.begin(socket, "CONNECT");
    const refuse = (refusal: Refusal) => {
      refuseConnect(socket, refusal, exchange.id);
      this.end(exchange, refusal);
    };
    const target = readTarget(request.url ?? "");
    if (typeof target === "string") return refuse(new Refusal("bad_request", target));
    exchange.endpoint = `${target.host}:${target.port}`;
    if (this.parts.endsHere(target)) return this.endHere(target, exchange, socket, head, proxyToken(request));
    try {
      const owner = this.ownerOf(target, request, exchange.address);
      exchange.owner = owner;
      const upstream = await openPublic(target, this.parts.resolve);
      if (socket.destroyed) {
        upstream.destroy();
        return this.end(exchange, undefined, 0);
      }
      this.tunnels.set(socket, { token: proxyToken(request) ?? "", address: exchange.address });
      socket.on("close", () => this.tunnels.delete(socket));
      await this.tunnel(target, exchange, socket, head, upstream);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(error);
    }
  }

  /** @throws Refusal where nobody may have this tunnel, or not this client. */
  private ownerOf({ host, port }: Target, request: IncomingMessage, address: string | null): Owner {
    const { tunnels, domains, identify } = this.parts;
    if (isWithin(host, domains)) {
      throw new Refusal(
        "host_not_allowed",
        `${host}:${port} belongs to a provider, but is not an address of its API that goes through here.`,
      );
    }
    if (!mayTunnel(host, tunnels)) {
      throw new Refusal(
        "host_not_allowed",
        `${host} is no provider's host, and this proxy passes on nothing else. An administrator can allow it: LMK_PROXY_TUNNEL.`,
      );
    }
    if (port !== TLS_PORT) {
      throw new Refusal("host_not_allowed", `Port ${port} is not allowed: tunnels lead to port 443 alone.`);
    }
    const token = proxyToken(request);
    if (token === undefined) {
      throw new Refusal(
        "invalid_key",
        "Tunnels want the proxy token that lmk env --proxy puts into HTTPS_PROXY.",
        { status: 407, headers: { "proxy-authenticate": 'Basic realm="LlaMaKey"' } },
      );
    }
    return identify(token, address);
  }

  /** What the client sends next is for the gateway's own listener, which logs each of its requests. */
  private async endHere(
    target: Target,
    exchange: Opening,
    socket: Socket,
    head: Buffer,
    token: string | undefined,
  ): Promise<void> {
    socket.write(ESTABLISHED);
    const hello = await firstBytes(socket, head);
    if (hello === undefined) return;
    const wrong = nameProblem(target, hello.serverName);
    if (wrong !== undefined) return this.endWithAlert(exchange, socket, wrong);
    const upstream = await openHere(this.parts.innerPort());
    const { address } = exchange;
    const forget = this.parts.announce(upstream.localPort ?? 0, { address, host: target.host, token });
    upstream.on("close", forget);
    upstream.write(hello.bytes);
    await relay(socket, upstream, 0);
  }

  private async tunnel(
    target: Target,
    exchange: Opening,
    socket: Socket,
    head: Buffer,
    upstream: Socket,
  ): Promise<void> {
    socket.write(ESTABLISHED);
    const hello = await firstBytes(socket, head);
    const wrong = hello === undefined ? undefined : nameProblem(target, hello.serverName);
    if (hello === undefined || wrong !== undefined) {
      upstream.destroy();
      if (wrong !== undefined) return this.endWithAlert(exchange, socket, wrong);
      return this.end(exchange, undefined, 200);
    }
    upstream.write(hello.bytes);
    const relayed = await relay(socket, upstream, TUNNEL_IDLE_MS);
    const bytesIn = relayed.bytesIn + hello.bytes.length;
    this.end(exchange, undefined, 200, { ...relayed, bytesIn });
  }

  /** The tunnel is there already, so that only TLS can say no. */
  private endWithAlert(exchange: Opening, socket: Socket, why: string): void {
    socket.end(UNRECOGNIZED_NAME);
    this.end(exchange, new Refusal("host_not_allowed", why));
  }

  private begin(socket: Socket, method: string): Opening {
    const { clock, nextId } = this.parts;
    const address = plainAddress(socket.remoteAddress);
    return {
      id: nextId(),
      method,
      address,
      at: clock.now(),
      started: performance.now(),
      endpoint: "",
      owner: undefined,
    };
  }

  private end(exchange: Opening, refusal: Refusal | undefined, status = 0, relayed?: Relayed): void {
    this.parts.log({
      ...NOTHING,
      id: exchange.id,
      at: exchange.at,
      keyId: exchange.owner?.keyId ?? null,
      userId: exchange.owner?.userId ?? null,
      groupId: exchange.owner?.groupId ?? null,
      method: exchange.method,
      endpoint: exchange.endpoint,
      status: refusal?.status ?? status,
      refusal: refusal?.code ?? null,
      ending: refusal === undefined ? (relayed?.ending ?? "client_closed") : "refused",
      durationMs: performance.now() - exchange.started,
      bytesIn: relayed?.bytesIn ?? 0,
      bytesOut: relayed?.bytesOut ?? 0,
      address: exchange.address,
    });
  }

  private cutRevoked(): void {
    for (const [socket, { token, address }] of this.tunnels) {
      try {
        this.parts.identify(token, address);
      } catch {
        socket.destroy();
      }
    }
  }
}

/** A request for a connection, from its arrival on. */
interface Opening {
  readonly id: string;
  readonly method: string;
  readonly address: string | null;
  readonly at: number;
  readonly started: number;
  endpoint: string;
  owner: Owner | undefined;
}

const ESTABLISHED = "HTTP/1.1 200 Connection Established\r\n\r\n";
/** A fatal alert of TLS 1.2, which every version understands. */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

/** What a row of the log has that does not come from a provider. */
const NOTHING = {
  provider: null,
  model: null,
  shadowRefusal: null,
  sentMs: null,
  firstByteMs: null,
  upstreamRequestId: null,
  metered: null,
};

/** Undefined where the TLS client asks for the very host that it asked the proxy for. */
function nameProblem({ host }: Target, serverName: string | undefined): string | undefined {
  if (serverName?.replace(/\.$/, "") === host) return undefined;
  return `The TLS handshake is for another host than ${host}.`;
}

function plainAddress(address: string | undefined): string | null {
  if (address === undefined) return null;
  const mapped = address.replace(/^::ffff:/i, "");
  return isIP(mapped) === 4 ? mapped : address;
}
