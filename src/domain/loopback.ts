/** True for an address of this very machine. */
export function isLoopbackAddress(address: string): boolean {
  return address === "::1" || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(address);
}

/** True for a URL's host name that cannot be another machine. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Where a browser on this machine finds what listens here: by name, for a bare address cannot have passkeys. */
export function browserUrl(url: string): string {
  const parsed = new URL(url);
  if (!isLoopbackHost(parsed.hostname)) return url;
  return `${parsed.protocol}//localhost${parsed.port === "" ? "" : `:${parsed.port}`}${parsed.pathname.replace(/\/$/, "")}`;
}
