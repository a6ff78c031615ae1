import { ROLES, type Role } from "./role.ts";
import type { ClaimRule } from "./sign-in.ts";

/** What an identity provider says of somebody, as far as its rules are concerned. */
export interface Granted {
  readonly role: Role | null;
  /** Name or id. */
  readonly group: string | null;
  /** Whether any rule fits. */
  readonly matches: boolean;
}

type Claims = Readonly<Record<string, unknown>>;

/** What rules make of claims: the first that fits and names a role decides the role; the same for the group. */
export function grantedBy(rules: readonly ClaimRule[], claims: Claims): Granted {
  const fitting = rules.filter((rule) => fits(rule, claims));
  return {
    role: fitting.find(({ role }) => role !== null)?.role ?? null,
    group: fitting.find(({ group }) => group !== null)?.group ?? null,
    matches: fitting.length > 0,
  };
}

/**
 * Reads `groups=llm-admins role=admin group=research`: a claim and its value, then what they give.
 * @returns what is wrong with it, where it is none.
 */
export function parseClaimRule(text: string): ClaimRule | string {
  const [condition = "", ...grants] = text.trim().split(/\s+/);
  const at = condition.indexOf("=");
  if (at < 1 || at === condition.length - 1)
    return `"${text}" must begin with a claim and its value: groups=admins.`;
  let role: Role | null = null;
  let group: string | null = null;
  for (const grant of grants) {
    const [, what, value = ""] = /^(role|group)=(.+)$/.exec(grant) ?? [];
    if (what === undefined) return `"${grant}" must be role=<role> or group=<group>.`;
    if (what === "group") group = value;
    else if (ROLES.includes(value as Role)) role = value as Role;
    else return `"${value}" is no role; there are ${ROLES.join(", ")}.`;
  }
  return { claim: condition.slice(0, at), value: condition.slice(at + 1), role, group };
}

export function formatClaimRule({ claim, value, role, group }: ClaimRule): string {
  const grants = [role === null ? "" : ` role=${role}`, group === null ? "" : ` group=${group}`];
  return `${claim}=${value}${grants.join("")}`;
}

/** The value of a claim, or of a member of it: a name that has dots itself comes first. */
export function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Claims)[part];
  }
  return value;
}

function fits({ claim, value }: ClaimRule, claims: Claims): boolean {
  // Whoever can write any address into their profile must not get another one's rights.
  if (claim === "email" && claims["email_verified"] !== true) return false;
  const found = claimOf(claims, claim);
  const values = Array.isArray(found) ? found : [found];
  return values.some(
    (one) =>
      (typeof one === "string" || typeof one === "number" || typeof one === "boolean") &&
      isLike(String(one), value),
  );
}

/** `*` stands for any text. */
function isLike(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return text === pattern;
  const last = rest.pop() ?? "";
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > text.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
