import type { NamedKind, NamedProvider } from "../domain/named-provider.ts";
import { knownProviders } from "./catalogue.ts";
import { compatibleServer } from "./compatible.ts";
import { huggingfaceEndpoint } from "./huggingface-endpoint.ts";
import type { Provider } from "./provider.ts";

/**
 * What no provider that somebody names may be called: what begins as `OWN_PATHS` of `gateway/listen.ts` do never reaches
 * one, and providers that have a file have their ids.
 */
export const takenIds: ReadonlySet<string> = new Set([
  ...["api", "claim", "console", "lmk", "healthz", "readyz", "metrics"],
  ...knownProviders.flatMap(({ clientTokens }) =>
    (clientTokens?.paths ?? []).map((path) => path.split("/")[1] ?? ""),
  ),
  ...knownProviders.map(({ id }) => id),
]);

/** The id of what is named so: endpoints are told from servers by it. */
export function namedId(kind: NamedKind, name: string): string {
  return kind === "server" || name.startsWith("hf-") ? name : `hf-${name}`;
}

/**
 * The provider that was named. It takes stored credentials alone: whoever names an address must not have the
 * environment's keys sent there.
 */
export function namedProvider({ kind, id, name, upstream }: NamedProvider): Provider {
  const made =
    kind === "server"
      ? compatibleServer(id, upstream)
      : huggingfaceEndpoint(id.slice("hf-".length), upstream);
  return { ...made, name, credential: { ...made.credential, env: [] } };
}
