import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { ListedObject } from "../domain/owned-object.ts";
import { getByRef } from "./groups.ts";
import { needs } from "./needs.ts";
import { cursorText, pageOf, pageQuery, parseNumbers } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, Reference, rfc3339, Time } from "./schemas.ts";

const id = z.string().min(1).max(512);
const kind = z.string().min(1).max(64).describe("For example `file`, `batch`, `vector_store`.");

const ObjectView = z
  .object({
    seq: z.number(),
    provider: z.string(),
    kind,
    id,
    user: Reference,
    group: Reference.describe("The one that the user was in when it was made or assigned."),
    keyId: z
      .string()
      .nullable()
      .describe("The master key that it was made with; null where it was assigned."),
    credentialId: z.string().nullable().describe("The credential whose account it lies in, where known."),
    createdAt: Time,
    deletedAt: Time.nullable(),
  })
  .openapi("Object");

const Filter = z.object({
  provider: z.string().optional(),
  kind: kind.optional(),
  id: id.optional(),
  user: z.string().optional().describe("Name or id."),
  group: z.string().optional().describe("Name or id."),
  deleted: z.enum(["true", "false"]).optional().describe("Those that were deleted, too."),
  ...pageQuery,
});

const Assignment = z.object({ provider: z.string(), kind, id, user: z.string().describe("Name or id.") });

const list = createRoute({
  ...needs("objects.read"),
  method: "get",
  path: "/objects",
  request: { query: Filter },
  responses: {
    200: json(pageOf(ObjectView), "Newest first"),
  },
});
const assign = createRoute({
  ...needs("objects.write"),
  method: "post",
  path: "/objects/assign",
  request: { body: jsonBody(Assignment) },
  responses: { 200: json(ObjectView, "The object, which is this user's from now on") },
});
const forget = createRoute({
  ...needs("objects.write"),
  method: "delete",
  path: "/objects",
  request: { query: z.object({ provider: z.string(), kind, id }) },
  responses: {
    204: { description: "From now on nobody knows whose it is; at the provider nothing changes" },
  },
});

/** Whose the files, batches, threads... at the providers are. */
export function objects({ store, clock, providers, objectsChanged }: AdminParts): AdminApp {
  const app = resource();
  app.openapi(list, async (c) => {
    const { deleted, cursor, ...filter } = c.req.valid("query");
    const [before] = cursor === undefined ? [] : parseNumbers(cursor, 1);
    const rows = await store.listObjects({ ...filter, before, deleted: deleted === "true" });
    const last = rows.at(-1);
    const next = last === undefined || rows.length < filter.limit ? null : cursorText([last.seq]);
    return c.json({ items: rows.map(view), next }, 200);
  });
  app.openapi(assign, async (c) => {
    const { user: ref, ...name } = c.req.valid("json");
    const known = providers().find((one) => one.id === name.provider);
    if (known === undefined) throw notFound("provider", name.provider);
    if (!known.objectKinds.includes(name.kind)) {
      const kinds = known.objectKinds.length === 0 ? "none" : known.objectKinds.join(", ");
      throw new HTTPException(400, { message: `kind: ${known.name} has these: ${kinds}.` });
    }
    const user = getByRef("user", await store.listUsers(), ref);
    await store.audited(c.var.source, "assignObject", name, user.id, clock.now());
    objectsChanged();
    const [assigned] = await store.listObjects({ ...name, limit: 1 });
    if (assigned === undefined) throw notFound("object", name.id);
    return c.json(view(assigned), 200);
  });
  app.openapi(forget, async (c) => {
    const name = c.req.valid("query");
    if (!(await store.audited(c.var.source, "forgetObject", name))) throw notFound("object", name.id);
    objectsChanged();
    return c.body(null, 204);
  });
  return app;
}

function view(object: ListedObject) {
  const { userId, userName, groupId, groupName, createdAt, deletedAt, ...rest } = object;
  return {
    ...rest,
    user: { id: userId, name: userName ?? userId },
    group: { id: groupId, name: groupName ?? groupId },
    createdAt: rfc3339(createdAt),
    deletedAt: rfc3339(deletedAt),
  };
}
