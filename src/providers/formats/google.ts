import type { ErrorFormat } from "../provider.ts";
import { googleRetryInfo } from "./limit-headers.ts";

const STATUSES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  402: "RESOURCE_EXHAUSTED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  408: "DEADLINE_EXCEEDED",
  413: "INVALID_ARGUMENT",
  426: "UNIMPLEMENTED",
  429: "RESOURCE_EXHAUSTED",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** `{"error":{code,message,status,details}}`: Gemini and Vertex; `code` is the HTTP status again. */
export const googleErrors: ErrorFormat = {
  body: (refusal, requestId, status) => ({
    error: {
      code: status,
      message: refusal.message,
      status: STATUSES[status] ?? "INTERNAL",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: refusal.code.toUpperCase(),
          domain: "llamakey",
          metadata: { requestId },
        },
        ...(refusal.exceeded === undefined ? [] : [googleRetryInfo(refusal.exceeded)]),
      ],
    },
  }),
  requestIdHeader: undefined,
};

/** Names the project that pays, which the gateway's key is not part of. */
export const googleAccountHeaders = ["x-goog-user-project"];
