import type { MiddlewareHandler } from "hono";
import { parseKey } from "../domain/key.ts";
import type { AdminParts } from "./parts.ts";
import { problem } from "./problem.ts";
import type { AdminEnv } from "./resource.ts";

/** How long an answer is kept, milliseconds. */
const KEPT_MS = 86_400_000;
const KEY = /^[\x21-\x7e]{1,200}$/;

/**
 * A POST with an `Idempotency-Key` is done once: whoever sends it again, within a day, gets the first answer, without the
 * secrets in it, which are shown once and kept nowhere.
 */
export function idempotency({
  store,
  clock,
  signInKey,
}: Pick<AdminParts, "store" | "clock" | "signInKey">): MiddlewareHandler<AdminEnv> {
  /** Those that this process is about, by what they are kept under. */
  const underWay = new Map<string, Promise<void>>();
  /** Under a key of ours: what people type could be found out by trying from a hash that everybody can make. */
  const hashOf = (...parts: (string | Uint8Array)[]): string => {
    const hasher = new Bun.CryptoHasher("sha256", signInKey).update("creation\u0000");
    for (const part of parts) hasher.update(part);
    return hasher.digest("hex");
  };

  return async (c, next) => {
    const given = c.req.header("idempotency-key");
    // Whoever signs in, or steps up, has to show each time who they are.
    const showsWho = c.var.caller === null || c.req.path.startsWith("/api/v1/session/");
    if (c.req.method !== "POST" || given === undefined || showsWho) return next();
    if (!KEY.test(given))
      return problem(400, "The Idempotency-Key must be 1 to 200 visible ASCII characters without spaces.");
    const { actor } = c.var.source;
    const { pathname, search } = new URL(c.req.url);
    const key = hashOf(JSON.stringify([actor.kind, actor.id, given]));
    const hash = hashOf(`${pathname}${search}\n`, new Uint8Array(await c.req.arrayBuffer()));

    while (underWay.has(key)) await underWay.get(key);
    const done = Promise.withResolvers<void>();
    underWay.set(key, done.promise);
    try {
      const now = clock.now();
      const known = await store.beginCreation(key, hash, now, now - KEPT_MS);
      if (known !== null) return repeated(known, hash);
      await next();
      // Of a failure nobody knows how far it came: the key is spent.
      if (c.res.status >= 500) return;
      const { status } = c.res;
      const body = c.res.ok ? withoutSecrets(await c.res.clone().text()) : null;
      await store.endCreation(key, body === null ? null : { status, body });
    } finally {
      underWay.delete(key);
      done.resolve();
    }
  };
}

function repeated(
  { requestHash, answer }: { requestHash: string; answer: { status: number; body: string } | null },
  hash: string,
): Response {
  if (requestHash !== hash)
    return problem(422, "This Idempotency-Key was used for another request; use a new one.");
  if (answer === null) {
    return problem(
      409,
      "An earlier request with this Idempotency-Key was interrupted. See whether it did what you asked for, and use a new key.",
    );
  }
  return new Response(answer.body, {
    status: answer.status,
    headers: { "content-type": "application/json", "idempotency-replayed": "true" },
  });
}

/** Fields that are shown once. */
const SECRETS = new Set(["secret", "webhookSecret", "token", "link"]);

function withoutSecrets(text: string): string {
  if (text === "") return text;
  return JSON.stringify(JSON.parse(text), (name, value: unknown) => {
    if (typeof value !== "string") return value;
    // A link with a fragment lets in whoever follows it.
    const isSecret =
      SECRETS.has(name) || /^https?:\/\/[^#]*#/.test(value) || typeof parseKey(value) !== "string";
    return isSecret ? null : value;
  });
}
