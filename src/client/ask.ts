import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type Socket } from "node:net";
import { connect } from "node:tls";

/** One request. */
export interface Question {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** The proxy that it goes through, with its login; undefined for none, whatever the environment says. */
  readonly proxy?: string | undefined;
  /** What is trusted instead of the platform's own, PEM; undefined for that. */
  readonly ca?: string | undefined;
  /** For all of it, the last byte of the answer included. */
  readonly timeoutMs: number;
}

/**
 * Asks, and reads the whole answer. The same on Bun and on Node, whose `fetch` knows neither proxies nor certificates.
 * A redirect is never followed: what is asked with holds a key.
 * @throws the platform's error where there is no answer; a `TimeoutError` after that time.
 */
export async function ask(question: Question): Promise<Response> {
  const signal = AbortSignal.timeout(question.timeoutMs);
  try {
    const options = await optionsFor(question, signal);
    const isSecure = question.url.startsWith("https:");
    const request = isSecure ? httpsRequest(options) : httpRequest(options);
    const answer = await settled<IncomingMessage>(request, "response", question.body);
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece);
    return responseOf(answer, Buffer.concat(pieces));
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

async function optionsFor(question: Question, signal: AbortSignal): Promise<RequestOptions> {
  const { method = "GET", body, proxy, ca } = question;
  const url = new URL(question.url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const headers = {
    host: url.host,
    ...question.headers,
    ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  };
  const path = url.pathname + url.search;
  const common = { method, headers, path, signal };
  const trust = ca === undefined ? {} : { ca };
  if (proxy === undefined) return { ...common, ...addressOf(url), ...trust, agent: false };
  const through = proxyOptions(new URL(proxy));
  if (url.protocol === "http:")
    return { ...common, ...through, path: url.href, headers: { ...through.headers, ...headers } };
  const socket = await tunnel(through, `${url.hostname}:${url.port || 443}`, proxy, signal);
  // An address has no name to be told; the certificate is looked at for `host`.
  const servername = isIP(host) === 0 ? host : "";
  // No agent: it would open connections of its own.
  return { ...common, host, createConnection: () => connect({ socket, host, servername, ...trust }) };
}

function addressOf({ hostname, port, protocol }: URL): RequestOptions {
  const host = hostname.replace(/^\[|\]$/g, "");
  return { host, port: port || (protocol === "https:" ? 443 : 80) };
}

function proxyOptions(proxy: URL): RequestOptions {
  if (!/^https?:$/.test(proxy.protocol))
    throw new Error(`a proxy of the kind ${proxy.protocol}// is not known here`);
  const login = [proxy.username, proxy.password].map(decodeURIComponent).join(":");
  const authorization = `Basic ${Buffer.from(login).toString("base64")}`;
  const headers = login === ":" ? {} : { "proxy-authorization": authorization };
  return { ...addressOf(proxy), headers, agent: false };
}

/** A connection through the proxy to there. */
function tunnel(
  through: RequestOptions,
  target: string,
  proxy: string,
  signal: AbortSignal,
): Promise<Socket> {
  const options = { ...through, method: "CONNECT", path: target, signal };
  const headers = { ...through.headers, host: target };
  const request = (proxy.startsWith("https:") ? httpsRequest : httpRequest)({ ...options, headers });
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("connect", ({ statusCode = 0 }, socket: Socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy answers with status ${statusCode}`));
    });
    request.end();
  });
}

/** Sends a request; the first of this event. */
function settled<T>(request: ClientRequest, event: string, body: string | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on(event, resolve);
    request.end(body);
  });
}

function responseOf({ statusCode = 0, rawHeaders }: IncomingMessage, body: Buffer): Response {
  const headers = new Headers();
  for (let n = 0; n + 1 < rawHeaders.length; n += 2)
    headers.append(rawHeaders[n] ?? "", rawHeaders[n + 1] ?? "");
  const isEmpty = statusCode === 204 || statusCode === 205 || statusCode === 304;
  return new Response(isEmpty ? null : body.toString("utf8"), { status: statusCode, headers });
}

/** The proxy that programs take for an address, by the variables that most of them read; undefined for none. */
export function proxyFor(
  address: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly variable: string; readonly url: string } | undefined {
  const { protocol, hostname } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, "");
  const direct = (environment["NO_PROXY"] || environment["no_proxy"] || "").split(",");
  const isDirect = direct
    .map((one) => one.trim().replace(/^\./, "").replace(/:\d+$/, ""))
    .some((one) => one !== "" && (one === "*" || host === one || host.endsWith(`.${one}`)));
  if (isDirect) return undefined;
  const names = protocol === "https:" ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  for (const variable of [...names, "ALL_PROXY", "all_proxy"]) {
    const url = environment[variable];
    if (url) return { variable, url: /^\w+:\/\//.test(url) ? url : `http://${url}` };
  }
  return undefined;
}
