import type { Config } from "../config.ts";
import type { Budget } from "../domain/budget.ts";
import type { Clock } from "../domain/clock.ts";
import type { Store } from "../domain/store.ts";
import type { Directory } from "../gateway/directory.ts";
import type { Journal } from "../ledger/journal.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openLedger } from "../ledger/open.ts";
import type { Provider } from "../providers/provider.ts";
import { Webhook } from "../telemetry/webhook.ts";
import type { Vault } from "../vault/vault.ts";
import { tellCrossings } from "./crossings.ts";
import { Organisation, webhookProblem } from "./organisation.ts";
import { Prices } from "./prices.ts";
import { recover } from "./recover.ts";
import { Repricer } from "./repricer.ts";
import { systemTimer } from "./timer.ts";

/** What calls cost, what they may cost, and where that is written down. */
export interface Accounting {
  readonly prices: Prices;
  readonly organisation: Organisation;
  readonly webhook: Webhook;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly repricer: Repricer;
  /** To be called when policies, keys or the time zone have changed. */
  readonly budgetsChanged: () => void;
}

interface Given {
  readonly config: Pick<Config, "upstreamProxy">;
  /** Those of the moment. */
  readonly providers: () => readonly Provider[];
  readonly store: Store;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Loaded: its budgets are in force from the first call on. */
  readonly directory: Directory;
  readonly report: (message: string) => void;
}

/** Opens the ledger, and ends what the process before this one left in it. */
export async function openAccounting(given: Given): Promise<Accounting> {
  const { config, providers, store, vault, clock, directory, report } = given;
  const prices = new Prices(store, providers, report);
  await prices.load();
  const organisation = new Organisation(store, vault);
  await organisation.load();
  const webhook = new Webhook({
    store,
    clock,
    settings: () => organisation.settings.webhook,
    openSecret: (set) => organisation.openSecret(set),
    problemOf: webhookProblem,
    proxy: config.upstreamProxy,
    report,
  });
  await webhook.resume();
  const { ledger, journal, orphans, unlogged } = await openLedger({
    store,
    key: vault.keyFor("ledger"),
    clock,
    timer: systemTimer,
    report,
    onCrossing: tellCrossings(webhook, directory, report),
  });
  const budgetsChanged = () => ledger.setBudgets(budgetsOf(directory), organisation.settings.timeZone);
  budgetsChanged();
  ledger.tellReached();
  const repricer = new Repricer({ store, ledger, prices: () => prices.book, clock });
  await recover(orphans, unlogged, store, journal, report);
  return { prices, organisation, webhook, ledger, journal, repricer, budgetsChanged };
}

function budgetsOf(directory: Directory): Budget[] {
  return [...directory.scopes].flatMap(({ budgets, shadow }) =>
    budgets.map((budget) => (shadow ? { ...budget, shadow } : budget)),
  );
}
