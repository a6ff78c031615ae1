import { createRoute, z } from "@hono/zod-openapi";
import type { Group, User } from "../domain/directory.ts";
import { randomBase62 } from "../domain/key.ts";
import { getByRef } from "./groups.ts";
import type { AdminParts } from "./parts.ts";
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
  Time,
} from "./schemas.ts";

const UserView = z
  .object({ id: z.string(), name: z.string(), group: Reference, ...lifetimeShape })
  .openapi("User");
const UserInput = z.object({ name: Name, group: z.string().optional(), expiresAt: Time.optional() });
const UserChange = z.object({ ...lifetimeChange, group: z.string().optional() });

/** The group that users are in who were put in none; made at the first start. */
export const DEFAULT_GROUP = "default";

const list = createRoute({
  method: "get",
  path: "/users",
  responses: { 200: json(listOf(UserView), "All users, by name") },
});
const add = createRoute({
  method: "post",
  path: "/users",
  request: { body: jsonBody(UserInput) },
  responses: { 201: json(UserView, "The new user") },
});
const show = createRoute({
  method: "get",
  path: "/users/{ref}",
  request: { params: Ref },
  responses: { 200: json(UserView, "The user with this id or name") },
});
const change = createRoute({
  method: "patch",
  path: "/users/{ref}",
  request: { params: Ref, body: jsonBody(UserChange) },
  responses: {
    200: json(UserView.extend({ cut: z.number() }), "The user, and how many open streams were cut"),
  },
});

export function users({ store, clock, directoryChanged, cutKeys }: AdminParts): AdminApp {
  const app = resource();
  const view = (user: User, groups: readonly Group[]) => ({
    id: user.id,
    name: user.name,
    group: { id: user.groupId, name: groups.find((group) => group.id === user.groupId)?.name ?? "" },
    ...lifetimeView(user, clock.now()),
  });
  const find = async (ref: string) => getByRef("user", await store.listUsers(), ref);
  const findGroup = async (ref: string) => getByRef("group", await store.listGroups(), ref);

  app.openapi(list, async (c) => {
    const groups = await store.listGroups();
    return c.json({ items: (await store.listUsers()).map((user) => view(user, groups)) }, 200);
  });
  app.openapi(show, async (c) =>
    c.json(view(await find(c.req.valid("param").ref), await store.listGroups()), 200),
  );
  app.openapi(add, async (c) => {
    const { name, group, expiresAt } = c.req.valid("json");
    const user: User = {
      id: `usr_${randomBase62(10)}`,
      name,
      groupId: (await findGroup(group ?? DEFAULT_GROUP)).id,
      ...newLifetime(expiresAt, clock.now()),
    };
    await store.audited(c.var.source, "addUser", user);
    await directoryChanged();
    return c.json(view(user, await store.listGroups()), 201);
  });
  app.openapi(change, async (c) => {
    const input = c.req.valid("json");
    const user = await find(c.req.valid("param").ref);
    await store.audited(c.var.source, "updateUser", user.id, {
      ...lifetimeFields(input, clock.now()),
      ...(input.group === undefined ? {} : { groupId: (await findGroup(input.group)).id }),
    });
    await directoryChanged();
    const keyIds = (await store.listKeys()).filter((key) => key.userId === user.id).map((key) => key.id);
    const cut = input.revoked && input.now ? cutKeys(new Set(keyIds)) : 0;
    return c.json({ ...view(await find(user.id), await store.listGroups()), cut }, 200);
  });
  return app;
}
