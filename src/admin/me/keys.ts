import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { actingUser } from "../acting-user.ts";
import { KeyDesk } from "../key-desk.ts";
import { KeyView, NewKey } from "../key-views.ts";
import { Rotation } from "../keys.ts";
import { needs } from "../needs.ts";
import { paged, pageOf, pageQuery } from "../page.ts";
import type { AdminParts } from "../parts.ts";
import { type AdminApp, resource } from "../resource.ts";
import { json, jsonBody, Name, Ref, Time } from "../schemas.ts";
import { mostKeys } from "./me.ts";

const list = createRoute({
  ...needs("self.usage"),
  method: "get",
  path: "/me/keys",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(pageOf(KeyView), "One's own keys, oldest first") },
});
const add = createRoute({
  ...needs("self.write"),
  method: "post",
  path: "/me/keys",
  request: { body: jsonBody(z.strictObject({ name: Name.optional(), expiresAt: Time.optional() })) },
  responses: { 201: json(NewKey, "A further key of one's own, as far as the policies let one make some") },
});
const rotate = createRoute({
  ...needs("self.write"),
  method: "post",
  path: "/me/keys/{ref}/rotate",
  request: { params: Ref, body: jsonBody(Rotation) },
  responses: { 200: json(NewKey, "The same key with a new secret; the old one lives for the overlap") },
});
const revoke = createRoute({
  ...needs("self.write"),
  method: "post",
  path: "/me/keys/{ref}/revoke",
  request: {
    params: Ref,
    body: jsonBody(z.strictObject({ now: z.boolean().default(false).describe("Cut open streams too.") })),
  },
  responses: { 200: json(KeyView, "The key, which works no more; only an administrator can give it back") },
});

export function ownKeys(parts: AdminParts): AdminApp {
  const { store } = parts;
  const app = resource();
  const desk = new KeyDesk(parts);

  app.openapi(list, async (c) => {
    const { id } = actingUser(c);
    const own = (await desk.list()).filter(({ user }) => user.id === id);
    return c.json(
      paged(own, (key) => [key.createdAt, key.id], c.req.valid("query")),
      200,
    );
  });
  app.openapi(add, async (c) => {
    const user = actingUser(c);
    const most = mostKeys(await store.listPolicies(), user);
    const active = (await desk.list()).filter((key) => key.user.id === user.id && key.state === "active");
    if (most !== null && active.length >= most) {
      throw new HTTPException(403, {
        message:
          most === 0
            ? "Your keys are made by an administrator; ask for one."
            : `You have ${active.length} active keys, and may have ${most}: revoke one, or ask for more.`,
      });
    }
    return c.json(await desk.add(c.var.source, user, c.req.valid("json")), 201);
  });
  app.openapi(rotate, async (c) => {
    const user = actingUser(c);
    const key = await desk.find(c.req.valid("param").ref, user.id);
    if (key.state !== "active") {
      throw new HTTPException(409, { message: `The key is ${key.state}; ask an administrator.` });
    }
    return c.json(await desk.rotate(c.var.source, key.id, c.req.valid("json").overlapSeconds), 200);
  });
  app.openapi(revoke, async (c) => {
    const user = actingUser(c);
    const { id } = await desk.find(c.req.valid("param").ref, user.id);
    const { now } = c.req.valid("json");
    const { cut: _, ...key } = await desk.change(c.var.source, id, { revoked: true, now });
    return c.json(key, 200);
  });
  return app;
}
