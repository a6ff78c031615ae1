import { renderAdc } from "../client/adc.ts";
import { type ExportFormat, exportFormats, renderExports } from "../client/exports.ts";
import { runEnvironment } from "../client/run-environment.ts";
import { UnquotableValue } from "../client/shells.ts";
import { Refusal } from "../domain/refusal.ts";
import { tokenPaths } from "../gateway/client-token.ts";
import type { KeyHolder } from "../gateway/directory.ts";
import type { Handlers } from "../gateway/listen.ts";
import { refusalResponse } from "../gateway/refuse.ts";
import type { Upstream } from "../gateway/upstreams.ts";
import type { ChildKeys } from "./child-keys.ts";

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
  /** What a key's holder is told of it. */
  readonly me: (holder: KeyHolder) => Promise<object>;
  /** Gives a token of this provider for a master key. */
  readonly token: (request: Request, provider: string) => Promise<Response>;
  readonly console: (request: Request) => Promise<Response>;
  /** @param address Of the client. */
  readonly admin: (request: Request, address: string | null) => Response | Promise<Response>;
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
    const provider = tokenPaths.get(pathname);
    if (provider !== undefined) return parts.token(request, provider);
    if (pathname.startsWith("/api/")) return parts.admin(request, connection.address);
    if (pathname === "/console" || pathname.startsWith("/console/")) {
      return parts.console(request);
    }
    return plain(404, "There is nothing at this path.\n");
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
  const { publicUrl } = parts;
  const providers = parts.upstreams().map(({ provider }) => provider);
  if (query.get("format") === "run") {
    const headers = { "cache-control": "no-store" };
    return Response.json(runEnvironment({ publicUrl, key, providers }), { headers });
  }
  const format = (query.get("format") ?? "sh") as ExportFormat;
  if (query.get("format") === "adc") return plain(200, renderAdc({ publicUrl, key }));
  if (!exportFormats.includes(format))
    return plain(400, `The format must be one of: ${exportFormats.join(", ")}, adc.\n`);
  const text = renderExports(format, {
    publicUrl,
    key,
    userName: holder.user.name,
    providers,
  });
  return plain(200, text);
}

function plain(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
