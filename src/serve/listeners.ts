import type { Config } from "../config.ts";
import { Listener } from "../gateway/listen.ts";
import type { Certificates } from "./certificates.ts";
import { StartFailure } from "./failure.ts";

/** Where people and programs reach this gateway, and what listens there; nothing is answered before `Listener.start`. */
export interface Listeners {
  /** For programs; for the console, too, where that has none of its own. */
  readonly listener: Listener;
  /** Undefined where the console and the admin API have no listener of their own. */
  readonly adminListener: Listener | undefined;
  /** Without a trailing slash. */
  readonly publicUrl: string;
  readonly consoleUrl: string;
}

/** @throws StartFailure where an address is taken or cannot be opened. */
export function openListeners(
  config: Config,
  certificates: Certificates | undefined,
  report: (message: string) => void,
): Listeners {
  const open = (place: { readonly host: string; readonly port: number }, setting: string) =>
    openListener(place, setting, certificates?.current, report);
  const listener = open(config, "LMK_LISTEN");
  const publicUrl = config.publicUrl ?? usualAddress(listener.url, config);
  const adminListener = config.adminListen && open(config.adminListen, "LMK_ADMIN_LISTEN");
  const adminUrl = adminListener && usualAddress(adminListener.url, config);
  return { listener, adminListener, publicUrl, consoleUrl: config.adminPublicUrl ?? adminUrl ?? publicUrl };
}

/** By name where clients are to trust the local authority: not all of them know what to think of addresses. */
function usualAddress(url: string, { tls }: Config): string {
  return tls?.kind === "local" ? url.replace(/\/\/(?:127\.0\.0\.1|\[::1\]):/, "//localhost:") : url;
}

/** @param setting That says where it is to listen. */
function openListener(
  { host, port }: { readonly host: string; readonly port: number },
  setting: string,
  certificates: Certificates["current"] | undefined,
  report: (message: string) => void,
): Listener {
  try {
    return new Listener({ host, port, report, ...(certificates === undefined ? {} : { certificates }) });
  } catch (error) {
    const code = (error as { code?: string }).code ?? "unknown reason";
    const why = code === "EADDRINUSE" ? "is taken by another program" : `cannot be opened (${code})`;
    throw new StartFailure(
      `${host}:${port} ${why}. Set ${setting} to another address, for example 127.0.0.1:${port + 1}.`,
    );
  }
}
