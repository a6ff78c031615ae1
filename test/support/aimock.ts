/**
 * A stand-in provider: aimock's server, with what it lacks beside it on the same port.
 *
 * It refuses every credential but the one real key that it was given. So whatever a client gets an answer to was
 * sent with that key, and with no other credential in any position.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Fixture, type ServerInstance } from "@copilotkit/aimock";
import { fixtures } from "./fixtures.ts";
import { type Recorded, recorded } from "./record.ts";

/** An endpoint that aimock lacks. */
export interface Endpoint {
  method: string;
  path: RegExp;
  answer(request: Request, match: RegExpExecArray): Response | Promise<Response>;
}

/** Given the stand-in where they need its address. */
export type Endpoints = readonly Endpoint[] | ((mock: AiMock) => readonly Endpoint[]);

/** A request as the provider received it. */
export interface Call {
  method: string;
  /** With its query. */
  path: string;
  headers: Record<string, string>;
  /** As text, once it is there; what is cut off of a long one ends in a master key if it held one. */
  body: string;
}

const SHOWN = 16 * 1024;

/** A body as a call shows it. */
export function shown(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  return text.length <= SHOWN ? text : text.slice(0, SHOWN) + (text.includes("lmk_") ? " ... lmk_" : "");
}

/** Sent by an endpoint that lets aimock itself answer; not a request that the provider received. */
export const INNER = "x-standin-inner";

export interface AiMockOptions {
  /** The only credential that it takes. */
  key: string;
  endpoints: Endpoints;
  /** The name of the answer header that carries the provider's id of a request. */
  requestIdHeader: string;
  /** What its models say beside the fixtures, and before them. */
  says?: readonly Fixture[];
  /** Paths that aimock knows by another name. */
  aliases?: readonly (readonly [path: RegExp, name: string])[];
}

export class AiMock {
  /** All requests since it was made, refused ones too. */
  readonly calls: Call[] = [];
  private port = 0;
  private server: ServerInstance | undefined;
  private front: Recorded | undefined;
  private readonly options: AiMockOptions;
  private readonly endpoints: readonly Endpoint[];

  constructor(options: AiMockOptions) {
    this.options = options;
    const { endpoints } = options;
    this.endpoints = typeof endpoints === "function" ? endpoints(this) : endpoints;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Where its own endpoints find aimock itself: what they ask there is no request that the provider received. */
  get within(): string {
    return this.server?.url ?? "";
  }

  /** Starts it, on the port that it had before if it ran already. */
  async start(): Promise<void> {
    this.server = await createServer(
      [...(this.options.says ?? []), ...fixtures],
      { port: 0, host: "127.0.0.1", auth: { apiKeys: [this.options.key] } },
      // The empty path is in front of all others.
      [{ path: "", handler: { handleRequest: (request, response) => this.handle(request, response) } }],
    );
    this.server.server.prependListener("request", (request: IncomingMessage) => {
      const { method = "", url = "", headers } = request;
      for (const [path, name] of this.options.aliases ?? []) request.url = request.url?.replace(path, name);
      if (headers[INNER] !== undefined) return;
      const call = { method, path: url, headers: { ...headers } as Record<string, string>, body: "" };
      this.calls.push(call);
      onceRead(request, (body) => (call.body = shown(body)));
    });
    this.front = await recorded(Number(new URL(this.server.url).port), this.port);
    this.port = this.front.port;
  }

  /** From now on nobody listens on its port. */
  async stop(): Promise<void> {
    await this.front?.stop();
    const server = this.server?.server;
    this.server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  private async handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<boolean> {
    outgoing.setHeader(this.options.requestIdHeader, `req_standin_${this.calls.length}`);
    const { method = "GET", url = "/" } = incoming;
    const { pathname } = new URL(url, this.url);
    for (const endpoint of this.endpoints) {
      const match = method === endpoint.method ? endpoint.path.exec(pathname) : null;
      if (match === null) continue;
      await send(await endpoint.answer(await toRequest(incoming, this.url), match), outgoing);
      return true;
    }
    return false;
  }
}

/** Tells what was read from the request, without reading it. */
function onceRead(request: IncomingMessage, tell: (body: Uint8Array) => void): void {
  const chunks: Buffer[] = [];
  const push = request.push.bind(request);
  request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null) tell(Buffer.concat(chunks));
    else chunks.push(Buffer.from(chunk));
    return push(chunk, encoding);
  };
}

async function toRequest(incoming: IncomingMessage, base: string): Promise<Request> {
  const { method = "GET", url = "/", headers } = incoming;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return new Request(base + url, {
    method,
    headers: headers as Record<string, string>,
    ...(method === "GET" || method === "HEAD" ? {} : { body: Buffer.concat(chunks) }),
  });
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}
