import { isLoopbackAddress, isLoopbackHost } from "../../domain/loopback.ts";

/** A page on which people may sign in. */
export interface Page {
  /** `https://llm.example.com`, `http://localhost:8000`. */
  readonly origin: string;
  /** TLS all the way: cookies that nothing else can read or set. */
  readonly https: boolean;
}

/** Where a browser is: on such a page, or where nobody may sign in, and why. */
export type Place = Page | { readonly refusal: string };

/** Written by proxies: whoever sent one is not on this machine, wherever the connection came from. */
const FORWARDING = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "via",
];

/**
 * Finds out which page this request comes from, or would come from.
 *
 * Two pages may sign people in: the console at its public address, if that is https, and the console on this very
 * machine. `Host` is believed for the second only where the connection comes from this machine and no proxy is in
 * between; it decides nothing else, so that a name that somebody has pointed here opens nothing.
 *
 * @param address Of the client.
 * @param publicUrl Of the console.
 */
export function placeOf(headers: Headers, address: string | null, publicUrl: string): Place {
  const { origin: known, protocol, hostname } = new URL(publicUrl);
  const origin = headers.get("origin");
  if (
    protocol === "https:" &&
    (origin === known || (origin === null && !isOnThisMachine(headers, address)))
  ) {
    return { origin: known, https: true };
  }
  if (isOnThisMachine(headers, address)) {
    const host = headers.get("host");
    const hasTls = protocol === "https:" && isLoopbackHost(hostname);
    const https = origin === null ? hasTls : origin === `https://${host}`;
    return { origin: `${https ? "https" : "http"}://${host}`, https };
  }
  return {
    refusal:
      protocol === "https:"
        ? `Sign in at ${known}/console/: that is this console's address.`
        : "Signing in needs https, or a browser on the gateway's own machine: over plain HTTP anybody on the way could read the session. Put TLS in front and set LMK_PUBLIC_URL to its https address, or tunnel: ssh -L 8000:localhost:8000 <gateway>.",
  };
}

/**
 * Whether a request that changes something was made by that page itself, as the browser says.
 * A page of another origin can neither leave these headers out nor choose them.
 */
export function isFromPage(headers: Headers, place: Place): boolean {
  const site = headers.get("sec-fetch-site");
  return (
    "origin" in place && headers.get("origin") === place.origin && (site === null || site === "same-origin")
  );
}

/** Whether a request that only reads may use the page's cookies: made by the page, or typed in by the user. */
export function mayRead(headers: Headers, place: Place): boolean {
  const site = headers.get("sec-fetch-site");
  return "origin" in place && (site === null || site === "same-origin" || site === "none");
}

function isOnThisMachine(headers: Headers, address: string | null): boolean {
  const host = headers.get("host") ?? "";
  return (
    address !== null &&
    isLoopbackAddress(address) &&
    URL.canParse(`http://${host}`) &&
    new URL(`http://${host}`).host === host.toLowerCase().replace(/:80$/, "") &&
    isLoopbackHost(new URL(`http://${host}`).hostname) &&
    !FORWARDING.some((name) => headers.has(name))
  );
}
