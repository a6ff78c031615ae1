import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { asks } from "./asks.ts";
import { audit } from "./audit.ts";
import { budgets } from "./budgets.ts";
import { claims } from "./claims.ts";
import { credentials } from "./credentials.ts";
import { documentOf } from "./docs/document.ts";
import { docsPage } from "./docs/page.ts";
import { docsStyle } from "./docs/style.ts";
import { explanations } from "./explain.ts";
import { groups } from "./groups.ts";
import { declaredOperations, guard } from "./guard.ts";
import { health } from "./health.ts";
import { idempotency } from "./idempotency.ts";
import { keys } from "./keys.ts";
import { ownAsks } from "./me/asks.ts";
import { ownKeys } from "./me/keys.ts";
import { me } from "./me/me.ts";
import { ownRequests } from "./me/requests.ts";
import { ownUsage } from "./me/usage.ts";
import { meSignIn } from "./me-sign-in.ts";
import { objects } from "./objects.ts";
import { overview } from "./overview.ts";
import type { AdminParts } from "./parts.ts";
import { policies } from "./policies.ts";
import { pricingDefaults } from "./prices/defaults.ts";
import { prices } from "./prices/prices.ts";
import { reprice } from "./prices/reprice.ts";
import { priceSnapshot } from "./prices/snapshot.ts";
import { unpriced } from "./prices/unpriced.ts";
import { problem, problemOf } from "./problem.ts";
import { providers } from "./providers.ts";
import { requests } from "./requests.ts";
import type { AdminApp, AdminEnv } from "./resource.ts";
import { session } from "./session.ts";
import { sessionOidc } from "./session-oidc.ts";
import { sessionPasskey } from "./session-passkey.ts";
import { sessionPassword } from "./session-password.ts";
import { sessions } from "./sessions.ts";
import { settings } from "./settings.ts";
import { signIn } from "./sign-in.ts";
import { signInLinks } from "./sign-in-link.ts";
import { signInSettings } from "./sign-in-settings.ts";
import { stepUps } from "./step-up.ts";
import { tokens } from "./tokens.ts";
import { unresolved } from "./unresolved.ts";
import { usage } from "./usage.ts";
import { users } from "./users.ts";
import { versions } from "./versions.ts";

const MAX_BODY_BYTES = 256 * 1024;
/** A snapshot of all list prices is half a megabyte of JSON in JSON; policies of thousands of users are not less. */
const MAX_LARGE_BYTES = 8 * 1024 * 1024;
const LARGE = /^\/api\/v1\/(?:prices\/snapshot|policies\/apply)(\/|$)/;

/**
 * The admin API: `/api/v1/...` for whoever may, its description at `/api/openapi.json` for everybody.
 * @throws Error where an operation does not declare what it needs.
 */
export function adminApp(parts: AdminParts, version: string, report: (message: string) => void): AdminApp {
  const app = new OpenAPIHono<AdminEnv>();
  app.onError((error) => problemOf(error, report));
  app.notFound((c) => absent(app, c.req.method, c.req.path));
  app.use(
    "/api/v1/*",
    guard(parts, () => operations),
  );
  const ofPrices = [prices, pricingDefaults, unpriced, priceSnapshot, reprice];
  const [small, large] = [limit(MAX_BODY_BYTES, "256 KiB"), limit(MAX_LARGE_BYTES, "8 MiB")];
  app.use("/api/v1/*", (c, next) => (LARGE.test(c.req.path) ? large : small)(c, next));
  app.use("/api/v1/*", requireJson);
  app.use("/api/v1/*", idempotency(parts));
  app.use(
    "/api/v1/*",
    versions((request, env) => app.fetch(request, env)),
  );
  for (const resourceOf of [
    groups,
    users,
    keys,
    claims,
    explanations,
    policies,
    budgets,
    unresolved,
    settings,
    credentials,
    providers,
    objects,
    ...ofPrices,
    overview,
    health,
    requests,
    usage,
    audit,
    signIn,
    signInSettings,
    session,
    sessionPassword,
    sessionPasskey,
    sessionOidc,
    stepUps,
    meSignIn,
    sessions,
    tokens,
    signInLinks,
    asks,
    me,
    ownKeys,
    ownRequests,
    ownUsage,
    ownAsks,
  ]) {
    app.route("/api/v1", resourceOf(parts));
  }
  const operations = declaredOperations(app);
  app.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "A personal token, or the operator token.",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: "__Host-lmk_session",
    description: "Of the console; calls that change something carry `x-lmk-csrf`, too.",
  });
  // Made when somebody asks: making them takes longer than all else of a start.
  let made: { page: string; text: string } | undefined;
  const documents = () => {
    if (made !== undefined) return made;
    const document = documentOf(app, version);
    made = { page: docsPage(document), text: JSON.stringify(document) };
    return made;
  };
  app.get("/api/openapi.json", (c) => c.body(documents().text, 200, { "content-type": "application/json" }));
  app.get("/api/docs.css", (c) => c.body(docsStyle, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/api/docs", (c) => c.body(documents().page, 200, DOCS_HEADERS));
  return app;
}

/** The page needs its style, and nothing else from anywhere. */
const DOCS_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

const requireJson: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const type = c.req.header("content-type");
  const hasBody =
    Number(c.req.header("content-length") ?? 0) > 0 || c.req.header("transfer-encoding") !== undefined;
  if (hasBody && !/^application\/(?:[\w.+-]+\+)?json *(?:;|$)/i.test(type ?? ""))
    return problem(415, "Send JSON, with content-type: application/json.");
  await next();
  return undefined;
};

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** 405 where the path has other methods. */
function absent(app: AdminApp, method: string, path: string): Response {
  const others = METHODS.filter((one) => one !== method && isRoute(app, one, path));
  if (others.length === 0) return problem(404, "There is nothing at this path.");
  const response = problem(405, `Here are: ${others.join(", ")}.`);
  response.headers.set("allow", others.join(", "));
  return response;
}

function isRoute({ routes }: AdminApp, method: string, path: string): boolean {
  return routes.some((route) => {
    if (route.method !== method) return false;
    const pattern = route.path.replace(/:\w+(?:\{[^}]*\})?/g, "[^/]+");
    return new RegExp(`^${pattern}$`).test(path);
  });
}

function limit(maxSize: number, inWords: string) {
  return bodyLimit({ maxSize, onError: () => problem(413, `The body is larger than ${inWords}.`) });
}
