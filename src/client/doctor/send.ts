/** One request as an SDK in this environment would send it. */
export interface Attempt {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The proxy that it goes through; undefined for none, whatever the environment says. */
  readonly proxy?: string | undefined;
  /** What is trusted instead of the platform's own, PEM; undefined for that. */
  readonly ca?: string | undefined;
}

/** Why there is no answer, as far as it can be told apart. */
export interface NoAnswer {
  readonly kind: "refused" | "unknown_host" | "timeout" | "untrusted" | "certificate_time" | "other";
  /** The system's code, or what it says. */
  readonly reason: string;
}

const TIMEOUT_MS = 15_000;

/** Never follows: what is sent holds a key. */
export async function send({ url, headers = {}, proxy, ca }: Attempt): Promise<Response | NoAnswer> {
  try {
    const response = await fetch(url, {
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // `false` keeps the platform from looking for a proxy in the environment itself.
      proxy: proxy ?? false,
      ...(ca === undefined ? {} : { tls: { ca } }),
    } as RequestInit);
    return new Response(await response.text(), response);
  } catch (error) {
    return noAnswer(error);
  }
}

export function isAnswer(result: Response | NoAnswer): result is Response {
  return result instanceof Response;
}

function noAnswer(error: unknown): NoAnswer {
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string };
  const reason = typeof code === "string" ? code : (message ?? "no reason is known");
  if (name === "TimeoutError") return { kind: "timeout", reason: `no answer in ${TIMEOUT_MS / 1000} s` };
  if (/CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/.test(reason)) return { kind: "certificate_time", reason };
  if (/CERT|SIGNATURE|ISSUER|UNABLE_TO_VERIFY|ALTNAME/.test(reason)) return { kind: "untrusted", reason };
  if (/ENOTFOUND|EAI_|DNS/.test(reason)) return { kind: "unknown_host", reason };
  if (/ConnectionRefused|ECONNREFUSED|FailedToOpenSocket/.test(reason)) return { kind: "refused", reason };
  return { kind: "other", reason };
}

/** The proxy that programs take for an address, by the variables that most of them read; undefined for none. */
export function proxyFor(
  address: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly variable: string; readonly url: string } | undefined {
  const { protocol, hostname } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, "");
  const direct = (environment["NO_PROXY"] || environment["no_proxy"] || "").split(",");
  const isDirect = direct
    .map((one) => one.trim().replace(/^\./, "").replace(/:\d+$/, ""))
    .some((one) => one !== "" && (one === "*" || host === one || host.endsWith(`.${one}`)));
  if (isDirect) return undefined;
  const names = protocol === "https:" ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  for (const variable of [...names, "ALL_PROXY", "all_proxy"]) {
    const url = environment[variable];
    if (url) return { variable, url: /^\w+:\/\//.test(url) ? url : `http://${url}` };
  }
  return undefined;
}
