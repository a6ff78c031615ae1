import { Refusal } from "../domain/refusal.ts";
import { Hold, type Ledger } from "../ledger/ledger.ts";
import type { Call } from "./authorise.ts";
import type { KeyHolder } from "./directory.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Puts a hold on the disk for a call that is about to be forwarded.
 * @throws Refusal `budget_exhausted`, `budget_busy`, `unpriced`, or `storage_unavailable`.
 */
export async function admit(
  call: Call,
  holder: KeyHolder,
  exchange: Exchange,
  ledger: Ledger,
): Promise<void> {
  const facts = {
    requestId: exchange.id,
    attempt: 1,
    at: exchange.at,
    keyId: holder.key.id,
    userId: holder.user.id,
    groupId: holder.group.id,
    provider: call.route.upstream.provider.id,
    method: call.method,
    endpoint: exchange.endpoint,
    model: exchange.model,
  };
  const hold = ledger.reserve(facts, [], null);
  if (!(hold instanceof Hold)) throw new Error("a hold without budgets was refused");
  exchange.hold = hold;
  try {
    await hold.durable;
  } catch (cause) {
    hold.void();
    throw new Refusal(
      "storage_unavailable",
      "The gateway cannot record requests at the moment; try again later.",
      {
        cause,
      },
    );
  }
  // The client may have left meanwhile.
  if (exchange.ended) throw exchange.abort.signal.reason;
}
