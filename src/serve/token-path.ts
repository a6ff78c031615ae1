import type { Clock } from "../domain/clock.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Signer } from "../gateway/capability.ts";
import { clientToken, LIFETIME_SECONDS } from "../gateway/client-token.ts";
import type { Directory } from "../gateway/directory.ts";
import { bareKey, identify, type KeyHasher, requireActive } from "../gateway/identify.ts";
import { knownProviders } from "../providers/catalogue.ts";
import { shortText } from "./short-text.ts";

const MAX_BODY_BYTES = 16 * 1024;

interface Parts {
  readonly directory: Directory;
  readonly hasher: KeyHasher;
  readonly signer: Signer;
  readonly clock: Clock;
}

/**
 * Gives a short-lived token for a master key, as the token servers of providers do for theirs: SDKs that know no other
 * way send it in place of the key. Client ids and secrets beside the key are nobody's, and not looked at.
 */
export function tokenPath(parts: Parts): (request: Request, provider: string) => Promise<Response> {
  return async (request, provider) => {
    try {
      const grants = knownProviders.find(({ id }) => id === provider)?.clientTokens?.grants ?? {};
      const key = masterKeyIn(await parameters(request), grants, request.headers);
      return answer(200, {
        access_token: tokenFor(key, provider, parts),
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        token_type: "Bearer",
        expires_in: LIFETIME_SECONDS,
      });
    } catch (error) {
      if (error instanceof GrantProblem) {
        return answer(error.status, { error: error.code, error_description: error.message });
      }
      if (!(error instanceof Refusal)) throw error;
      const body = { error: "invalid_grant", error_description: error.message };
      return answer(error.status, body, { "x-llamakey-refusal": error.code });
    }
  };
}

/** A request that no token server would understand (RFC 6749, 5.2). */
class GrantProblem extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

function masterKeyIn(
  sent: ReadonlyMap<string, string>,
  grants: Readonly<Record<string, string>>,
  headers: Headers,
): string {
  const [only, another] = Object.keys(grants);
  // Vectara's asynchronous client leaves it out: there is but one.
  const grant = sent.get("grant_type") ?? (another === undefined ? only : undefined) ?? "";
  const parameter = Object.hasOwn(grants, grant) ? grants[grant] : undefined;
  if (parameter === undefined) {
    throw new GrantProblem(
      "unsupported_grant_type",
      `The grant_type must be one of: ${Object.keys(grants).join(", ")}.`,
    );
  }
  const key = sent.get(parameter) ?? (parameter === "client_secret" ? basicSecret(headers) : undefined);
  if (!key)
    throw new GrantProblem("invalid_request", `The master key is missing; it belongs in ${parameter}.`);
  return key;
}

/** A client may send its secret as a password instead (RFC 6749, 2.3.1). */
function basicSecret(headers: Headers): string | undefined {
  const [, encoded] = /^basic +(\S+)$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon === -1 ? undefined : pair.slice(colon + 1);
}

function tokenFor(sent: string, provider: string, { directory, hasher, signer, clock }: Parts): string {
  const now = clock.now();
  const holder = identify(new Headers(), { keys: [sent] }, directory, hasher, now);
  requireActive(holder, now);
  return clientToken(provider, holder.key.id, hasher.hashKey(bareKey(sent)), signer, now);
}

/** The members of a form, or of a JSON object. */
async function parameters(request: Request): Promise<ReadonlyMap<string, string>> {
  if (request.method !== "POST")
    throw new GrantProblem("invalid_request", "Tokens are asked for by POST.", 405);
  const text = await shortText(request, MAX_BODY_BYTES);
  if (text === undefined) throw new GrantProblem("invalid_request", "The body is too large.", 413);
  if (!/json/i.test(request.headers.get("content-type") ?? "")) return new Map(new URLSearchParams(text));
  try {
    const entries = Object.entries(JSON.parse(text) as object);
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    throw new GrantProblem("invalid_request", "The body is no JSON object.");
  }
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { ...headers, "cache-control": "no-store" } });
}
