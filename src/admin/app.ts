import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { audit } from "./audit.ts";
import { budgets } from "./budgets.ts";
import { claims } from "./claims.ts";
import { credentials } from "./credentials.ts";
import { explanations } from "./explain.ts";
import { groups } from "./groups.ts";
import { declaredOperations, guard } from "./guard.ts";
import { keys } from "./keys.ts";
import { objects } from "./objects.ts";
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
import { sessions } from "./sessions.ts";
import { settings } from "./settings.ts";
import { signIn } from "./sign-in.ts";
import { signInLinks } from "./sign-in-link.ts";
import { tokens } from "./tokens.ts";
import { unresolved } from "./unresolved.ts";
import { usage } from "./usage.ts";
import { users } from "./users.ts";

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
  app.notFound(() => problem(404, "There is nothing at this path."));
  app.use(
    "/api/v1/*",
    guard(parts, () => operations),
  );
  const ofPrices = [prices, pricingDefaults, unpriced, priceSnapshot, reprice];
  const [small, large] = [limit(MAX_BODY_BYTES, "256 KiB"), limit(MAX_LARGE_BYTES, "8 MiB")];
  app.use("/api/v1/*", (c, next) => (LARGE.test(c.req.path) ? large : small)(c, next));
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
    requests,
    usage,
    audit,
    signIn,
    session,
    sessions,
    tokens,
    signInLinks,
  ]) {
    app.route("/api/v1", resourceOf(parts));
  }
  const operations = declaredOperations(app);
  app.doc31("/api/openapi.json", { openapi: "3.1.0", info: { title: "LlaMaKey admin API", version } });
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
  return app;
}

function limit(maxSize: number, inWords: string) {
  return bodyLimit({ maxSize, onError: () => problem(413, `The body is larger than ${inWords}.`) });
}
