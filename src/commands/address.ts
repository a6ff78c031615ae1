import { Failure } from "./failure.ts";
import type { Settings } from "./settings.ts";

/**
 * Where the gateway is: what was asked for, else `LMK_URL`, else where `LMK_LISTEN` makes it listen.
 * @returns the address without a trailing slash.
 */
export function gatewayAddress(asked: string | undefined, settings: Settings): string {
  if (asked !== undefined) return checkedAddress(asked, "--url");
  const url = settings("LMK_URL");
  if (url !== undefined) return checkedAddress(url, "LMK_URL");
  // A certificate of the administrator's names the public address alone.
  const named = settings("LMK_TLS_CERT") === undefined ? undefined : settings("LMK_PUBLIC_URL");
  if (named !== undefined) return checkedAddress(named, "LMK_PUBLIC_URL");
  const scheme = settings("LMK_TLS") ?? settings("LMK_TLS_CERT");
  const address = listenAddress(settings("LMK_LISTEN") ?? "127.0.0.1:8000");
  if (scheme === undefined) return address;
  return address.replace(/^http:/, "https:").replace(/\/\/(?:127\.0\.0\.1|\[::1\]):/, "//localhost:");
}

/** Where the admin API is: on a listener of its own, where the gateway of this folder has one. */
export function adminAddress(asked: string | undefined, settings: Settings): string {
  const listen = settings("LMK_ADMIN_LISTEN");
  return asked === undefined && listen !== undefined
    ? listenAddress(listen)
    : gatewayAddress(asked, settings);
}

/** @param origin Who gave it, for the message. */
function checkedAddress(text: string, origin: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new Failure(`${origin} must be the gateway's address, such as http://127.0.0.1:8000.`);
  }
  return text.trim().replace(/\/+$/, "");
}

/** True where no other machine is involved, so that no proxy may be either. */
export function isLoopback(address: string): boolean {
  const host = new URL(address).hostname;
  return (
    host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d+){3}$/.test(host)
  );
}

function listenAddress(listen: string): string {
  const match = /^(?:(.*):)?(\d{1,5})$/.exec(listen);
  const port = match?.[2];
  if (port === undefined || Number(port) === 0) {
    throw new Failure(
      `LMK_LISTEN is "${listen}", which does not tell the port. Name the gateway with --url or LMK_URL.`,
    );
  }
  const host = match?.[1] || "127.0.0.1";
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "[::]" ? "[::1]" : host;
  return `http://${reachable}:${port}`;
}
