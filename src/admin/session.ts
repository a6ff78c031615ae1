import { createRoute, z } from "@hono/zod-openapi";
import { ROLES } from "../domain/role.ts";
import type { SignedUser, SignInLink } from "../domain/sign-in.ts";
import type { SessionCaller } from "./caller.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { CodedProblem } from "./problem.ts";
import { sessionOf } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, Reference, rfc3339, Time } from "./schemas.ts";
import { clearSessionCookie } from "./sign-in/cookie.ts";
import { enter } from "./sign-in/enter.ts";
import { hashFor } from "./sign-in/hash.ts";
import { placeOf } from "./sign-in/origin.ts";
import { bySelf, isActive, sessionEnd } from "./sign-in/sessions.ts";

const SessionView = z
  .object({
    id: z.string(),
    user: z.object({ id: z.string(), name: z.string(), role: z.enum(ROLES), group: Reference }),
    permissions: z.array(z.string()),
    csrf: z.string().describe("For the header `x-lmk-csrf` of every call that changes something."),
    method: z.string().describe("How it began: `link`, `password`, `passkey` or `oidc`."),
    signedInAt: Time,
    steppedUpAt: Time.describe("When the user last showed who they are; good for 15 minutes."),
    expiresAt: Time.describe("If nobody uses it any more."),
    hasPassword: z.boolean(),
    passkeys: z.number(),
  })
  .openapi("Session");

const show = createRoute({
  ...needs("self.read", { session: true }),
  method: "get",
  path: "/session",
  responses: { 200: json(SessionView, "Who has signed in, and what they may do") },
});
const end = createRoute({
  ...needs("self.read", { session: true }),
  method: "delete",
  path: "/session",
  responses: { 204: { description: "The session has ended" } },
});
const byLink = createRoute({
  ...needs("public"),
  method: "post",
  path: "/session/link",
  request: { body: jsonBody(z.object({ token: z.string().min(1).max(200) })) },
  responses: { 200: json(SessionView, "The session that the link has begun; the link is used up") },
});

/** The session of whoever asks. */
export function session(parts: AdminParts): AdminApp {
  const { store, clock, signInKey, failures } = parts;
  const app = resource();

  app.openapi(show, async (c) => c.json(await sessionView(parts, sessionOf(c)), 200));
  app.openapi(end, async (c) => {
    await store.audited(c.var.source, "endSession", sessionOf(c).session.id);
    const place = placeOf(c.req.raw.headers, c.env.address, parts.consoleUrl);
    if ("origin" in place) clearSessionCookie(c, place);
    return c.body(null, 204);
  });
  app.openapi(byLink, async (c) => {
    const hash = hashFor(signInKey, "link", c.req.valid("json").token);
    const found = await store.readSignInLink(hash);
    const { ssoOnly } = await parts.signIn();
    const why = found === null ? "unknown link" : linkProblem(found, ssoOnly, clock.now());
    // Of several at once one gets it.
    const isUsed =
      found !== null &&
      why === undefined &&
      (await store.audited(bySelf(c.var.source, found.user), "useSignInLink", found.link.id));
    if (found === null || !isUsed) {
      await failures.note(c.var.source, "link", why ?? "link was used", found?.user ?? null);
      throw new CodedProblem(
        401,
        "This link was used already, has expired, or is not whole. Ask for another one; on the gateway's machine: lmk admin link.",
        "link_invalid",
      );
    }
    return c.json(await sessionView(parts, await enter(c, parts, found, "link")), 200);
  });
  return app;
}

function linkProblem(
  found: SignedUser & { readonly link: SignInLink },
  ssoOnly: boolean,
  now: number,
): string | undefined {
  if (found.link.expiresAt <= now) return "link has expired";
  if (!isActive(found, now)) return "user is not active";
  return ssoOnly && !found.link.byOperator ? "single sign-on only" : undefined;
}

async function sessionView({ store }: Pick<AdminParts, "store">, caller: SessionCaller) {
  const { user, group, session: stored } = caller;
  const [password, passkeys] = await Promise.all([store.readPassword(user.id), store.listPasskeys(user.id)]);
  return {
    id: stored.id,
    user: { id: user.id, name: user.name, role: user.role, group: { id: group.id, name: group.name } },
    permissions: [...caller.permissions],
    csrf: caller.csrf,
    method: stored.method,
    signedInAt: rfc3339(stored.createdAt),
    steppedUpAt: rfc3339(stored.steppedUpAt),
    expiresAt: rfc3339(sessionEnd(stored)),
    hasPassword: password !== null,
    passkeys: passkeys.length,
  };
}
