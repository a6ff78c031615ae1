import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { proxyFor } from "../ask.ts";
import { type Environment, type Finding, fine, RENEW, wrong } from "./finding.ts";
import { isAnswer, type NoAnswer, send } from "./send.ts";

/** What was found of the gateway itself. */
export interface Reached {
  readonly findings: readonly Finding[];
  /** Whether calls are worth a try; the rest only then. */
  readonly isThere: boolean;
  /** The proxy that the environment leads to it through. */
  readonly proxy: string | undefined;
  /** What must be trusted for it, PEM; undefined for what the platform trusts. */
  readonly ca: string | undefined;
}

const SUBJECT = "gateway";
/** Tokens and certificates tell times; a few minutes do no harm. */
const MAX_SKEW_MS = 5 * 60_000;

/** Whether anybody is there, who it is, and what stands between: proxy, trust, clock. */
export async function lookAtGateway(address: string, environment: Environment): Promise<Reached> {
  const url = `${address}/healthz`;
  const trust = await trustIn(url, environment);
  const { ca } = trust;
  const proxy = proxyFor(address, environment);
  const through = await send({ url, ca, proxy: proxy?.url });
  if (isAnswer(through) && (await isGateway(through))) {
    const findings = [...trust.findings, ...clockOf(through)];
    const all = findings.length > 0 ? findings : [fine(SUBJECT, `${address} answers.`)];
    return { findings: all, isThere: true, proxy: proxy?.url, ca };
  }
  const gone = { isThere: false, proxy: undefined, ca };
  if (proxy !== undefined) {
    const straight = await send({ url, ca });
    if (isAnswer(straight) && (await isGateway(straight))) {
      const { hostname } = new URL(address);
      const message = `${proxy.variable} sends calls to the gateway through ${hostOf(proxy.url)}, which does not pass them on; without it ${address} answers. Add ${hostname} to NO_PROXY and no_proxy.`;
      return { findings: [wrong(SUBJECT, "proxy_wrong", message)], ...gone };
    }
  }
  if (isAnswer(through)) {
    const message = `What answers at ${address} is not a LlaMaKey gateway (status ${through.status}). Check LMK_URL.`;
    return { findings: [wrong(SUBJECT, "not_a_gateway", message)], ...gone };
  }
  return { findings: [unreachable(address, through)], ...gone };
}

async function isGateway(answer: Response): Promise<boolean> {
  return answer.status === 200 && (await answer.clone().text()) === "ok\n";
}

function unreachable(address: string, { kind, reason }: NoAnswer): Finding {
  const now = new Date().toISOString();
  switch (kind) {
    case "untrusted":
      return wrong(
        SUBJECT,
        "tls_untrusted",
        `The certificate of ${address} is trusted by nothing in this environment (${reason}). ${RENEW} It asks for the fingerprint that your administrator has.`,
      );
    case "certificate_time":
      return wrong(
        SUBJECT,
        "clock",
        `The certificate of ${address} is not valid at this time (${reason}). This machine's clock says ${now}: set it right if it is wrong; else tell your administrator.`,
      );
    case "unknown_host":
      return wrong(
        SUBJECT,
        "unreachable",
        `There is no host of the name in ${address}. Check LMK_URL, or your network.`,
      );
    default:
      return wrong(
        SUBJECT,
        "unreachable",
        `No gateway answers at ${address} (${reason}). See whether it runs, and whether this network is let to it.`,
      );
  }
}

function clockOf(answer: Response): Finding[] {
  const there = Date.parse(answer.headers.get("date") ?? "");
  const skew = Date.now() - there;
  if (Number.isNaN(there) || Math.abs(skew) < MAX_SKEW_MS) return [];
  const minutes = Math.round(Math.abs(skew) / 60_000);
  const message = `This machine's clock is ${minutes} minutes ${skew > 0 ? "ahead of" : "behind"} the gateway's, so that tokens and certificates seem to have ended. Set it by the network's time.`;
  return [wrong(SUBJECT, "clock", message)];
}

/** Variables by which programs are told whom to trust, and which programs those are. */
const TRUST: readonly (readonly [variable: string, readers: string, adds: boolean])[] = [
  ["SSL_CERT_FILE", "Python's SDKs", false],
  ["REQUESTS_CA_BUNDLE", "Python programs that use requests", false],
  ["NODE_EXTRA_CA_CERTS", "Node programs", true],
];

/** Each is tried by itself: programs of one language may trust what those of another do not. */
async function trustIn(
  url: string,
  environment: Environment,
): Promise<{ findings: Finding[]; ca: string | undefined }> {
  if (!url.startsWith("https:")) return { findings: [], ca: undefined };
  const findings: Finding[] = [];
  let ca: string | undefined;
  for (const [variable, readers, adds] of TRUST) {
    const file = environment[variable];
    const own = file ? textOf(file) : undefined;
    if (file && own === undefined) {
      findings.push(
        wrong(variable, "tls_untrusted", `${variable} names ${file}, which cannot be read. ${RENEW}`),
      );
      continue;
    }
    if (own !== undefined && !own.includes("BEGIN CERTIFICATE")) {
      findings.push(
        wrong(variable, "tls_untrusted", `${variable} names ${file}, which holds no certificate. ${RENEW}`),
      );
      continue;
    }
    const trusted =
      own === undefined ? rootCertificates.join("\n") : adds ? `${rootCertificates.join("\n")}\n${own}` : own;
    const tried = await send({ url, ca: trusted });
    if (isAnswer(tried)) ca ??= trusted;
    else if (tried.kind === "untrusted") {
      const what = file ? `${variable} does not hold it` : `${variable} is not set`;
      findings.push(
        wrong(
          variable,
          "tls_untrusted",
          `${readers} do not trust the gateway's certificate: ${what}. ${RENEW}`,
        ),
      );
    }
  }
  // Where nobody trusts it, that is said once.
  return ca === undefined ? { findings: [], ca } : { findings, ca };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "an address that is none";
}
