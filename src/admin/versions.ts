import type { MiddlewareHandler } from "hono";
import { problem } from "./problem.ts";
import type { AdminEnv } from "./resource.ts";

/** What changes by itself, or tells only what a change did, says nothing of what was decided. */
const BESIDE = new Set([
  ...["posted", "reserved", "left", "used", "periodStart", "periodEnd", "cut", "changes", "warnings"],
  ...["webhookSecret", "coolingUntil", "lastError", "rejection", "inFlight", "share"],
]);

const CHANGES = /^(?:PATCH|PUT|DELETE)$/;

/**
 * Gives what has a place of its own an `ETag`, and makes a change with `If-Match` only where nobody else was faster.
 * @param read The same API: what a GET of the same path says now.
 */
export function versions(
  read: (request: Request, env: AdminEnv["Bindings"]) => Response | Promise<Response>,
): MiddlewareHandler<AdminEnv> {
  /**
   * The last change of each kind of thing: one after another, so that between the look and the change nothing comes. What
   * waits for somebody's server keeps nothing else waiting: nobody is cut off later for it.
   */
  const last = new Map<string, Promise<unknown>>();

  return async (c, next) => {
    const change = async () => {
      const wanted = c.req.header("if-match");
      if (wanted !== undefined) {
        const headers = new Headers(c.req.raw.headers);
        for (const name of ["if-match", "content-length", "content-type"]) headers.delete(name);
        const now = await read(new Request(c.req.url, { headers }), c.env);
        const etag = now.headers.get("etag");
        const isMet =
          etag !== null && (wanted.trim() === "*" || wanted.split(",").some((one) => one.trim() === etag));
        if (!isMet) {
          return now.status === 404
            ? problem(412, "There is nothing at this path that If-Match could fit.")
            : problem(412, "It was changed meanwhile: look at it again, and at its ETag.");
        }
      }
      await next();
      await tag(c.res, (etag) => c.header("etag", etag));
      return undefined;
    };
    if (!CHANGES.test(c.req.method)) {
      await next();
      if (c.req.method === "GET") await tag(c.res, (etag) => c.header("etag", etag));
      return undefined;
    }
    // Before its turn: whoever sends slowly keeps nobody else waiting.
    await c.req.arrayBuffer();
    const kind = c.req.path.split("/")[3] ?? "";
    const turn = (last.get(kind) ?? Promise.resolve()).then(change);
    const over = turn
      .catch(() => {})
      .finally(() => {
        if (last.get(kind) === over) last.delete(kind);
      });
    last.set(kind, over);
    return turn;
  };
}

async function tag(response: Response, put: (etag: string) => void): Promise<void> {
  if (response.status !== 200 || !response.headers.get("content-type")?.startsWith("application/json"))
    return;
  const body: unknown = await response.clone().json();
  if (typeof body !== "object" || body === null || "items" in body) return;
  const kept = JSON.stringify(body, (name, value: unknown) => (BESIDE.has(name) ? undefined : value));
  put(`"${new Bun.CryptoHasher("sha256").update(kept).digest("hex").slice(0, 24)}"`);
}
