/** Why a call to an upstream failed below HTTP, or because what came back is no HTTP. */
export class UpstreamFailure extends Error {
  override readonly name = "UpstreamFailure";
  /** The platform's own where it has one (`ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, ...). */
  readonly code: string;
  /** False where not a byte of the request can have reached the upstream. */
  readonly isSent: boolean;

  constructor(code: string, message: string, isSent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.isSent = isSent;
  }
}

/** What came is not HTTP/1.1: nothing after it can be trusted either. */
export class MalformedAnswer extends Error {
  override readonly name = "MalformedAnswer";
}

/** The code of a connection that was closed as one should, but too early. */
export const CLOSED = "ECLOSED";
