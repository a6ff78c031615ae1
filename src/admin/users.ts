import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Group, User } from "../domain/directory.ts";
import { randomBase62 } from "../domain/key.ts";
import { ROLES } from "../domain/role.ts";
import { byName, findByRef, getByRef, named } from "./groups.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { requirePermission, requireRank, requireStepUp } from "./requirements.ts";
import { type AdminApp, type AdminEnv, resource } from "./resource.ts";
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
  Reference,
  Search,
  Time,
} from "./schemas.ts";

const Role = z.enum(ROLES).describe("What they may do in the admin API.");

const UserView = z
  .object({ id: z.string(), name: z.string(), group: Reference, role: Role, ...lifetimeShape })
  .openapi("User");
const UserInput = z.object({
  name: Name,
  group: z.string().optional(),
  role: Role.optional().describe(
    "`member` where none is given; another one needs the permission to give roles.",
  ),
  expiresAt: Time.optional(),
});
const UserChange = z.object({ ...lifetimeChange, group: z.string().optional(), role: Role.optional() });

/** The group that users are in who were put in none; made at the first start. */
export const DEFAULT_GROUP = "default";

const list = createRoute({
  ...needs("users.read"),
  method: "get",
  path: "/users",
  request: {
    query: z.object({ ...pageQuery, q: Search, group: z.string().optional().describe("Name or id.") }),
  },
  responses: { 200: json(pageOf(UserView), "All users, or those of a group, by name") },
});
const add = createRoute({
  ...needs("users.write"),
  method: "post",
  path: "/users",
  request: { body: jsonBody(UserInput) },
  responses: { 201: json(UserView, "The new user") },
});
const show = createRoute({
  ...needs("users.read"),
  method: "get",
  path: "/users/{ref}",
  request: { params: Ref },
  responses: { 200: json(UserView, "The user with this id or name") },
});
const change = createRoute({
  ...needs("users.write"),
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
    role: user.role,
    group: { id: user.groupId, name: groups.find((group) => group.id === user.groupId)?.name ?? "" },
    ...lifetimeView(user, clock.now()),
  });
  const find = async (ref: string) => getByRef("user", await store.listUsers(), ref);
  const findGroup = async (ref: string) => getByRef("group", await store.listGroups(), ref);

  app.openapi(list, async (c) => {
    const { q, group, ...where } = c.req.valid("query");
    const [groups, users] = await Promise.all([store.listGroups(), store.listUsers()]);
    const of = group === undefined ? undefined : (findByRef(groups, group)?.id ?? "");
    const found = users.filter(named(q)).filter(({ groupId }) => of === undefined || groupId === of);
    const { items, next } = paged(found, byName, where);
    return c.json({ items: items.map((user) => view(user, groups)), next }, 200);
  });
  app.openapi(show, async (c) =>
    c.json(view(await find(c.req.valid("param").ref), await store.listGroups()), 200),
  );
  app.openapi(add, async (c) => {
    const { name, group, role = "member", expiresAt } = c.req.valid("json");
    if (role !== "member") requireRoleGiver(c);
    const user: User = {
      id: `usr_${randomBase62(10)}`,
      name,
      groupId: (await findGroup(group ?? DEFAULT_GROUP)).id,
      role,
      ...newLifetime(expiresAt, clock.now()),
    };
    await store.audited(c.var.source, "addUser", user);
    await directoryChanged();
    return c.json(view(user, await store.listGroups()), 201);
  });
  app.openapi(change, async (c) => {
    const input = c.req.valid("json");
    const user = await find(c.req.valid("param").ref);
    requireRank(c, user);
    if (input.role !== undefined && input.role !== user.role) requireRoleGiver(c);
    await store.audited(c.var.source, "updateUser", user.id, {
      ...lifetimeFields(input, clock.now()),
      ...(input.role === undefined ? {} : { role: input.role }),
      ...(input.group === undefined ? {} : { groupId: (await findGroup(input.group)).id }),
    });
    await directoryChanged();
    const keyIds = (await store.listKeys()).filter((key) => key.userId === user.id).map((key) => key.id);
    const cut = input.revoked && input.now ? cutKeys(new Set(keyIds)) : 0;
    return c.json({ ...view(await find(user.id), await store.listGroups()), cut }, 200);
  });
  return app;
}

/** @throws HTTPException 403 */
function requireRoleGiver(c: Context<AdminEnv>): void {
  requirePermission(c, "users.role");
  requireStepUp(c.var);
}
