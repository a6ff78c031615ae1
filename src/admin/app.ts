import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import type { AuditActor } from "../domain/audit.ts";
import { audit } from "./audit.ts";
import { budgets } from "./budgets.ts";
import { credentials } from "./credentials.ts";
import { explanations } from "./explain.ts";
import { groups } from "./groups.ts";
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
import { settings } from "./settings.ts";
import { unresolved } from "./unresolved.ts";
import { usage } from "./usage.ts";
import { users } from "./users.ts";

/** Whoever holds the operator token. */
const OPERATOR: AuditActor = { kind: "operator", id: null, name: "operator" };

const MAX_BODY_BYTES = 256 * 1024;
/** A snapshot of all list prices is half a megabyte of JSON in JSON; policies of thousands of users are not less. */
const MAX_LARGE_BYTES = 8 * 1024 * 1024;
const LARGE = /^\/api\/v1\/(?:prices\/snapshot|policies\/apply)(\/|$)/;

/** The admin API: `/api/v1/...` for the operator token, its description at `/api/openapi.json` for everybody. */
export function adminApp(parts: AdminParts, version: string, report: (message: string) => void): AdminApp {
  const app = new OpenAPIHono<AdminEnv>();
  app.onError((error) => problemOf(error, report));
  app.notFound(() => problem(404, "There is nothing at this path."));
  app.use("/api/v1/*", async (c, next) => {
    const token = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (token === undefined || !parts.isOperator(token)) {
      return problem(
        401,
        "Send the operator token: Authorization: Bearer <content of admin.token in the data directory>.",
      );
    }
    c.set("source", { at: parts.clock.now(), actor: OPERATOR, address: c.env.address });
    await next();
    c.header("cache-control", "no-store");
  });
  const ofPrices = [prices, pricingDefaults, unpriced, priceSnapshot, reprice];
  const [small, large] = [limit(MAX_BODY_BYTES, "256 KiB"), limit(MAX_LARGE_BYTES, "8 MiB")];
  app.use("/api/v1/*", (c, next) => (LARGE.test(c.req.path) ? large : small)(c, next));
  for (const resourceOf of [
    groups,
    users,
    keys,
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
  ]) {
    app.route("/api/v1", resourceOf(parts));
  }
  app.doc31("/api/openapi.json", { openapi: "3.1.0", info: { title: "LlaMaKey admin API", version } });
  return app;
}

function limit(maxSize: number, inWords: string) {
  return bodyLimit({ maxSize, onError: () => problem(413, `The body is larger than ${inWords}.`) });
}
