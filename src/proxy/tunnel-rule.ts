/** Which hosts may be tunnelled to beside those of the providers; none by default. */
export interface TunnelRule {
  readonly any: boolean;
  readonly names: ReadonlySet<string>;
  /** `.example.com` for all names below it. */
  readonly suffixes: readonly string[];
}

export function mayTunnel(host: string, { any, names, suffixes }: TunnelRule): boolean {
  return any || names.has(host) || suffixes.some((suffix) => host.endsWith(suffix));
}

/** True where the host is one of these domains, or below one. */
export function isWithin(host: string, domains: ReadonlySet<string>): boolean {
  for (let name = host; ; name = name.slice(name.indexOf(".") + 1)) {
    if (domains.has(name)) return true;
    if (!name.includes(".")) return false;
  }
}
