import type { Upstream } from "../gateway/upstreams.ts";

/** True where requests can be sent there: it has the credential that it needs, or needs none. */
export function isUsable({ provider, pool }: Upstream): boolean {
  return pool.size > 0 || !provider.credential.required;
}
