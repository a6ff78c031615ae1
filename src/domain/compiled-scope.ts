import type { Budget } from "./budget.ts";
import type { LeakedKeys } from "./leak.ts";
import { type Network, parseNetwork } from "./network.ts";
import {
  compileEndpointPattern,
  compileModelPattern,
  type EndpointMatcher,
  type PathReader,
} from "./pattern.ts";
import type { Policy, Scope, ScopePolicy } from "./policy.ts";

/**
 * A scope's policy, ready to decide: made when policies are loaded, one for all holders of the scope. The same object
 * stays until the policy, a budget or the name changes.
 */
export interface CompiledScope {
  readonly scope: Scope;
  /** For people: `group research`, `the organisation`, `key laptop (k3yId00001)`. */
  readonly name: string;
  readonly policy: Policy;
  /** Counts the changes of the policy and its budgets. */
  readonly version: number;
  readonly budgets: readonly CompiledBudget[];
  /** Refuses nothing; what it would have refused is noted. */
  readonly shadow: boolean;
  /** Each undefined where anything goes. */
  readonly rules: ScopeRules;
}

export interface ScopeRules {
  readonly providers: ReadonlySet<string> | undefined;
  readonly endpoints: readonly EndpointMatcher[] | undefined;
  readonly models: readonly ModelMatcher[] | undefined;
  readonly networks: readonly Network[] | undefined;
}

type ModelMatcher = (provider: string, model: string) => boolean;

export interface CompiledBudget extends Budget {
  /**
   * Whether calls like this count. A model that cannot be known may be any.
   * @param model As the request names it.
   */
  covers(provider: string, model: string | null): boolean;
}

/**
 * @param name For people, in the middle of a sentence.
 * @throws BadPattern, or TypeError for a network that is none: what is stored was checked.
 */
export function compileScope(
  { scope, policy, budgets, version }: ScopePolicy,
  name: string,
  read: PathReader,
): CompiledScope {
  return {
    scope,
    name,
    policy,
    version,
    budgets: budgets.map(compileBudget),
    shadow: policy.shadow === true,
    rules: {
      providers: given(policy.providers, (ids) => new Set(ids)),
      endpoints: given(policy.endpoints, (all) => all.flatMap((one) => compileEndpointPattern(one, read))),
      models: given(policy.models, (all) => all.map(compileModelPattern)),
      networks: given(policy.networks, (all) => all.map(network)),
    },
  };
}

/** What becomes of a key in these scopes that is seen; scopes that only count decide nothing. */
export function leakedKeys(scopes: readonly CompiledScope[]): LeakedKeys {
  return scopes.some(({ shadow, policy }) => !shadow && policy.leakedKeys === "freeze") ? "freeze" : "report";
}

function compileBudget(budget: Budget): CompiledBudget {
  const ofModel = budget.model === null ? undefined : compileModelPattern(budget.model);
  return {
    ...budget,
    covers: (provider, model) =>
      (budget.provider === null || budget.provider === provider) &&
      (ofModel === undefined || model === null || ofModel(provider, model)),
  };
}

/** An empty list restricts nothing, as one that is absent. */
function given<Compiled>(
  list: readonly string[] | undefined,
  compile: (list: readonly string[]) => Compiled,
): Compiled | undefined {
  return list === undefined || list.length === 0 ? undefined : compile(list);
}

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new TypeError(`no network: ${text}`);
  return parsed;
}
