import type { CompiledScope } from "./compiled-scope.ts";
import { parseAddress } from "./network.ts";
import type { RefusalCode } from "./refusal.ts";

/** A call as policies see it. */
export interface AskedCall {
  /** Id. */
  readonly provider: string;
  readonly method: string;
  /** The path behind the provider, decoded, lower-case, without its version. */
  readonly endpoint: string;
  /** False where two readers could take the path for different ones. */
  readonly isPlain: boolean;
  /** As the request names it; null where it names none. */
  readonly model: string | null;
  /** It lets further models answer, or take part. */
  readonly letsOthersAnswer?: boolean;
  /** Such calls may cost money, now or later, so one that does not say its model may be of any. */
  readonly bills: boolean;
  /** Where it comes from. */
  readonly address: string | null;
  /** When it arrived, epoch milliseconds. */
  readonly at: number;
}

/** What a policy refuses for. */
export type PolicyRefusal = Extract<
  RefusalCode,
  | "expired_key"
  | "network_not_allowed"
  | "provider_not_allowed"
  | "endpoint_not_allowed"
  | "model_not_allowed"
>;

/** A scope's no. */
export interface Denial {
  readonly scope: CompiledScope;
  readonly code: PolicyRefusal;
  /** What happened, why, and whom to ask. */
  readonly message: string;
}

export interface Decision {
  /** The first scope's that says no. */
  readonly denial: Denial | undefined;
  /** Those of scopes that only count. */
  readonly shadow: readonly Denial[];
}

/** One thing that a policy may restrict. */
export interface Question {
  readonly code: PolicyRefusal;
  readonly restricts: (scope: CompiledScope) => boolean;
  /** What the scope allows instead, as the rest of a sentence; undefined where it allows the call. */
  readonly objection: (scope: CompiledScope, call: AskedCall) => string | undefined;
}

/** What can be answered before a request's body was read. */
export const atTheDoor: readonly Question[] = [
  { code: "expired_key", restricts: ({ policy }) => policy.expiresAt !== undefined, objection: expiry },
  { code: "network_not_allowed", restricts: ({ rules }) => rules.networks !== undefined, objection: network },
  {
    code: "provider_not_allowed",
    restricts: ({ rules }) => rules.providers !== undefined,
    objection: provider,
  },
  {
    code: "endpoint_not_allowed",
    restricts: ({ rules }) => rules.endpoints !== undefined,
    objection: endpoint,
  },
];

/** What can be answered once the model is known. */
export const ofModel: readonly Question[] = [
  { code: "model_not_allowed", restricts: ({ rules }) => rules.models !== undefined, objection: model },
];

const EVERYTHING: readonly Question[] = [...atTheDoor, ...ofModel];

const ALLOWED: Decision = { denial: undefined, shadow: [] };

/** All scopes apply together; the first that refuses, in their order, is the one that is named. */
export function decide(
  call: AskedCall,
  scopes: readonly CompiledScope[],
  questions: readonly Question[] = EVERYTHING,
): Decision {
  let shadow: Denial[] | undefined;
  for (const scope of scopes) {
    for (const { code, objection } of questions) {
      const why = objection(scope, call);
      if (why === undefined) continue;
      const denial = { scope, code, message: sentence(scope, why) };
      if (!scope.shadow) return { denial, shadow: shadow ?? ALLOWED.shadow };
      shadow ??= [];
      shadow.push(denial);
    }
  }
  return shadow === undefined ? ALLOWED : { denial: undefined, shadow };
}

/** What one scope says to one question that it has something to say to. */
export interface Answer {
  readonly question: PolicyRefusal;
  readonly scope: CompiledScope;
  /** `would refuse` in shadow mode. */
  readonly verdict: "allows" | "refuses" | "would refuse";
  /** Why, where it does not allow. */
  readonly message: string | null;
}

/** What every scope says to every question: all that `decide` may have looked at. */
export function answersTo(call: AskedCall, scopes: readonly CompiledScope[]): Answer[] {
  return EVERYTHING.flatMap(({ code, restricts, objection }) =>
    scopes.filter(restricts).map((scope): Answer => {
      const why = objection(scope, call);
      if (why === undefined) return { question: code, scope, verdict: "allows", message: null };
      const verdict = scope.shadow ? "would refuse" : "refuses";
      return { question: code, scope, verdict, message: sentence(scope, why) };
    }),
  );
}

function expiry({ policy }: CompiledScope, { at }: AskedCall): string | undefined {
  if (policy.expiresAt === undefined || at < policy.expiresAt) return undefined;
  return `has ended its access at ${new Date(policy.expiresAt).toISOString()}`;
}

function network({ rules }: CompiledScope, { address }: AskedCall): string | undefined {
  if (rules.networks === undefined) return undefined;
  const from = address === null ? undefined : parseAddress(address);
  if (from !== undefined && rules.networks.some((one) => one.contains(from))) return undefined;
  // Which networks are open is nothing that a stranger with a stolen key needs to know.
  return `does not allow calls from ${from === undefined ? "an unknown address" : address}`;
}

function provider({ rules, policy }: CompiledScope, call: AskedCall): string | undefined {
  if (rules.providers === undefined || rules.providers.has(call.provider)) return undefined;
  return `allows only ${counted("provider", policy.providers)}`;
}

function endpoint({ rules, policy }: CompiledScope, call: AskedCall): string | undefined {
  if (rules.endpoints === undefined) return undefined;
  if (!call.isPlain) return "has a list of endpoints, and this path could be read in more than one way";
  for (const { provider, methods, path } of rules.endpoints) {
    if (provider !== "*" && provider !== call.provider) continue;
    if (methods !== undefined && !methods.has(call.method)) continue;
    if (path(call.endpoint)) return undefined;
  }
  return `allows only ${counted("endpoint", policy.endpoints)}`;
}

function model({ rules, policy }: CompiledScope, call: AskedCall): string | undefined {
  const { models } = rules;
  if (models === undefined) return undefined;
  const { provider, model: asked } = call;
  // The model may stand in it.
  if (call.bills && !call.isPlain)
    return "has a list of models, and this path could be read in more than one way";
  if (asked === null) {
    // Lists of models, files and the like name none and cost nothing.
    return call.bills
      ? `allows only ${counted("model", policy.models)}, and this call does not say its model`
      : undefined;
  }
  if (models.some((matches) => matches(provider, asked))) {
    return call.letsOthersAnswer === true
      ? `allows only ${counted("model", policy.models)}, and this call lets others answer`
      : undefined;
  }
  return `allows only ${counted("model", policy.models)}`;
}

const MAX_NAMED = 8;

function counted(noun: string, names: readonly string[] = []): string {
  const named = names.slice(0, MAX_NAMED).join(", ");
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  return `the ${noun}${names.length === 1 ? "" : "s"} ${named}${more}`;
}

function sentence({ name }: CompiledScope, why: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} ${why}; ask your administrator.`;
}
