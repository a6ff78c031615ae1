import { type DemandFormat, resultDemand, unknownDemand } from "../providers/formats/demand.ts";
import type { Route } from "./route.ts";

/** How this request says what it can cost. */
export function demandFormat({ meter }: Route, method: string): DemandFormat {
  const format = meter?.method === undefined || meter.method === method ? meter?.demand : undefined;
  if (format === undefined) return unknownDemand;
  const { kind } = format.bounds;
  const isReading = method === "GET" || method === "HEAD" || method === "DELETE";
  if (isReading) return kind === "open" ? format : resultDemand;
  // It starts what others ask for.
  return kind === "result" ? unknownDemand : format;
}
