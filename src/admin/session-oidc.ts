import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { CodedProblem, forbidden } from "./problem.ts";
import { requireStepUp, sessionOf } from "./requirements.ts";
import { type AdminApp, type AdminEnv, resource } from "./resource.ts";
import { enter } from "./sign-in/enter.ts";
import { type Arrived, JOURNEY_MS, JourneyFailed } from "./sign-in/oidc.ts";
import { userOfIdentity } from "./sign-in/oidc-user.ts";
import { type Page, placeOf } from "./sign-in/origin.ts";
import { bySelf, isActive, sessionEnd } from "./sign-in/sessions.ts";

const start = createRoute({
  ...needs("public"),
  method: "get",
  path: "/session/oidc/start",
  request: {
    query: z.object({
      for: z
        .enum(["sign-in", "step-up", "connect"])
        .default("sign-in")
        .describe(
          "`connect`: to sign in with this identity from now on; needs a session, as `step-up` does.",
        ),
    }),
  },
  responses: {
    302: { description: "To the identity provider" },
    409: { description: "No identity provider is set up here" },
  },
});
const callback = createRoute({
  ...needs("public"),
  method: "get",
  path: "/session/oidc/callback",
  request: { query: z.looseObject({}) },
  responses: {
    303: { description: "To the console; `#sign-in-error=<code>` tells what went wrong, if anything" },
    409: { description: "No identity provider is set up here" },
  },
});

/** Signing in with the company's identity provider: there and back again. */
export function sessionOidc(parts: AdminParts): AdminApp {
  const { store, clock, oidc: provider, failures } = parts;
  const app = resource();

  const settingsOf = async () => {
    const { oidc } = await parts.signIn();
    if (oidc === null) throw new CodedProblem(409, "No identity provider is set up here.", "no_oidc");
    return oidc;
  };
  const pageOf = (c: Context<AdminEnv>): Page => {
    const place = placeOf(c.req.raw.headers, c.env.address, parts.consoleUrl);
    if ("refusal" in place) throw forbidden(place.refusal, "insecure");
    return place;
  };

  app.openapi(start, async (c) => {
    const settings = await settingsOf();
    const page = pageOf(c);
    const { for: kind } = c.req.valid("query");
    const caller = kind === "sign-in" ? undefined : sessionOf(c);
    if (kind === "connect") requireStepUp(c.var);
    const errand =
      kind === "sign-in" || caller === undefined
        ? ({ kind: "sign-in" } as const)
        : { kind, userId: caller.user.id, sessionId: caller.session.id };
    const { url, journey } = await provider.start(settings, page.origin, errand).catch((error: unknown) => {
      if (error instanceof JourneyFailed)
        throw new CodedProblem(
          409,
          `Signing in there does not work now: ${error.message}.`,
          "oidc_unreachable",
        );
      throw error;
    });
    // Lax: what comes back is a link from another site, with which browsers send no strict cookie.
    setCookie(c, cookieName(page), journey, {
      path: "/",
      httpOnly: true,
      sameSite: "Lax",
      secure: page.https,
      maxAge: JOURNEY_MS / 1000,
    });
    return c.redirect(url, 302);
  });

  app.openapi(callback, async (c) => {
    const settings = await settingsOf();
    const page = pageOf(c);
    const journey = getCookie(c, cookieName(page)) ?? "";
    deleteCookie(c, cookieName(page), { path: "/", secure: page.https });
    const back = (code?: string) =>
      c.redirect(code === undefined ? "/console/" : `/console/#sign-in-error=${code}`, 303);
    let arrived: Arrived;
    try {
      arrived = await provider.finish(settings, page.origin, new URL(c.req.url).search, journey);
    } catch (error) {
      if (!(error instanceof JourneyFailed)) throw error;
      await failures.note(c.var.source, "oidc", error.message, null);
      return back("failed");
    }
    const { errand, issuer, subject } = arrived;
    if (errand.kind === "sign-in") {
      const found = await userOfIdentity(parts, settings, arrived, c.var.source.address);
      if (typeof found === "string" || !isActive(found, clock.now())) {
        const [reason, user] = typeof found === "string" ? [found, null] : ["user is not active", found.user];
        await failures.note(c.var.source, "oidc", reason, user);
        return back(typeof found === "string" ? "unknown" : "inactive");
      }
      await enter(c, parts, found, "oidc");
      return back();
    }
    // The session's cookie has not come along: the errand, which was sealed here, says which session it was.
    const open = (await store.listSessions(errand.userId)).find(({ id }) => id === errand.sessionId);
    const found = open === undefined ? null : await store.readSession(open.hash);
    const now = clock.now();
    if (found === null || now >= sessionEnd(found.session) || !isActive(found, now)) return back("expired");
    const { session, user } = found;
    const known = await store.readIdentity(issuer, subject);
    const source = bySelf(c.var.source, user);
    if (errand.kind === "connect") {
      if (known !== null) return back(known.user.id === user.id ? undefined : "taken");
      const identity = { issuer, subject, userId: user.id, managed: false, createdAt: now };
      await store.audited(source, "addIdentity", identity);
      return back();
    }
    if (known?.user.id !== user.id) {
      await failures.note(c.var.source, "step-up", "another identity", user);
      return back("failed");
    }
    await store.audited(source, "stepUpSession", session.id, now);
    return back();
  });
  return app;
}

function cookieName({ https, origin }: Page): string {
  return https ? "__Host-lmk_oidc" : `lmk_oidc_${new URL(origin).port || "80"}`;
}
