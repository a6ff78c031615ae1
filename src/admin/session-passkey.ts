import { createRoute, z } from "@hono/zod-openapi";
import type { AuthenticationResponseJSON } from "@simplewebauthn/server";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { CodedProblem } from "./problem.ts";
import { type AdminApp, resource } from "./resource.ts";
import { type Json, json, jsonBody } from "./schemas.ts";
import { requireOtherThanSso } from "./sign-in/allowed.ts";
import { enter } from "./sign-in/enter.ts";
import { placeOf } from "./sign-in/origin.ts";
import { assertionOptions, whoSigned } from "./sign-in/passkeys.ts";
import { SessionView, sessionView } from "./sign-in/session-view.ts";
import { isActive } from "./sign-in/sessions.ts";

const Base64 = z.string().max(20_000);

/** What `navigator.credentials.get` gives, as JSON. */
export const Assertion = z
  .looseObject({
    id: z.string().min(1).max(2000),
    rawId: Base64,
    type: z.literal("public-key"),
    response: z.looseObject({
      clientDataJSON: Base64,
      authenticatorData: Base64,
      signature: Base64,
      userHandle: Base64.optional(),
    }),
    clientExtensionResults: z.record(z.string(), z.unknown()).default({}),
  })
  .openapi("PasskeyAssertion");

const options = createRoute({
  ...needs("public"),
  method: "post",
  path: "/session/passkey/options",
  responses: {
    200: json(z.record(z.string(), z.unknown()), "For `navigator.credentials.get`, good for five minutes"),
  },
});
const byPasskey = createRoute({
  ...needs("public"),
  method: "post",
  path: "/session/passkey",
  request: { body: jsonBody(Assertion) },
  responses: { 200: json(SessionView, "The session that has begun") },
});

/** Signing in with a passkey: the device says who it is, and proves it. */
export function sessionPasskey(parts: AdminParts): AdminApp {
  const app = resource();
  app.openapi(options, async (c) => {
    const place = placeOf(c.req.raw.headers, c.env.address, parts.consoleUrl);
    return c.json((await assertionOptions(parts, place)) as object as Json, 200);
  });
  app.openapi(byPasskey, async (c) => {
    await requireOtherThanSso(parts);
    const place = placeOf(c.req.raw.headers, c.env.address, parts.consoleUrl);
    const found = await whoSigned(parts, place, c.req.valid("json") as AuthenticationResponseJSON);
    if (found === null || !isActive(found, parts.clock.now())) {
      const reason = found === null ? "not verified" : "user is not active";
      await parts.failures.note(c.var.source, "passkey", reason, found?.user ?? null);
      throw new CodedProblem(401, "This passkey opens nothing here.", "passkey_invalid");
    }
    return c.json(await sessionView(parts, await enter(c, parts, found, "passkey")), 200);
  });
  return app;
}
