import { OpenAPIHono } from "@hono/zod-openapi";
import type { AuditSource } from "../domain/audit.ts";
import type { Caller } from "./caller.ts";
import { validationHook } from "./problem.ts";

/** What every request of the admin API carries. */
export interface AdminEnv {
  Bindings: {
    /** Where it comes from. */
    address: string | null;
  };
  Variables: {
    /** Who asks, for the audit log: the first argument of `store.audited`. */
    source: AuditSource;
    /** Who asks, and what they may do; null where the operation is for everybody and nobody has signed in. */
    caller: Caller | null;
  };
}

export type AdminApp = OpenAPIHono<AdminEnv>;

/** An empty resource, to be filled with routes. */
export function resource(): AdminApp {
  return new OpenAPIHono<AdminEnv>({ defaultHook: validationHook });
}
