import type { AskForMore } from "../api.ts";
import { count, dollars } from "../format.ts";

/** What somebody wants, in words. */
export function askText({ kind, budget, name, amount }: AskForMore): string {
  if (kind === "budget") return `the budget “${budget?.name ?? ""}” to be ${dollars(amount)}`;
  if (kind === "limit") return `${count(Number(amount))} ${LIMITS[name ?? ""] ?? name}`;
  if (kind === "other") return "something else";
  return `the ${kind} ${name}`;
}

/** Limits as people call them. */
export const LIMITS: Readonly<Record<string, string>> = {
  requestsPerMinute: "requests a minute",
  tokensPerMinute: "tokens a minute",
  concurrentRequests: "calls at once",
};
