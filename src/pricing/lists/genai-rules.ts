import type { Rule } from "../match.ts";

export type Match =
  | { readonly or: readonly Match[] }
  | { readonly and: readonly Match[] }
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string };

/** @throws {Error} For a combination that our rules cannot say. */
export function rulesFrom(match: Match): Rule[] {
  if ("or" in match) return match.or.flatMap(rulesFrom);
  if ("equals" in match) return [`=${match.equals}`];
  if ("starts_with" in match) return [`^${match.starts_with}`];
  if ("ends_with" in match) return [`$${match.ends_with}`];
  if ("contains" in match) return [`*${match.contains}`];
  if ("regex" in match) return [`~${match.regex}`];
  // A start and a lookahead, both anchored: one after the other they are one expression.
  const parts = match.and.map((part) => {
    if ("starts_with" in part) return `^(?=${part.starts_with.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")})`;
    if ("regex" in part && part.regex.startsWith("^(?")) return part.regex;
    throw new Error(`No rule for ${JSON.stringify(match)}`);
  });
  return [`~${parts.join("")}`];
}
