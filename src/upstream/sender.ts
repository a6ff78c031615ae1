import type { Abort } from "./abort.ts";
import { Answer } from "./answer.ts";
import type { UpstreamRequest } from "./client.ts";
import { UpstreamFailure } from "./failure.ts";

/** Sends requests to upstreams. */
export interface Sender {
  /**
   * Resolves when the head of the answer is there.
   * @throws TypeError at once, before anybody is called, for a head that cannot be written.
   * @returns a promise that rejects with an UpstreamFailure, or with what the request was aborted with.
   */
  send(request: UpstreamRequest): Promise<Answer>;
}

/** Through a proxy, which the platform's own client speaks to: it adds `user-agent` and `accept` where they are missing. */
export class ProxiedSender implements Sender {
  private readonly proxy: string;

  constructor(proxy: string) {
    this.proxy = proxy;
  }

  send(request: UpstreamRequest): Promise<Answer> {
    const { origin, method, target, body, length, abort } = request;
    const headers = new Headers();
    for (let at = 0; at < request.headers.length; at += 2)
      headers.append(request.headers[at] as string, request.headers[at + 1] as string);
    if (length !== undefined) headers.set("content-length", String(length));
    const init: BunFetchRequestInit & { timeout: false } = {
      method,
      headers,
      body,
      signal: abort.signal,
      redirect: "manual",
      decompress: false,
      timeout: false,
      proxy: this.proxy,
    };
    return fetched(origin + target, init, abort);
  }
}

async function fetched(url: string, init: BunFetchRequestInit, abort: Abort): Promise<Answer> {
  try {
    return Answer.from((await fetch(url, init)) as Response);
  } catch (cause) {
    if (abort.aborted) throw abort.reason;
    const code = (cause as { code?: unknown }).code;
    const known = typeof code === "string" ? code : "ECONNRESET";
    throw new UpstreamFailure(known, "The upstream could not be reached.", !NOT_CONNECTED.has(known), {
      cause,
    });
  }
}

/** Where not a byte can have left: there was no connection that it could have gone through. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  "ConnectionRefused",
  "FailedToOpenSocket",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
