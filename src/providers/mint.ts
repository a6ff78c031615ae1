/**
 * How a bearer token is made from a credential that is not sent itself. The credential is one text, as any other: the
 * content of a file, or a JSON object of several variables.
 */
export interface MintRule {
  /** Environment variables that name a file with the credential. */
  readonly files?: readonly string[];
  /** Environment variables that are the credential together, and the name of each in its JSON. */
  readonly variables?: readonly (readonly [variable: string, member: string])[];
  /** The account that a credential is of, where paths may have to name it. */
  account?(secret: string): string | undefined;
  /** The provider's own token server, where the credential does not name one; `LMK_<ID>_AUTH` replaces it. */
  readonly auth?: string;
  /**
   * What to ask of the token server, or undefined for a credential that is sent as it is.
   * @param auth The token server's base address, where the rule has one.
   * @param now Epoch milliseconds.
   * @throws UnusableCredential
   */
  request(secret: string, auth: string, now: number): TokenRequest | undefined;
}

/** A `POST` that a token server answers with `{access_token, expires_in}`. */
export interface TokenRequest {
  /** Whose token it is, for people: no secret. */
  readonly name: string;
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
}

/** A credential that no token can be made from. Its message completes "The key ..." and never quotes it. */
export class UnusableCredential extends Error {
  override name = "UnusableCredential";
}

/** The members of a JSON object, or undefined for any other text. */
export function jsonMembers(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
