import { ask, type Question } from "../ask.ts";

/** One request as an SDK in this environment would send it. */
export type Attempt = Pick<Question, "url" | "headers" | "proxy" | "ca">;

/** Why there is no answer, as far as it can be told apart. */
export interface NoAnswer {
  readonly kind: "refused" | "unknown_host" | "timeout" | "untrusted" | "certificate_time" | "other";
  /** The system's code, or what it says. */
  readonly reason: string;
}

const TIMEOUT_MS = 15_000;

export async function send(attempt: Attempt): Promise<Response | NoAnswer> {
  try {
    return await ask({ ...attempt, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    return noAnswer(error);
  }
}

export function isAnswer(result: Response | NoAnswer): result is Response {
  return result instanceof Response;
}

/** What an error of `ask` means. */
export function noAnswer(error: unknown): NoAnswer {
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string };
  const reason = typeof code === "string" ? code : (message ?? "no reason is known");
  if (name === "TimeoutError") return { kind: "timeout", reason: `no answer in ${TIMEOUT_MS / 1000} s` };
  if (/CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/.test(reason)) return { kind: "certificate_time", reason };
  if (/CERT|SIGNATURE|ISSUER|UNABLE_TO_VERIFY|ALTNAME/.test(reason)) return { kind: "untrusted", reason };
  if (/ENOTFOUND|EAI_|DNS/.test(reason)) return { kind: "unknown_host", reason };
  if (/ConnectionRefused|ECONNREFUSED|FailedToOpenSocket/.test(reason)) return { kind: "refused", reason };
  return { kind: "other", reason };
}
