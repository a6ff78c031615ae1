import { formatDollars } from "../domain/money.ts";
import type { Directory } from "../gateway/directory.ts";
import type { Crossing } from "../ledger/ledger.ts";
import type { Webhook } from "../telemetry/webhook.ts";

/** Passes on, to the administrator's webhook, that budgets have reached their thresholds. */
export function tellCrossings(
  webhook: Pick<Webhook, "crossed">,
  directory: Directory,
  report: (message: string) => void,
): (crossing: Crossing) => void {
  return ({ budget, span, percent, posted }) => {
    const scope = [...directory.scopes].find(({ budgets }) => budgets.some(({ id }) => id === budget.id));
    const facts = {
      scope: scope?.name ?? "the organisation",
      budget: budget.name,
      amount: formatDollars(budget.amount),
      spent: formatDollars(posted),
      periodEnd: Number.isFinite(span.end) ? new Date(span.end).toISOString() : null,
    };
    // What is not noted now is noted at the next start.
    webhook.crossed(budget.id, span.start, percent, facts).catch((error: Error) => {
      report(`The webhook could not be told of ${budget.name} at ${percent} %: ${error.message}`);
    });
  };
}
