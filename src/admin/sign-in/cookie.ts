import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { AdminEnv } from "../resource.ts";
import type { Page, Place } from "./origin.ts";
import { SESSION_MS } from "./sessions.ts";

/** No other host, and no page without TLS, can set or read a cookie of this prefix. */
const SECURE = "__Host-lmk_session";

/** Browsers give cookies to every port of a host: two gateways on one machine must not sign each other out. */
function plainName(origin: string): string {
  return `lmk_session_${new URL(origin).port || "80"}`;
}

/** The session's secret, if the request has one. */
export function readSessionCookie(c: Context<AdminEnv>, place: Place): string | undefined {
  const secure = getCookie(c, SECURE);
  if (secure !== undefined || !("origin" in place) || place.https) return secure;
  return getCookie(c, plainName(place.origin));
}

export function setSessionCookie(c: Context<AdminEnv>, place: Page, secret: string): void {
  setCookie(c, place.https ? SECURE : plainName(place.origin), secret, {
    ...attributes(place),
    maxAge: SESSION_MS / 1000,
  });
}

export function clearSessionCookie(c: Context<AdminEnv>, place: Page): void {
  deleteCookie(c, place.https ? SECURE : plainName(place.origin), attributes(place));
}

function attributes({ https }: Page) {
  return { path: "/", httpOnly: true, sameSite: "Strict", secure: https } as const;
}
