/**
 * A host that a provider's SDKs call by its name. In proxy mode it chooses the provider, and is where the call goes.
 * That of the provider's `upstream` need not be written down.
 */
export interface HostName {
  /** Lower-case. */
  readonly host: string;
  /** Where its paths are to be found at the gateway, behind the provider's id. */
  readonly place?: string;
  /** The paths that are the provider's API, where the host has others; matched against the path as it came. */
  readonly paths?: RegExp;
  /** Its calls go to the provider's `upstream`, which has taken its place. */
  readonly retired?: true;
  /** What its SDKs ask without a key, by `GET`: whoever has shown the proxy a token may, and no key is put on it. */
  readonly keyless?: RegExp;
  /** This host is sent no key. */
  readonly withoutKey?: true;
  /** It is asked for tokens alone: what stands in front of its paths in `ClientTokens.paths`. */
  readonly tokens?: string;
}

/** Hosts that are like the provider's own but for their name. */
export function hosts(...names: readonly string[]): readonly HostName[] {
  return names.map((host) => ({ host }));
}
