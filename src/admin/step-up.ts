import { createRoute, z } from "@hono/zod-openapi";
import type { AuthenticationResponseJSON } from "@simplewebauthn/server";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { CodedProblem } from "./problem.ts";
import { sessionOf } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody } from "./schemas.ts";
import { Assertion } from "./session-passkey.ts";
import { requireOtherThanSso } from "./sign-in/allowed.ts";
import { placeOf } from "./sign-in/origin.ts";
import { whoSigned } from "./sign-in/passkeys.ts";
import { SessionView, sessionView } from "./sign-in/session-view.ts";

const Proof = z
  .object({ password: z.string().min(1).max(1000).optional(), passkey: Assertion.optional() })
  .refine(({ password, passkey }) => (password === undefined) !== (passkey === undefined), {
    message: "Give either password or passkey.",
  });

const stepUp = createRoute({
  ...needs("self.sign_in", { session: true }),
  method: "post",
  path: "/session/step-up",
  request: { body: jsonBody(Proof) },
  responses: { 200: json(SessionView, "The session, in which what gives access can be changed for a while") },
});

/** Showing again who one is. With an identity provider: `GET /session/oidc/start?for=step-up`. */
export function stepUps(parts: AdminParts): AdminApp {
  const { store, clock, passwords, failures } = parts;
  const app = resource();
  app.openapi(stepUp, async (c) => {
    const caller = sessionOf(c);
    const { user, session } = caller;
    const { password, passkey } = c.req.valid("json");
    await requireOtherThanSso(parts);
    let isSame = false;
    if (passkey !== undefined) {
      const place = placeOf(c.req.raw.headers, c.env.address, parts.consoleUrl);
      const signer = await whoSigned(parts, place, passkey as AuthenticationResponseJSON);
      isSame = signer?.user.id === user.id;
    } else if (password !== undefined) {
      const hash = await store.readPassword(user.id);
      isSame = await passwords.isRight(password, hash, user.name, c.var.source.address);
    }
    if (!isSame) {
      await failures.note(c.var.source, "step-up", "not verified", user);
      throw new CodedProblem(403, "That does not show who you are.", "step_up_failed");
    }
    const steppedUpAt = clock.now();
    await store.audited(c.var.source, "stepUpSession", session.id, steppedUpAt);
    return c.json(await sessionView(parts, { ...caller, session: { ...session, steppedUpAt } }), 200);
  });
  return app;
}
