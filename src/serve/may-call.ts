import { type AskedCall, atTheDoor, decide } from "../domain/decide.ts";
import { Refusal } from "../domain/refusal.ts";
import type { KeyHolder } from "../gateway/directory.ts";

/**
 * For what is no call to a provider: from where, and until when, a key's calls are allowed at all.
 * @throws Refusal `expired_key` or `network_not_allowed`.
 */
export function requireMayCall(
  { scopes }: Pick<KeyHolder, "scopes">,
  address: string | null,
  at: number,
): void {
  const questions = atTheDoor.filter(({ code }) => code === "expired_key" || code === "network_not_allowed");
  const { denial } = decide({ address, at } as AskedCall, scopes, questions);
  if (denial !== undefined) throw new Refusal(denial.code, denial.message);
}
