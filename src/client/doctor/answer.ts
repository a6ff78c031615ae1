import { parseKey } from "../../domain/key.ts";
import { type Finding, fine, note, RENEW, wrong } from "./finding.ts";
import type { GatewayFacts, Planned } from "./provider.ts";
import { isAnswer, type NoAnswer } from "./send.ts";

/** What an answer to the small call says of the set-up. */
export async function judge(
  name: string,
  planned: Planned,
  answer: Response | NoAnswer,
  gateway: GatewayFacts,
): Promise<Finding> {
  const { attempt, baseVariable, expected } = planned;
  const { host, pathname } = new URL(attempt.url);
  if (!isAnswer(answer)) {
    const code = answer.kind === "untrusted" ? "tls_untrusted" : "unreachable";
    return wrong(
      name,
      code,
      `${host} does not answer as ${baseVariable} names it (${answer.reason}). ${RENEW}`,
    );
  }
  const code = answer.headers.get("x-llamakey-refusal");
  if (code !== null) return refusal(name, code, await messageOf(answer), planned, gateway);
  if (!answer.headers.has("x-llamakey-request-id")) {
    return wrong(
      name,
      "wrong_path",
      `What answers at ${attempt.url.split("?")[0]} is not a provider's path of the gateway (status ${answer.status}). ${baseVariable} should be ${expected}.`,
    );
  }
  if (answer.ok) return fine(name, `GET ${pathname} is answered.`);
  return note(
    name,
    "provider_error",
    `The gateway passes GET ${pathname} on, and ${name} answers it with status ${answer.status}.`,
  );
}

function refusal(
  name: string,
  code: string,
  message: string,
  { key, keyVariable, baseVariable, expected }: Planned,
  gateway: GatewayFacts,
): Finding {
  const id = (text: string) => {
    const parsed = parseKey(text);
    return typeof parsed === "string" ? "" : parsed.id;
  };
  switch (code) {
    case "invalid_key": {
      if (message.includes("revoked")) return wrong(name, "revoked_key", `${keyVariable}: ${message}`);
      const isOther = id(key) !== id(gateway.key) || key.slice(-40) !== gateway.key.slice(-40);
      const why = isOther ? "is another one than LMK_KEY" : "is not known";
      return wrong(
        name,
        "old_key",
        `The key in ${keyVariable} ${why}, and the gateway does not take it: ${message} ${RENEW}`,
      );
    }
    case "expired_key":
      return wrong(name, "expired_key", `${keyVariable}: ${message}`);
    case "unknown_provider":
      return wrong(name, "wrong_path", `${message} ${baseVariable} should be ${expected}.`);
    case "credential_rejected":
      return wrong(
        name,
        code,
        `${name} does not take the real key that the gateway has for it. Your administrator mends that: lmk credential list.`,
      );
    case "no_credential":
      return wrong(
        name,
        code,
        `The gateway has no key for ${name}. Your administrator adds one: lmk credential add.`,
      );
    case "endpoint_not_allowed":
    case "rate_limited":
    case "budget_busy":
    case "upstream_unreachable":
    case "upstream_timeout":
      // The way is right; only this call was not for it, or nobody is at its end.
      return note(name, code, message);
    default:
      return wrong(name, code, message);
  }
}

/** In whatever shape this provider's SDKs parse. */
async function messageOf(answer: Response): Promise<string> {
  const texts: string[] = [];
  const walk = (value: unknown) => {
    if (typeof value === "string") texts.push(value);
    else if (typeof value === "object" && value !== null) for (const one of Object.values(value)) walk(one);
  };
  walk(await answer.json().catch(() => "The gateway refused the call."));
  return texts.reduce((longest, text) => (text.length > longest.length ? text : longest), "");
}
