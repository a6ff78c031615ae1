import { createRoute, z } from "@hono/zod-openapi";
import type { KeyFilter } from "../domain/store.ts";
import { getByRef } from "./groups.ts";
import { KeyDesk } from "./key-desk.ts";
import { KeyView, NewKey } from "./key-views.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { isOwn, requireStepUp } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, lifetimeChange, Name, Ref, Search, Time } from "./schemas.ts";

const KeyInput = z.object({ user: z.string(), name: Name.optional(), expiresAt: Time.optional() });
const KeyChange = z.object(lifetimeChange);
const Changed = KeyView.extend({ cut: z.number().describe("Open streams that were cut.") });
export const Rotation = z.object({ overlapSeconds: z.number().int().min(0).max(31_536_000) });

const list = createRoute({
  ...needs("keys.read"),
  method: "get",
  path: "/keys",
  request: {
    query: z.object({
      ...pageQuery,
      user: z.string().optional().describe("Name or id."),
      group: z.string().optional().describe("Name or id."),
      parent: z.string().optional().describe("Only keys that were made with this one."),
      children: z
        .enum(["alive", "all", "none"])
        .default("alive")
        .describe("Which of the keys that users made with their own for a while."),
      state: z.enum(["active", "revoked", "expired", "frozen"]).optional(),
      leaked: z
        .enum(["true", "false"])
        .optional()
        .describe("Only keys that were seen in a prompt or a URL and still open something; or only others."),
      q: Search,
    }),
  },
  responses: { 200: json(pageOf(KeyView), "Keys, oldest first; of one user or group where asked") },
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
  responses: { 200: json(Changed, "The key, and how many open streams were cut") },
});
const rotate = createRoute({
  ...needs("keys.write"),
  method: "post",
  path: "/keys/{ref}/rotate",
  request: { params: Ref, body: jsonBody(Rotation) },
  responses: { 200: json(NewKey, "The same key with a new secret; the old one lives for the overlap") },
});
const freeze = createRoute({
  ...needs("keys.write"),
  method: "post",
  path: "/keys/{ref}/freeze",
  request: {
    params: Ref,
    body: jsonBody(
      z.object({
        reason: z.string().trim().min(1).max(500).default("frozen by an administrator"),
        now: z.boolean().optional().describe("Cut open streams too, instead of letting them end."),
      }),
    ),
  },
  responses: { 200: json(Changed, "The key, which takes no call until it is unfrozen") },
});
const unfreeze = createRoute({
  ...needs("keys.write"),
  method: "post",
  path: "/keys/{ref}/unfreeze",
  request: { params: Ref },
  responses: { 200: json(Changed, "The key, which works again") },
});

export function keys(parts: AdminParts): AdminApp {
  const { store } = parts;
  const app = resource();
  const desk = new KeyDesk(parts);

  app.openapi(list, async (c) => {
    const { user, group, parent, children, state, leaked, q, ...where } = c.req.valid("query");
    const is = (thing: { id: string; name: string }, ref: string | undefined) =>
      ref === undefined || thing.id === ref || thing.name === ref;
    const part = q?.toLowerCase() ?? "";
    const found = (await desk.list(CHILDREN[children](parts.clock.now()))).filter(
      (key) =>
        is(key.user, user) &&
        is(key.group, group) &&
        (parent === undefined || key.parent?.id === parent) &&
        (state === undefined || key.state === state) &&
        (leaked === undefined || (leaked === "true") === isLeaked(key)) &&
        (key.id === q || `${key.name}\n${key.user.name}`.toLowerCase().includes(part)),
    );
    return c.json(
      paged(found, ({ createdAt, id }) => [createdAt, id], where),
      200,
    );
  });
  app.openapi(show, async (c) => c.json(await desk.find(c.req.valid("param").ref), 200));
  app.openapi(add, async (c) => {
    const { user, ...input } = c.req.valid("json");
    const owner = getByRef("user", await store.listUsers(), user);
    if (!isOwn(c, owner.id)) requireStepUp(c.var);
    return c.json(await desk.add(c.var.source, owner, input), 201);
  });
  app.openapi(change, async (c) => {
    const { id } = await desk.find(c.req.valid("param").ref);
    return c.json(await desk.change(c.var.source, id, c.req.valid("json")), 200);
  });
  app.openapi(rotate, async (c) => {
    const { id, user } = await desk.find(c.req.valid("param").ref);
    if (!isOwn(c, user.id)) requireStepUp(c.var);
    return c.json(await desk.rotate(c.var.source, id, c.req.valid("json").overlapSeconds), 200);
  });
  app.openapi(freeze, async (c) => {
    const { id } = await desk.find(c.req.valid("param").ref);
    const { reason, now } = c.req.valid("json");
    return c.json(await desk.freeze(c.var.source, id, reason, now), 200);
  });
  app.openapi(unfreeze, async (c) => {
    const { id } = await desk.find(c.req.valid("param").ref);
    return c.json(await desk.freeze(c.var.source, id, null), 200);
  });
  return app;
}

/** A revoked or expired one is no concern any more. */
function isLeaked({ leak, state }: KeyView): boolean {
  return leak !== null && state !== "revoked" && state !== "expired";
}

const CHILDREN: Readonly<Record<"alive" | "all" | "none", (now: number) => KeyFilter>> = {
  alive: (now) => ({ children: { aliveAt: now } }),
  all: () => ({}),
  none: () => ({ children: "none" }),
};
