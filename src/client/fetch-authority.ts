import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { fingerprintOf, isFingerprint } from "./trust.ts";

/** Why a gateway's certificate is not trusted, and what to do; for the user. */
export class Untrusted extends Error {
  override name = "Untrusted";
}

export interface AuthorityOptions {
  /** What the administrator has said, by whatever way; undefined where nobody was asked. */
  readonly fingerprint: string | undefined;
  /** Certificates that were trusted before, PEM. */
  readonly known: readonly string[];
}

const TIMEOUT_MS = 20_000;
/** Names and constraints make it a few KiB. */
const MAX_BYTES = 256 * 1024;

/**
 * The certificate that a gateway's clients have to trust, asked of the gateway itself.
 *
 * Nothing secret is sent for it, so it may be asked for before the connection can be trusted. What comes that way is
 * taken only where its fingerprint is the one that the administrator has told, or it was trusted before.
 * @param address Of the gateway, without a trailing slash.
 * @returns undefined where it has none of its own.
 * @throws Untrusted, or the platform's error where nobody answers.
 */
export async function fetchAuthority(
  address: string,
  { fingerprint, known }: AuthorityOptions,
): Promise<string | undefined> {
  const { certificate, wasTrusted } = await ask(`${address}/lmk/ca.pem`);
  if (certificate === undefined) return undefined;
  const seen = fingerprintOf(certificate);
  if (seen === undefined) throw new Untrusted(`What ${address}/lmk/ca.pem holds is no certificate.`);
  if (fingerprint !== undefined) {
    if (isFingerprint(fingerprint, seen)) return certificate;
    throw new Untrusted(
      `The certificate of ${address} has the fingerprint ${seen}, which is not the one that you named. Somebody may be in between: ask your administrator.`,
    );
  }
  if (wasTrusted || known.some((one) => fingerprintOf(one) === seen)) return certificate;
  throw new Untrusted(
    `The certificate of ${address} is not trusted here yet. Compare its fingerprint with the one that your administrator has (the gateway prints it when it starts), then name it: --fingerprint ${seen}`,
  );
}

/** Asks without a look at who answers, where looking fails; `wasTrusted` tells. Plain HTTP is what its user chose. */
async function ask(url: string): Promise<{ certificate: string | undefined; wasTrusted: boolean }> {
  if (!url.startsWith("https:")) return { certificate: await get(url, true), wasTrusted: true };
  try {
    return { certificate: await get(url, true), wasTrusted: true };
  } catch (error) {
    if (!isCertificateError(error)) throw error;
    return { certificate: await get(url, false), wasTrusted: false };
  }
}

/** Past all proxies of the environment: the gateway may be the proxy. */
function get(url: string, rejectUnauthorized: boolean): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const options = { agent: false as const, timeout: TIMEOUT_MS };
    const request = url.startsWith("https:")
      ? httpsRequest(url, { ...options, rejectUnauthorized })
      : httpRequest(url, options);
    request.on("timeout", () => request.destroy(new Error("timed out")));
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("latin1");
      response.on("data", (piece: string) => {
        text += piece;
        if (text.length > MAX_BYTES) request.destroy(new Error("is too large"));
      });
      response.on("error", reject);
      response.on("end", () => resolve(response.statusCode === 200 ? text : undefined));
    });
    request.end();
  });
}

function isCertificateError(error: unknown): boolean {
  const { code = "" } = error as { code?: string };
  return /CERT|SIGNATURE|ISSUER|UNABLE_TO_VERIFY/.test(code);
}
