import type { Exceeded } from "./limits.ts";

/** The gateway's own errors. Everything else that reaches a client came from its provider. */
export type RefusalCode =
  | "no_credential"
  | "unknown_provider"
  | "invalid_key"
  | "expired_key"
  | "provider_not_allowed"
  | "endpoint_not_allowed"
  | "model_not_allowed"
  | "network_not_allowed"
  | "host_not_allowed"
  | "object_not_found"
  | "rate_limited"
  | "budget_busy"
  | "budget_exhausted"
  | "unpriced"
  | "credential_rejected"
  | "too_large"
  | "bad_request"
  | "upstream_unreachable"
  | "upstream_timeout"
  | "shutting_down"
  | "storage_unavailable"
  | "internal_error";

interface Kind {
  status: number;
  /** `false`: a retry cannot help, and SDKs are told so. */
  retry: boolean;
}

/** 4xx where waiting changes nothing, 429 and 5xx where it may: SDKs retry by status. */
const REFUSALS: Readonly<Record<RefusalCode, Kind>> = {
  no_credential: { status: 403, retry: false },
  unknown_provider: { status: 404, retry: false },
  invalid_key: { status: 401, retry: false },
  expired_key: { status: 401, retry: false },
  provider_not_allowed: { status: 403, retry: false },
  endpoint_not_allowed: { status: 403, retry: false },
  model_not_allowed: { status: 403, retry: false },
  host_not_allowed: { status: 403, retry: false },
  network_not_allowed: { status: 403, retry: false },
  object_not_found: { status: 404, retry: false },
  rate_limited: { status: 429, retry: true },
  budget_busy: { status: 429, retry: true },
  budget_exhausted: { status: 402, retry: false },
  unpriced: { status: 402, retry: false },
  credential_rejected: { status: 502, retry: false },
  too_large: { status: 413, retry: false },
  bad_request: { status: 400, retry: false },
  upstream_unreachable: { status: 502, retry: true },
  upstream_timeout: { status: 504, retry: true },
  shutting_down: { status: 503, retry: true },
  storage_unavailable: { status: 503, retry: true },
  internal_error: { status: 500, retry: true },
};

export interface RefusalDetail {
  /** Overrides the code's status, for the few refusals that HTTP has a status of their own for. */
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** The limit that was reached: SDKs are told when it will be free again. */
  exceeded?: Exceeded;
  /** For administrators only; never shown to the client. */
  cause?: unknown;
}

/** Thrown anywhere on a request's way; only `gateway/refuse.ts` turns it into an answer. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly status: number;
  readonly retry: boolean;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly exceeded: Exceeded | undefined;

  /** @param publicMessage What happened, why and what to do; shown to the client, so no secret and no address. */
  constructor(code: RefusalCode, publicMessage: string, detail: RefusalDetail = {}) {
    super(publicMessage, { cause: detail.cause });
    this.name = "Refusal";
    this.code = code;
    this.status = detail.status ?? REFUSALS[code].status;
    this.retry = REFUSALS[code].retry;
    this.headers = detail.headers;
    this.exceeded = detail.exceeded;
  }
}
