import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { needs, onlyFor } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { may } from "./requirements.ts";
import { type AdminApp, type AdminEnv, resource } from "./resource.ts";
import { json, jsonBody, Name, Ref, Time } from "./schemas.ts";

const CredentialView = z
  .object({
    id: z.string(),
    provider: z.string(),
    name: z.string(),
    source: z.enum(["environment", "stored"]),
    masked: z.string(),
    usable: z.boolean(),
    problem: z.string().nullable(),
    rejection: z.object({ at: Time, message: onlyFor("credentials.write", z.string()) }).nullable(),
    weight: z.number(),
    state: z.enum(["ready", "limited", "failing", "rejected", "unusable"]),
    coolingUntil: Time.nullable(),
    lastError: z
      .object({
        at: Time,
        status: z.number().nullable(),
        message: onlyFor("credentials.write", z.string()),
      })
      .nullable(),
    inFlight: z.number(),
    share: z.number(),
    createdAt: Time.nullable(),
  })
  .openapi("Credential");
const Weight = z.number().int().min(1).max(1000);
const CredentialInput = z.object({
  provider: z.string(),
  name: Name.optional(),
  secret: z.string().trim().max(8192),
  weight: Weight.optional(),
});
export const TestResult = z.object({
  ok: z.boolean(),
  status: z.number().nullable(),
  message: z.string(),
  durationMs: z.number(),
});

const list = createRoute({
  ...needs("credentials.read"),
  method: "get",
  path: "/credentials",
  request: { query: z.object({ ...pageQuery, provider: z.string().optional() }) },
  responses: { 200: json(pageOf(CredentialView), "Credentials by provider and name, masked") },
});
const show = createRoute({
  ...needs("credentials.read"),
  method: "get",
  path: "/credentials/{ref}",
  request: { params: Ref },
  responses: { 200: json(CredentialView, "The credential with this id, masked") },
});
const add = createRoute({
  ...needs("credentials.write", { stepUp: true }),
  method: "post",
  path: "/credentials",
  request: { body: jsonBody(CredentialInput) },
  responses: { 201: json(CredentialView, "The new credential, masked") },
});
const change = createRoute({
  ...needs("credentials.write"),
  method: "patch",
  path: "/credentials/{ref}",
  request: { params: Ref, body: jsonBody(z.object({ weight: Weight })) },
  responses: { 200: json(CredentialView, "The credential as it is now") },
});
const remove = createRoute({
  ...needs("credentials.write", { stepUp: true }),
  method: "delete",
  path: "/credentials/{ref}",
  request: { params: Ref },
  responses: { 204: { description: "It is gone" } },
});
const test = createRoute({
  ...needs("credentials.write"),
  method: "post",
  path: "/credentials/{ref}/test",
  request: { params: Ref },
  responses: { 200: json(TestResult, "What the provider said to a call that costs nothing") },
});

export function credentials({ credentials: desk }: AdminParts): AdminApp {
  const app = resource();
  /** What a provider says of a key that it does not take may quote it. */
  const listed = async (c: Context<AdminEnv>) => {
    const all = await desk.list();
    if (may(c, "credentials.write")) return all;
    return all.map(({ rejection, lastError, ...rest }) => ({
      ...rest,
      rejection: rejection && { ...rejection, message: null },
      lastError: lastError && { ...lastError, message: null },
    }));
  };

  app.openapi(list, async (c) => {
    const { provider, ...where } = c.req.valid("query");
    const found = (await listed(c)).filter((one) => provider === undefined || one.provider === provider);
    return c.json(
      paged(found, (one) => [one.provider, one.source, one.name, one.id], where),
      200,
    );
  });
  app.openapi(show, async (c) => {
    const { ref } = c.req.valid("param");
    const found = (await listed(c)).find(({ id }) => id === ref);
    if (found === undefined) throw notFound("credential", ref);
    return c.json(found, 200);
  });
  app.openapi(add, async (c) => {
    const { provider, name, secret, weight } = c.req.valid("json");
    return c.json(await desk.add(c.var.source, provider, name ?? "main", secret, weight ?? 1), 201);
  });
  app.openapi(change, async (c) => {
    const { ref } = c.req.valid("param");
    const changed = await desk.setWeight(c.var.source, ref, c.req.valid("json").weight);
    if (changed === null) throw notFound("stored credential", ref);
    return c.json(changed, 200);
  });
  app.openapi(remove, async (c) => {
    const { ref } = c.req.valid("param");
    if (!(await desk.remove(c.var.source, ref))) throw notFound("stored credential", ref);
    return c.body(null, 204);
  });
  app.openapi(test, async (c) => {
    const { ref } = c.req.valid("param");
    const result = await desk.test(c.var.source, ref);
    if (result === null) throw notFound("credential", ref);
    return c.json(result, 200);
  });
  return app;
}
