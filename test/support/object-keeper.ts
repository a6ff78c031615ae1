/** A provider that keeps objects in the one account that all its callers share. */
import { serveRecorded } from "./record.ts";

/** How one collection answers. */
export interface KeptCollection {
  /** The path, without a trailing slash. */
  readonly path: string;
  /** What ids begin with. */
  readonly prefix: string;
  /** The object's answer, made of its id. */
  readonly shape: (id: string, body: Record<string, unknown>) => Record<string, unknown>;
  /** A page of these objects. */
  readonly page: (objects: readonly Record<string, unknown>[], query: URLSearchParams) => unknown;
  /** The object's id in its answer, where that is not `id`. */
  readonly idOf?: (object: Record<string, unknown>) => string;
}

export interface Keeper {
  readonly origin: string;
  /** Made so far, by path of their collection, newest first. */
  readonly kept: Map<string, Record<string, unknown>[]>;
  /** Requests so far: `GET /v1/files`. */
  readonly asked: string[];
  /** Makes one behind the gateway's back. */
  put(path: string, body?: Record<string, unknown>): Record<string, unknown>;
}

/** OpenAI's cursor pages, newest first. */
export function openaiPage(objects: readonly Record<string, unknown>[], query: URLSearchParams): unknown {
  const after = query.get("after");
  const from = after === null ? 0 : objects.findIndex(({ id }) => id === after) + 1;
  const limit = Number(query.get("limit") ?? 20);
  const data = objects.slice(from, from + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.["id"] ?? null,
    last_id: data.at(-1)?.["id"] ?? null,
    has_more: from + limit < objects.length,
  };
}

export async function startKeeper(
  collections: readonly KeptCollection[],
  /** Asked first. */
  special: (request: Request, url: URL, body: string) => Response | undefined = () => undefined,
): Promise<Keeper> {
  const kept = new Map<string, Record<string, unknown>[]>(collections.map(({ path }) => [path, []]));
  const asked: string[] = [];
  let made = 0;
  const put = (path: string, body: Record<string, unknown> = {}) => {
    const collection = collections.find((one) => one.path === path);
    if (collection === undefined) throw new Error(`no collection at ${path}`);
    made++;
    const object = collection.shape(`${collection.prefix}Fake${made}`, body);
    kept.get(path)?.unshift(object);
    return object;
  };
  const server = await serveRecorded({
    async fetch(request) {
      const url = new URL(request.url);
      const body = await request.text();
      asked.push(`${request.method} ${url.pathname}`);
      const own = special(request, url, body);
      if (own !== undefined) return own;
      for (const collection of collections) {
        const { path, page, idOf = ({ id }) => String(id) } = collection;
        const objects = kept.get(path) ?? [];
        if (url.pathname === path) {
          if (request.method === "POST") return Response.json(put(path, jsonOf(body)));
          return Response.json(page(objects, url.searchParams));
        }
        if (!url.pathname.startsWith(`${path}/`)) continue;
        const [id = "", ...rest] = url.pathname.slice(path.length + 1).split("/");
        const at = objects.findIndex((object) => idOf(object) === id);
        if (at === -1) break;
        if (request.method === "DELETE" && rest.length === 0) {
          objects.splice(at, 1);
          return Response.json({ id, deleted: true });
        }
        if (rest.length > 0) return Response.json({ of: id, path: rest.join("/") });
        return Response.json(objects[at]);
      }
      return Response.json({ error: { message: "not here" } }, { status: 404 });
    },
  });
  return { origin: server.origin, kept, asked, put };
}

function jsonOf(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return {};
  }
}
