import type { Route } from "./route.ts";

export type CostKind = "metered" | "free" | "deferred" | "unknown";

export function costKind({ meter }: Route, method: string): CostKind {
  if (meter !== undefined) return "metered";
  return method === "POST" || method === "PUT" || method === "PATCH" ? "unknown" : "free";
}
