import type { MintedToken } from "./minted-token.ts";

/** A provider's real key, opened, ready to be sent. */
export interface Credential {
  /** `env`, or the stored credential's id. */
  id: string;
  name: string;
  secret: string;
  /** How it is shown. */
  masked: string;
  /** The account that it is of, where paths may have to name it. */
  account?: string;
  /** Its share of the calls, relative to the others': 1 or more. */
  weight: number;
  /** What is sent instead, where tokens are made of it. */
  minted?: MintedToken;
}
