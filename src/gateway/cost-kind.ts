import type { Route } from "./route.ts";

/** When the cost of a call shows, and whether there is one. */
export type CostKind =
  /** Its answer says what it used. */
  | "metered"
  /** It costs nothing. */
  | "free"
  /** It starts work whose cost shows only later. */
  | "deferred"
  /** Nobody can price it. */
  | "unknown";

/** What is only read, looked for or deleted costs nothing, unless its answer is metered. */
const READING = new Set(["GET", "HEAD", "DELETE", "OPTIONS"]);

export function costKind({ meter, isFree, isDeferred }: Route, method: string): CostKind {
  const isMetered = meter !== undefined && (meter.method === undefined || meter.method === method);
  if (READING.has(method)) return isMetered && method === "GET" ? "metered" : "free";
  if (isDeferred) return "deferred";
  if (isFree) return "free";
  return isMetered ? "metered" : "unknown";
}
