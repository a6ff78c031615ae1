import type { Provider } from "../providers/provider.ts";

/** Where the gateway is a proxy, and with which login. */
export interface ProxyAddress {
  /** Without a login and a trailing slash. */
  readonly url: string;
  /** For tunnels to hosts that are no provider's, and for what SDKs ask without a key. */
  readonly token: string;
}

/** What proxy mode's variables depend on. */
export interface ProxySettings extends ProxyAddress {
  /** Hosts that the user's own environment reaches directly: the value of `NO_PROXY` there. */
  readonly direct?: string;
}

/** Hosts that are reached directly: this machine, and the gateway itself. */
const DIRECT = ["localhost", "127.0.0.1", "::1"];

/**
 * The variables that lead programs through the gateway which read no base address: the proxy, and keys that are set only
 * where the proxy is. What they have to trust for it: `trustVariables`.
 */
export function proxyVariables(
  publicUrl: string,
  key: string,
  providers: readonly Provider[],
  proxy: ProxySettings,
): [name: string, value: string][] {
  const address = withLogin(proxy);
  const gateway = new URL(publicUrl).hostname.replace(/^\[|\]$/g, "");
  const further = (proxy.direct ?? "").split(",").map((one) => one.trim());
  const direct = [...new Set([...DIRECT, gateway, ...further])].filter((one) => one !== "").join(",");
  const variables = new Map<string, string>([
    // Some read the one, some the other; nothing reads HTTP_PROXY for https.
    ["HTTPS_PROXY", address],
    ["https_proxy", address],
    ["NO_PROXY", direct],
    ["no_proxy", direct],
    // Node has read them by itself since 22.21 and 24.5, where it is told to.
    ["NODE_USE_ENV_PROXY", "1"],
  ]);
  for (const { client } of providers) {
    for (const one of client.keys) {
      if (
        typeof one !== "string" &&
        one.unguided === true &&
        one.value === undefined &&
        one.inProxyMode !== false
      )
        variables.set(one.name, (one.prefix ?? "") + key);
    }
    for (const name of client.proxies ?? []) variables.set(name, address);
  }
  return [...variables];
}

function withLogin({ url, token }: ProxyAddress): string {
  const address = new URL(url);
  address.username = "lmk";
  address.password = token;
  return address.href.replace(/\/$/, "");
}
