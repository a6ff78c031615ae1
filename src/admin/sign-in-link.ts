import { createRoute, z } from "@hono/zod-openapi";
import { getByRef } from "./groups.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { CodedProblem } from "./problem.ts";
import { requireRank } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, Ref, Reference, rfc3339, Time } from "./schemas.ts";
import { createSignInLink, LINK_MS } from "./sign-in/links.ts";

const NewLink = z.object({
  url: z
    .string()
    .nullable()
    .describe(
      "Signs the user in, once; shown this once, and null where an Idempotency-Key repeats an answer.",
    ),
  user: Reference,
  expiresAt: Time,
});
const LinkInput = z.object({
  expiresInSeconds: z
    .number()
    .int()
    .min(60)
    .max(7 * 86_400)
    .default(LINK_MS / 1000),
});

const add = createRoute({
  ...needs("sign_in_links.write", { stepUp: true }),
  method: "post",
  path: "/users/{ref}/sign-in-link",
  request: { params: Ref, body: jsonBody(LinkInput) },
  responses: { 201: json(NewLink, "The link, to be handed to its user") },
});

export function signInLinks(parts: AdminParts): AdminApp {
  const { store, clock } = parts;
  const app = resource();
  app.openapi(add, async (c) => {
    const user = getByRef("user", await store.listUsers(), c.req.valid("param").ref);
    requireRank(c, user);
    const { caller } = c.var;
    const madeBy = caller === null || caller.kind === "operator" ? null : caller.user.id;
    const { ssoOnly } = await parts.signIn();
    if (ssoOnly && madeBy !== null) {
      throw new CodedProblem(
        409,
        "Nothing but single sign-on is allowed here; only lmk admin link, with the operator token, goes around it.",
        "sso_only",
      );
    }
    const lifetimeMs = c.req.valid("json").expiresInSeconds * 1000;
    const { link, url } = createSignInLink(parts, user.id, madeBy, clock.now(), lifetimeMs);
    await store.audited(c.var.source, "addSignInLink", link);
    const { id, name } = user;
    return c.json({ url, user: { id, name }, expiresAt: rfc3339(link.expiresAt) }, 201);
  });
  return app;
}
