import type { z } from "@hono/zod-openapi";
import type { Permission } from "./permissions.ts";

/** Who may call an operation: whoever has a permission, or everybody. */
export type Need = Permission | "public";

export interface NeedOptions {
  /** Only for people in the browser: neither the operator token nor a personal token opens it. */
  readonly session?: boolean;
  /** Only within minutes after its user has shown who they are. */
  readonly stepUp?: boolean;
}

/** What `needs` leaves in an operation of the OpenAPI document. */
export interface Declared {
  readonly "x-permission"?: Need;
  readonly "x-session"?: boolean;
  readonly "x-step-up"?: boolean;
}

/**
 * Says what an operation needs, in its `createRoute({ ...needs("users.read"), method: "get", ... })`. The guard holds it,
 * the OpenAPI document shows it, and an operation that says nothing lets nobody start.
 */
export function needs(permission: Need, { session = false, stepUp = false }: NeedOptions = {}) {
  return {
    "x-permission": permission,
    ...(session && { "x-session": true }),
    ...(stepUp && { "x-step-up": true }),
    security: permission === "public" ? [] : session ? [{ session: [] }] : [{ token: [] }, { session: [] }],
  };
}

/**
 * A field that only those see who have a permission; others get null in its place. The OpenAPI document says so, and
 * `test/security/matrix.test.ts` looks whether it is true.
 */
export function onlyFor<Field extends z.ZodType>(permission: Permission, field: Field) {
  return field.nullable().openapi({ "x-permission": permission });
}
