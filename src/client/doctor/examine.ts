import { knownProviders } from "../../providers/catalogue.ts";
import { judge } from "./answer.ts";
import { type Environment, type Finding, note } from "./finding.ts";
import type { Reached } from "./gateway.ts";
import { type GatewayFacts, planFor } from "./provider.ts";
import { send } from "./send.ts";

/**
 * One small call for each provider, with the very variables that are set here.
 * @param open What the gateway says is open to the caller.
 */
export function examineProviders(
  open: readonly { readonly id: string; readonly name: string; readonly url: string }[],
  environment: Environment,
  gateway: GatewayFacts,
  { ca }: Pick<Reached, "ca">,
): Promise<Finding[]> {
  const ids = new Set(open.map(({ id }) => id));
  // Also those that variables lead to the gateway for: a policy may have closed them since.
  const known = knownProviders.filter(
    ({ id, client }) =>
      ids.has(id) || client.bases.some(([name]) => environment[name]?.startsWith(`${gateway.address}/`)),
  );
  const unnamed = open.filter(({ id }) => !known.some((provider) => provider.id === id));
  return Promise.all([
    ...known.map(async (provider) => {
      const planned = planFor(provider, environment, gateway);
      if ("verdict" in planned) return planned;
      return judge(provider.name, planned, await send({ ...planned.attempt, ca }), gateway);
    }),
    ...unnamed.map(async ({ name, url }) =>
      note(name, "by_address", `No variable leads its SDKs here; name the address in your code: ${url}.`),
    ),
  ]);
}
