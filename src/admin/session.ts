import { createRoute, z } from "@hono/zod-openapi";
import type { SignedUser, SignInLink } from "../domain/sign-in.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { outranks, permissionsOf } from "./permissions.ts";
import { CodedProblem } from "./problem.ts";
import { sessionOf } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody } from "./schemas.ts";
import { clearSessionCookie } from "./sign-in/cookie.ts";
import { enter } from "./sign-in/enter.ts";
import { hashFor } from "./sign-in/hash.ts";
import { placeOf } from "./sign-in/origin.ts";
import { SessionView, sessionView } from "./sign-in/session-view.ts";
import { bySelf, isActive } from "./sign-in/sessions.ts";

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
    const why =
      found === null
        ? "unknown link"
        : (linkProblem(found, ssoOnly, clock.now()) ?? (await makerProblem(found, store, clock.now())));
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

/** Who made it, or whom it is for, may have become somebody else since. */
async function makerProblem(
  { link, user }: SignedUser & { readonly link: SignInLink },
  store: Pick<AdminParts["store"], "listUsers" | "listGroups">,
  now: number,
): Promise<string | undefined> {
  if (link.madeBy === null) return undefined;
  const [users, groups] = await Promise.all([store.listUsers(), store.listGroups()]);
  const maker = users.find(({ id }) => id === link.madeBy);
  const group = groups.find(({ id }) => id === maker?.groupId);
  if (maker === undefined || group === undefined || !isActive({ user: maker, group }, now))
    return "who made the link is not active";
  const permissions = permissionsOf(maker.role);
  const mayStill = permissions.has("sign_in_links.write") && outranks(permissions, user.role);
  return mayStill ? undefined : "who made the link may not any more";
}
