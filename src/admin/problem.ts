import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { Conflict, StorageFailure } from "../domain/store.ts";
import { CredentialProblem } from "./credential-problem.ts";

export const TITLES: Record<number, string> = {
  400: "Bad request",
  401: "Not signed in",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  412: "Changed meanwhile",
  413: "Too large",
  415: "Not JSON",
  422: "Not acceptable",
  429: "Too many requests",
  500: "Internal error",
  503: "Storage unavailable",
};

/** What programs tell apart among answers of one status, beside the text for people. */
export class CodedProblem extends HTTPException {
  readonly code: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: 401 | 403 | 409 | 422 | 429,
    message: string,
    code: string,
    retryAfterSeconds?: number,
  ) {
    super(status, { message });
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function forbidden(message: string, code: string): CodedProblem {
  return new CodedProblem(403, message, code);
}

/** An answer of RFC 9457: `{type, title, status, detail}`, and for some a `code`. */
export function problem(status: number, detail: string, code?: string, retryAfterSeconds?: number): Response {
  const body = { type: "about:blank", title: TITLES[status] ?? "Error", status, detail, code };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
    },
  });
}

/** The only place where errors of the admin API become answers; what is not foreseen shows nothing of itself. */
export function problemOf(error: unknown, report: (message: string) => void): Response {
  if (error instanceof CodedProblem) {
    return problem(error.status, error.message, error.code, error.retryAfterSeconds);
  }
  if (error instanceof HTTPException) return problem(error.status, error.message);
  if (error instanceof Conflict) return problem(409, error.message);
  if (error instanceof CredentialProblem) return problem(422, error.message);
  if (error instanceof StorageFailure) {
    report(`admin: ${error.message}`);
    return problem(503, "The database cannot be used at the moment.");
  }
  report(
    `admin: ${error instanceof Error ? (error.stack ?? error.message) : "something that is no error was thrown"}`,
  );
  return problem(500, "The gateway failed on this request; its log says more.");
}

export function notFound(what: string, ref: string): HTTPException {
  return new HTTPException(404, { message: `There is no ${what} "${ref.slice(0, 80)}".` });
}

/** For zod-openapi: names the first field that does not fit. */
export function validationHook(
  result:
    | { success: true }
    | { success: false; error: { issues: { path: PropertyKey[]; message: string }[] } },
  _context: Context,
): Response | undefined {
  if (result.success) return undefined;
  const [issue] = result.error.issues;
  const where = issue?.path.map(String).join(".") ?? "";
  return problem(
    400,
    where === "" ? (issue?.message ?? "The request does not fit.") : `${where}: ${issue?.message}`,
  );
}
