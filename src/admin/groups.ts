import { createRoute, z } from "@hono/zod-openapi";
import type { Group } from "../domain/directory.ts";
import { randomBase62 } from "../domain/key.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { requireRank } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import {
  json,
  jsonBody,
  lifetimeChange,
  lifetimeFields,
  lifetimeShape,
  lifetimeView,
  Name,
  newLifetime,
  Ref,
  Search,
  Time,
} from "./schemas.ts";

const GroupView = z.object({ id: z.string(), name: z.string(), ...lifetimeShape }).openapi("Group");
const GroupInput = z.object({ name: Name, expiresAt: Time.optional() });
const GroupChange = z.object(lifetimeChange);

const list = createRoute({
  ...needs("groups.read"),
  method: "get",
  path: "/groups",
  request: { query: z.object({ ...pageQuery, q: Search }) },
  responses: { 200: json(pageOf(GroupView), "All groups, by name") },
});
const add = createRoute({
  ...needs("groups.write"),
  method: "post",
  path: "/groups",
  request: { body: jsonBody(GroupInput) },
  responses: { 201: json(GroupView, "The new group") },
});
const show = createRoute({
  ...needs("groups.read"),
  method: "get",
  path: "/groups/{ref}",
  request: { params: Ref },
  responses: { 200: json(GroupView, "The group with this id or name") },
});
const change = createRoute({
  ...needs("groups.write"),
  method: "patch",
  path: "/groups/{ref}",
  request: { params: Ref, body: jsonBody(GroupChange) },
  responses: {
    200: json(GroupView.extend({ cut: z.number() }), "The group, and how many open streams were cut"),
  },
});

export function groups({ store, clock, directoryChanged, cutKeys }: AdminParts): AdminApp {
  const app = resource();
  const view = (group: Group) => ({ id: group.id, name: group.name, ...lifetimeView(group, clock.now()) });
  const find = async (ref: string) => getByRef("group", await store.listGroups(), ref);

  app.openapi(list, async (c) => {
    const { q, ...where } = c.req.valid("query");
    const { items, next } = paged((await store.listGroups()).filter(named(q)), byName, where);
    return c.json({ items: items.map(view), next }, 200);
  });
  app.openapi(show, async (c) => c.json(view(await find(c.req.valid("param").ref)), 200));
  app.openapi(add, async (c) => {
    const { name, expiresAt } = c.req.valid("json");
    const group: Group = {
      id: `grp_${randomBase62(10)}`,
      name,
      ...newLifetime(expiresAt, clock.now()),
    };
    await store.audited(c.var.source, "addGroup", group);
    await directoryChanged();
    return c.json(view(group), 201);
  });
  app.openapi(change, async (c) => {
    const input = c.req.valid("json");
    const group = await find(c.req.valid("param").ref);
    const members = (await store.listUsers()).filter(({ groupId }) => groupId === group.id);
    // Whoever ends with the group is cut off as if it were done to them alone.
    if (input.revoked !== undefined || input.expiresAt !== undefined)
      for (const member of members) requireRank(c, member);
    await store.audited(c.var.source, "updateGroup", group.id, lifetimeFields(input, clock.now()));
    await directoryChanged();
    const ids = new Set(members.map(({ id }) => id));
    const keyIds = (await store.listKeys()).filter((key) => ids.has(key.userId)).map((key) => key.id);
    const cut = input.revoked && input.now ? cutKeys(new Set(keyIds)) : 0;
    return c.json({ ...view(await find(group.id)), cut }, 200);
  });
  return app;
}

export function byName({ id, name }: { id: string; name: string }): [string, string] {
  return [name, id];
}

/** Whether it has this in its name, or as its id. */
export function named(q: string | undefined): (thing: { id: string; name: string }) => boolean {
  const part = q?.toLowerCase();
  return ({ id, name }) => part === undefined || id === q || name.toLowerCase().includes(part);
}

/** Ids win over names: a name that looks like another thing's id cannot hide it. */
export function findByRef<Thing extends { id: string; name: string }>(
  things: readonly Thing[],
  ref: string,
): Thing | undefined {
  return things.find((thing) => thing.id === ref) ?? things.find((thing) => thing.name === ref);
}

/** @throws HTTPException 404 */
export function getByRef<Thing extends { id: string; name: string }>(
  noun: string,
  things: readonly Thing[],
  ref: string,
): Thing {
  const found = findByRef(things, ref);
  if (found === undefined) throw notFound(noun, ref);
  return found;
}
