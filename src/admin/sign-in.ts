import { createRoute, z } from "@hono/zod-openapi";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json } from "./schemas.ts";
import { placeOf } from "./sign-in/origin.ts";
import { relyingParty } from "./sign-in/passkeys.ts";

const SignIn = z
  .object({
    methods: z.object({
      password: z.boolean(),
      passkey: z.boolean(),
      oidc: z.object({ name: z.string() }).nullable(),
    }),
    secure: z.boolean().describe("Whether anybody can sign in at this address."),
    reason: z.string().nullable().describe("Why not, or why not by every way."),
  })
  .openapi("SignIn");

const show = createRoute({
  ...needs("public"),
  method: "get",
  path: "/sign-in",
  responses: { 200: json(SignIn, "How one can sign in here") },
});

/** What the console's first page has to know. */
export function signIn(parts: AdminParts): AdminApp {
  const app = resource();
  app.openapi(show, async (c) => {
    const place = placeOf(c.req.raw.headers, c.env.address, parts.consoleUrl);
    if ("refusal" in place) {
      const methods = { password: false, passkey: false, oidc: null };
      return c.json({ methods, secure: false, reason: place.refusal }, 200);
    }
    const { oidc, ssoOnly } = await parts.signIn();
    const methods = {
      password: !ssoOnly,
      passkey: !ssoOnly && relyingParty(place.origin) !== undefined,
      oidc: oidc && { name: oidc.name },
    };
    const reason =
      !ssoOnly && !methods.passkey
        ? `Passkeys need a name in the address: open http://localhost:${new URL(place.origin).port}/console/.`
        : null;
    return c.json({ methods, secure: true, reason }, 200);
  });
  return app;
}
