/** Storage that takes an object from whoever has a signed link to it, as S3 does. */
import { type Call, shown } from "./aimock.ts";
import { note, serveRecorded } from "./record.ts";

export interface ObjectStore {
  readonly url: string;
  /** By path. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly calls: readonly Call[];
  stop(): Promise<void>;
}

export async function startObjectStore(): Promise<ObjectStore> {
  const objects = new Map<string, Uint8Array>();
  const calls: Call[] = [];
  const server = await serveRecorded({
    async fetch(request) {
      const { pathname, search, searchParams } = new URL(request.url);
      const bytes = await request.bytes();
      calls.push({
        method: request.method,
        path: pathname + search,
        headers: Object.fromEntries(request.headers),
        body: shown(bytes),
      });
      if (request.method !== "PUT" || searchParams.get("signature") !== "signed") {
        return new Response("AccessDenied", { status: 403 });
      }
      objects.set(pathname, bytes);
      return new Response("");
    },
  });
  note({ what: "address", owner: "storage", origin: server.origin, path: "" });
  return { url: server.origin, objects, calls, stop: server.stop };
}
