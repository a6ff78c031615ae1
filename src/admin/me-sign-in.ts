import { createRoute, z } from "@hono/zod-openapi";
import type { RegistrationResponseJSON } from "@simplewebauthn/server";
import { HTTPException } from "hono/http-exception";
import type { Passkey } from "../domain/sign-in.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { sessionOf } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { type Json, json, jsonBody, Name, rfc3339, Time } from "./schemas.ts";
import { requireOtherThanSso } from "./sign-in/allowed.ts";
import { placeOf } from "./sign-in/origin.ts";
import { creationOptions, registered } from "./sign-in/passkeys.ts";
import { passwordProblem } from "./sign-in/passwords.ts";

const PasskeyView = z
  .object({ id: z.string(), name: z.string(), createdAt: Time, lastUsedAt: Time.nullable() })
  .openapi("Passkey");
const Base64 = z.string().max(20_000);
const Registration = z
  .looseObject({
    id: z.string().min(1).max(2000),
    rawId: Base64,
    type: z.literal("public-key"),
    response: z.looseObject({
      clientDataJSON: Base64,
      attestationObject: Base64,
      transports: z.array(z.string().max(40)).max(20).optional(),
    }),
    clientExtensionResults: z.record(z.string(), z.unknown()).default({}),
  })
  .openapi("PasskeyRegistration");

const own = (stepUp: boolean) => needs("self.sign_in", { session: true, stepUp });

const setPassword = createRoute({
  ...own(true),
  method: "put",
  path: "/me/password",
  request: {
    body: jsonBody(z.object({ password: z.string().max(1000).nullable().describe("Null takes it away.") })),
  },
  responses: { 204: { description: "It is in force, and all other sessions of yours have ended" } },
});
const list = createRoute({
  ...own(false),
  method: "get",
  path: "/me/passkeys",
  responses: { 200: json(z.object({ items: z.array(PasskeyView) }), "Your passkeys, oldest first") },
});
const options = createRoute({
  ...own(true),
  method: "post",
  path: "/me/passkeys/options",
  responses: {
    200: json(z.record(z.string(), z.unknown()), "For `navigator.credentials.create`, good for five minutes"),
  },
});
const add = createRoute({
  ...own(true),
  method: "post",
  path: "/me/passkeys",
  request: { body: jsonBody(z.object({ name: Name, response: Registration })) },
  responses: { 201: json(PasskeyView, "The new passkey") },
});
const remove = createRoute({
  ...own(true),
  method: "delete",
  path: "/me/passkeys/{ref}",
  request: { params: z.object({ ref: z.string().min(1).max(2000) }) },
  responses: { 204: { description: "It opens nothing any more" } },
});

/** What one signs in with. */
export function meSignIn(parts: AdminParts): AdminApp {
  const { store, clock, passwords } = parts;
  const app = resource();

  app.openapi(setPassword, async (c) => {
    const { user, session } = sessionOf(c);
    const { password } = c.req.valid("json");
    await requireOtherThanSso(parts);
    const problem = password === null ? undefined : passwordProblem(password, user.name);
    if (problem !== undefined) throw new HTTPException(422, { message: `password: ${problem}` });
    const hash = password === null ? null : await passwords.hash(password);
    await store.audited(c.var.source, "setPassword", user.id, hash, clock.now());
    // Whoever knew the old one may be in.
    await store.audited(c.var.source, "endSessions", user.id, session.id);
    return c.body(null, 204);
  });
  app.openapi(list, async (c) => {
    const passkeys = await store.listPasskeys(sessionOf(c).user.id);
    return c.json({ items: passkeys.map(view) }, 200);
  });
  app.openapi(options, async (c) => {
    await requireOtherThanSso(parts);
    const place = placeOf(c.req.raw.headers, c.env.address, parts.consoleUrl);
    return c.json((await creationOptions(parts, place, sessionOf(c).user)) as object as Json, 200);
  });
  app.openapi(add, async (c) => {
    await requireOtherThanSso(parts);
    const { name, response } = c.req.valid("json");
    const place = placeOf(c.req.raw.headers, c.env.address, parts.consoleUrl);
    const { user } = sessionOf(c);
    const passkey = await registered(parts, place, user, name, response as RegistrationResponseJSON);
    await store.audited(c.var.source, "addPasskey", passkey);
    return c.json(view(passkey), 201);
  });
  app.openapi(remove, async (c) => {
    const { ref } = c.req.valid("param");
    const isOwn = (await store.listPasskeys(sessionOf(c).user.id)).some(({ id }) => id === ref);
    if (!isOwn || !(await store.audited(c.var.source, "removePasskey", ref))) throw notFound("passkey", ref);
    return c.body(null, 204);
  });
  return app;
}

function view({ id, name, createdAt, lastUsedAt }: Passkey) {
  return { id, name, createdAt: rfc3339(createdAt), lastUsedAt: rfc3339(lastUsedAt) };
}
