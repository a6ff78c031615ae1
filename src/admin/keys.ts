import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { MasterKey } from "../domain/directory.ts";
import { createKey } from "../domain/key.ts";
import type { KeyFilter } from "../domain/store.ts";
import { getByRef } from "./groups.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { isOwn, requireStepUp } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import {
  json,
  jsonBody,
  lifetimeChange,
  lifetimeFields,
  lifetimeShape,
  lifetimeView,
  listOf,
  Name,
  newLifetime,
  Ref,
  Reference,
  rfc3339,
  Time,
} from "./schemas.ts";

const KeyView = z
  .object({
    id: z.string(),
    name: z.string(),
    user: Reference,
    group: Reference,
    parent: Reference.nullable().describe("Of a child key: the key that it was made with, and ends with."),
    ...lifetimeShape,
    previousSecretExpiresAt: Time.nullable(),
  })
  .openapi("Key");
const NewKey = z.object({
  key: KeyView,
  secret: z.string().describe("The master key; it is shown this once."),
});
const KeyInput = z.object({ user: z.string(), name: Name.optional(), expiresAt: Time.optional() });
const KeyChange = z.object(lifetimeChange);
const Rotation = z.object({ overlapSeconds: z.number().int().min(0).max(31_536_000) });

const list = createRoute({
  ...needs("keys.read"),
  method: "get",
  path: "/keys",
  request: {
    query: z.object({
      user: z.string().optional(),
      group: z.string().optional(),
      parent: z.string().optional().describe("Only keys that were made with this one."),
      children: z
        .enum(["alive", "all", "none"])
        .default("alive")
        .describe("Which of the keys that users made with their own for a while."),
    }),
  },
  responses: { 200: json(listOf(KeyView), "Keys, oldest first; of one user or group where asked") },
});
const add = createRoute({
  ...needs("keys.write"),
  method: "post",
  path: "/keys",
  request: { body: jsonBody(KeyInput) },
  responses: { 201: json(NewKey, "The new key") },
});
const show = createRoute({
  ...needs("keys.read"),
  method: "get",
  path: "/keys/{ref}",
  request: { params: Ref },
  responses: { 200: json(KeyView, "The key with this id") },
});
const change = createRoute({
  ...needs("keys.write"),
  method: "patch",
  path: "/keys/{ref}",
  request: { params: Ref, body: jsonBody(KeyChange) },
  responses: {
    200: json(KeyView.extend({ cut: z.number() }), "The key, and how many open streams were cut"),
  },
});
const rotate = createRoute({
  ...needs("keys.write"),
  method: "post",
  path: "/keys/{ref}/rotate",
  request: { params: Ref, body: jsonBody(Rotation) },
  responses: { 200: json(NewKey, "The same key with a new secret; the old one lives for the overlap") },
});

export function keys({ store, clock, keyHasher, directoryChanged, cutKeys }: AdminParts): AdminApp {
  const app = resource();

  /** All keys with the names of whom they belong to. */
  const views = async (filter: KeyFilter = {}) => {
    const [groups, users, all] = await Promise.all([
      store.listGroups(),
      store.listUsers(),
      store.listKeys(filter),
    ]);
    const now = clock.now();
    const nameById = new Map(all.map(({ id, name }) => [id, name]));
    return all.map((key) => {
      const user = users.find((u) => u.id === key.userId);
      const group = groups.find((g) => g.id === user?.groupId);
      const previous = key.secrets[1]?.expiresAt ?? null;
      return {
        id: key.id,
        name: key.name,
        user: { id: key.userId, name: user?.name ?? "" },
        group: { id: group?.id ?? "", name: group?.name ?? "" },
        parent: key.parent
          ? { id: key.parent.keyId, name: nameById.get(key.parent.keyId) ?? key.parent.keyId }
          : null,
        ...lifetimeView(key, now),
        previousSecretExpiresAt: rfc3339(previous !== null && previous > now ? previous : null),
      };
    });
  };
  const find = async (ref: string) => {
    const found = (await views()).find((key) => key.id === ref);
    if (found === undefined) throw notFound("key", ref);
    return found;
  };

  app.openapi(list, async (c) => {
    const { user, group, parent, children } = c.req.valid("query");
    const matches = (thing: { id: string; name: string }, ref: string | undefined) =>
      ref === undefined || thing.id === ref || thing.name === ref;
    const all = await views(CHILDREN[children](clock.now()));
    const items = all.filter(
      (key) =>
        matches(key.user, user) &&
        matches(key.group, group) &&
        (parent === undefined || key.parent?.id === parent),
    );
    return c.json({ items }, 200);
  });
  app.openapi(show, async (c) => c.json(await find(c.req.valid("param").ref), 200));
  app.openapi(add, async (c) => {
    const { user, name, expiresAt } = c.req.valid("json");
    const owner = getByRef("user", await store.listUsers(), user);
    if (!isOwn(c, owner.id)) requireStepUp(c.var);
    const created = createKey();
    const now = clock.now();
    const key: MasterKey = {
      id: created.id,
      name: name ?? "key",
      userId: owner.id,
      ...newLifetime(expiresAt, now),
      secrets: [{ version: 1, hash: keyHasher.hashKey(created.text), createdAt: now, expiresAt: null }],
    };
    await store.audited(c.var.source, "addKey", key);
    await directoryChanged();
    return c.json({ key: await find(key.id), secret: created.text }, 201);
  });
  app.openapi(change, async (c) => {
    const input = c.req.valid("json");
    const found = await find(c.req.valid("param").ref);
    if (found.parent !== null) requireNoMore(input, found.expiresAt);
    const { id } = found;
    await store.audited(c.var.source, "updateKey", id, lifetimeFields(input, clock.now()));
    await directoryChanged();
    const cut = input.revoked && input.now ? cutKeys(new Set([id])) : 0;
    return c.json({ ...(await find(id)), cut }, 200);
  });
  app.openapi(rotate, async (c) => {
    const { id, user, parent } = await find(c.req.valid("param").ref);
    if (parent !== null) {
      throw new HTTPException(422, {
        message: `A child key is not rotated: it ends soon, or with the key ${parent.id}.`,
      });
    }
    if (!isOwn(c, user.id)) requireStepUp(c.var);
    const renewed = createKey(id);
    const now = clock.now();
    const overlapUntil = now + c.req.valid("json").overlapSeconds * 1000;
    await store.audited(c.var.source, "rotateKey", id, keyHasher.hashKey(renewed.text), now, overlapUntil);
    await directoryChanged();
    return c.json({ key: await find(id), secret: renewed.text }, 200);
  });
  return app;
}

const CHILDREN: Readonly<Record<"alive" | "all" | "none", (now: number) => KeyFilter>> = {
  alive: (now) => ({ children: { aliveAt: now } }),
  all: () => ({}),
  none: () => ({ children: "none" }),
};

/** Whoever made a child key counts on its end. @param expiresAt RFC 3339 */
function requireNoMore(change: z.infer<typeof KeyChange>, expiresAt: string | null): void {
  const isLonger =
    change.expiresAt === null ||
    (change.expiresAt !== undefined && Date.parse(change.expiresAt) > Date.parse(expiresAt ?? ""));
  if (!isLonger && change.revoked !== false) return;
  throw new HTTPException(422, {
    message: "A child key's life is not prolonged, nor given back; its user makes another with: lmk run.",
  });
}
