import type { Exceeded } from "../domain/limits.ts";
import { Refusal } from "../domain/refusal.ts";
import { openaiErrors } from "../providers/formats/openai.ts";
import type { ErrorFormat, Provider } from "../providers/provider.ts";

/** Turns whatever was thrown into a refusal; what is no refusal is ours to mend and shows nothing of itself. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal("internal_error", "The gateway failed on this request; its log says more.", {
    cause: error,
  });
}

/**
 * The answer to a refused request, in the shape that this provider's SDKs parse.
 * @param now Epoch milliseconds, for those that are told when a limit ends.
 * @param contact Whom clients may ask, where the administrator says so.
 */
export function refusalResponse(
  refusal: Refusal,
  provider: Provider | undefined,
  requestId: string,
  method: string,
  now = Date.now(),
  contact: string | null = null,
): Response {
  const format = provider?.errors ?? openaiErrors;
  const status = format.statusOf?.(refusal) ?? refusal.status;
  const headers = new Headers({
    "content-type": "application/json",
    "x-llamakey-request-id": requestId,
    "x-llamakey-refusal": refusal.code,
  });
  if (format.requestIdHeader !== undefined) headers.set(format.requestIdHeader, requestId);
  if (!refusal.retry) headers.set("x-should-retry", "false");
  if (refusal.retry && (status === 429 || status === 503)) headers.set("retry-after", "2");
  if (refusal.exceeded !== undefined) setLimit(headers, refusal.exceeded, format, now);
  for (const [name, value] of Object.entries(refusal.headers ?? {})) headers.set(name, value);
  const body =
    method === "HEAD" ? null : JSON.stringify(format.body(addressed(refusal, contact), requestId, status));
  return new Response(body, { status, headers });
}

/** With the administrator's own address where the message tells to ask one. */
function addressed(refusal: Refusal, contact: string | null): Refusal {
  const message =
    contact === null
      ? refusal.message
      : refusal.message.replace(ADMINISTRATOR, `$& (${contact.replaceAll("$", "$$$$")})`);
  if (message === refusal.message) return refusal;
  const { code, status, headers = {}, exceeded } = refusal;
  return new Refusal(code, message, { status, headers, ...(exceeded !== undefined && { exceeded }) });
}

const ADMINISTRATOR = /\byour administrator\b/i;

/** OpenAI's SDKs take no notice of a longer wait. */
const LONGEST_WAIT_MS = 60_000;

function setLimit(headers: Headers, exceeded: Exceeded, format: ErrorFormat, now: number): void {
  const waitMs = Math.min(Math.max(1, Math.ceil(exceeded.retryAfterMs)), LONGEST_WAIT_MS);
  headers.set("retry-after", String(Math.ceil(waitMs / 1000)));
  headers.set("retry-after-ms", String(waitMs));
  const further = format.limitHeaders?.({ ...exceeded, retryAfterMs: waitMs }, now) ?? {};
  for (const [name, value] of Object.entries(further)) headers.set(name, value);
}
