import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { jsonMembers, type TokenRequest, UnusableCredential } from "../mint.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
/** Google's, whatever address leads there. */
const AUDIENCE = "https://oauth2.googleapis.com/token";
/** The longest that Google takes. */
const LIFETIME_SECONDS = 3600;

/**
 * The grant that a Google service account gets its tokens with: a statement that its private key signs (RFC 7523).
 * @throws UnusableCredential
 */
export function serviceAccountGrant(json: string, now: number): TokenRequest {
  const account = jsonMembers(json);
  if (account?.["type"] !== "service_account") {
    throw new UnusableCredential('is not a service account\'s JSON ("type": "service_account").');
  }
  const email = member(account, "client_email");
  const url = member(account, "token_uri");
  if (!isSafe(url)) throw new UnusableCredential("has a token_uri that is no https:// address.");
  const header = { alg: "RS256", typ: "JWT", kid: account["private_key_id"] };
  const iat = Math.floor(now / 1000);
  const claims = { iss: email, scope: SCOPE, aud: AUDIENCE, iat, exp: iat + LIFETIME_SECONDS };
  const stated = `${encoded(header)}.${encoded(claims)}`;
  const key = privateKey(member(account, "private_key"));
  const signature = sign("RSA-SHA256", Buffer.from(stated), key).toString("base64url");
  return {
    name: email,
    url,
    contentType: "application/x-www-form-urlencoded",
    body: new URLSearchParams({ grant_type: GRANT, assertion: `${stated}.${signature}` }).toString(),
  };
}

/** The project that a service account is of; undefined where its JSON names none that can stand in a path. */
export function serviceAccountProject(json: string): string | undefined {
  const project = jsonMembers(json)?.["project_id"];
  return typeof project === "string" && /^[a-z0-9][a-z0-9.:-]*$/.test(project) ? project : undefined;
}

function member(account: Readonly<Record<string, unknown>>, name: string): string {
  const value = account[name];
  if (typeof value === "string" && value !== "") return value;
  throw new UnusableCredential(`has no ${name}; download the service account's JSON again.`);
}

function privateKey(pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // What is wrong with it may quote it.
  }
  if (key?.asymmetricKeyType === "rsa") return key;
  throw new UnusableCredential("has a private_key that is no RSA key in PEM; download its JSON again.");
}

/** Unencrypted only where nobody can listen. */
function isSafe(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return (
    protocol === "https:" ||
    (protocol === "http:" && /^(?:localhost|\[::1\]|127(?:\.\d+){3})$/.test(hostname))
  );
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
