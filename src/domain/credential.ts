/** A provider's real key as it is kept: sealed, bound to its row and to the origin that it may be sent to. */
export interface StoredCredential {
  id: string;
  provider: string;
  name: string;
  /** The upstream base that the key was given for; another one makes it unreadable. */
  upstream: string;
  sealed: Uint8Array;
  /** Enough to recognise the key: see `mask`. */
  masked: string;
  /** Its share of the calls, relative to the provider's other credentials': 1 or more. */
  weight: number;
  createdAt: number;
}
