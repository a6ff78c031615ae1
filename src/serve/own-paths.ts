import { renderAdc } from "../client/adc.ts";
import { type ExportFormat, exportFormats, renderExports } from "../client/exports.ts";
import type { ProxyAddress } from "../client/proxy-exports.ts";
import { runEnvironment } from "../client/run-environment.ts";
import { UnquotableValue } from "../client/shells.ts";
import { Refusal } from "../domain/refusal.ts";
import { tokenPaths } from "../gateway/client-token.ts";
import type { KeyHolder } from "../gateway/directory.ts";
import type { Handlers } from "../gateway/listen.ts";
import { refusalResponse } from "../gateway/refuse.ts";
import type { Upstream } from "../gateway/upstreams.ts";
import type { adminPaths } from "./admin-paths.ts";
import type { ChildKeys } from "./child-keys.ts";
import type { Claims } from "./claims.ts";

export interface OwnPaths {
  /** @throws Refusal for a request without a valid master key. */
  readonly identify: (headers: Headers, query: string) => Caller;
  /** True where the next request could be taken and recorded. */
  readonly isReady: () => boolean;
  /** Those that requests can be sent to. */
  readonly upstreams: () => Upstream[];
  readonly publicUrl: string;
  /** Keys that a key's holder makes. @throws Refusal */
  readonly childKeys: Pick<ChildKeys, "answer">;
  /** The certificate that clients have to trust, PEM; undefined where the gateway needs none of its own. */
  readonly authority: () => string | undefined;
  /** What clients need to use the gateway as a proxy; undefined where it is none. */
  readonly proxy: ((key: string) => ProxyAddress) | undefined;
  /** What a claim link opens. */
  readonly claims: Pick<Claims, "answer">;
  /** What a key's holder is told of it. */
  readonly me: (holder: KeyHolder) => Promise<object>;
  /** Gives a token of this provider for a master key. */
  readonly token: (request: Request, provider: string) => Promise<Response>;
  /** The client as an npm package. */
  readonly client: () => Promise<Uint8Array<ArrayBuffer>>;
  /** Undefined where the console and the admin API have a listener of their own. */
  readonly admin: ReturnType<typeof adminPaths> | undefined;
}

/** Who asks, and with which key. */
export interface Caller {
  readonly holder: KeyHolder;
  /** The master key, without alias. */
  readonly key: string;
}

/** Answers the paths that are the gateway's own, none of which reaches a provider. */
export function ownPaths(parts: OwnPaths): Handlers["own"] {
  return (request, connection) => {
    const { pathname, search, searchParams } = new URL(request.url);
    if (pathname === "/healthz") return plain(200, "ok\n");
    if (pathname === "/readyz") return parts.isReady() ? plain(200, "ready\n") : plain(503, "not ready\n");
    if (pathname === "/lmk/env")
      return withCaller(parts, request, search, (caller) => env(parts, caller, searchParams));
    if (pathname === "/lmk/ca.pem") return authority(parts);
    if (pathname === "/lmk/cli.tgz") return client(parts);
    if (pathname === "/lmk/me")
      return withCaller(parts, request, search, async ({ holder }) =>
        Response.json(await parts.me(holder), { headers: { "cache-control": "no-store" } }),
      );
    const { address } = connection;
    const ofKeys = /^\/lmk\/keys(?:\/([^/]*))?$/.exec(pathname);
    if (ofKeys !== null)
      return withCaller(parts, request, search, (caller) =>
        parts.childKeys.answer(request, ofKeys[1] ?? "", { ...caller, address }),
      );
    if (pathname === "/claim" || pathname.startsWith("/claim/"))
      return parts.claims.answer(request, pathname.slice("/claim".length), address);
    const provider = tokenPaths.get(pathname);
    if (provider !== undefined) return parts.token(request, provider);
    return parts.admin?.(request, pathname, address) ?? plain(404, "There is nothing at this path.\n");
  };
}

async function withCaller(
  parts: OwnPaths,
  request: Request,
  query: string,
  answer: (caller: Caller) => Response | Promise<Response>,
): Promise<Response> {
  try {
    return await answer(parts.identify(request.headers, query));
  } catch (error) {
    if (error instanceof UnquotableValue) return plain(400, `${error.message}\n`);
    if (!(error instanceof Refusal)) throw error;
    return refusalResponse(error, undefined, "lmk", request.method);
  }
}

/** The caller's own key comes back in the caller's own exports. */
function env(parts: OwnPaths, { holder, key }: Caller, query: URLSearchParams): Response {
  const { publicUrl, proxy } = parts;
  const providers = parts.upstreams().map(({ provider }) => provider);
  const format = query.get("format") ?? "sh";
  const trust = query.get("trust");
  // What is run alone gets all that there is.
  const asked = query.get("proxy");
  const isProxy =
    asked !== "no" && (asked !== null || (format === "run" && trust !== null && proxy !== undefined));
  if (isProxy && (proxy === undefined || trust === null)) return plain(404, noProxy(parts));
  const settings = {
    publicUrl,
    key,
    providers,
    ...(trust === null ? {} : { trust }),
    ...(isProxy && proxy !== undefined
      ? { proxy: { ...proxy(key), direct: query.get("direct") ?? "" } }
      : {}),
  };
  if (format === "run") {
    return Response.json(runEnvironment(settings), { headers: { "cache-control": "no-store" } });
  }
  if (format === "adc") return plain(200, renderAdc({ publicUrl, key }));
  if (!exportFormats.includes(format as ExportFormat))
    return plain(400, `The format must be one of: ${exportFormats.join(", ")}, adc.\n`);
  return plain(200, renderExports(format as ExportFormat, { ...settings, userName: holder.user.name }));
}

function noProxy({ proxy }: OwnPaths): string {
  return proxy === undefined
    ? "This gateway is no proxy: its administrator has not set LMK_PROXY_LISTEN.\n"
    : "Proxy mode needs the folder that holds this gateway's certificate, as trust=<folder>.\n";
}

/** Open to anybody: it is what a client needs before it can send its key. */
function authority({ authority }: OwnPaths): Response {
  const certificate = authority();
  if (certificate === undefined)
    return plain(404, "This gateway has no certificate authority of its own: nothing is to be trusted.\n");
  const headers = { "content-type": "application/x-pem-file", "cache-control": "no-store" };
  return new Response(certificate, { headers });
}

/** Open to all, as nobody has a key yet where npm asks; asked for again whenever it is used, as a gateway may be newer. */
async function client(parts: OwnPaths): Promise<Response> {
  return new Response(await parts.client(), {
    headers: { "content-type": "application/gzip", "cache-control": "no-cache" },
  });
}

function plain(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      // What the query says comes back in exports: it is text, whatever it looks like.
      "x-content-type-options": "nosniff",
    },
  });
}
