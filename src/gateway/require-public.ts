import { unreachable } from "./in-flight.ts";
import { networkOf } from "./private-address.ts";
import type { Upstream } from "./upstreams.ts";

/** How long a look is good for, milliseconds. */
const GOOD_MS = 5_000;

/**
 * Looks whether the name of somebody's server still leads out to the internet: whoever owns it can let it lead elsewhere,
 * and users say which path is asked for there.
 * @throws Refusal `upstream_unreachable`
 */
export async function requirePublic(upstream: Upstream, now: number): Promise<void> {
  if (now - upstream.publicAt < GOOD_MS) return;
  const network = await networkOf(new URL(upstream.base).hostname);
  // What does not resolve here may do so where a proxy is, and nowhere else.
  if (network === "private" || network === "metadata")
    throw unreachable(upstream, { code: "its name leads to an address that is not public" });
  upstream.publicAt = now;
}
