import type { Clock } from "../domain/clock.ts";
import type { AccountId, Block, Costing, HoldRecord } from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import type { Repriced, RepricedModel, RepriceFilter } from "../domain/repricing.ts";
import type { LedgerStore } from "../domain/store.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { correctionsIn, parseRecords } from "../ledger/records.ts";
import type { PriceBook } from "../pricing/book.ts";
import { priceOf } from "../pricing/costing.ts";

/** Blocks in memory at a time; between pages, requests have their turn. */
const BLOCKS = 50;
/** Corrections that are written together. */
const TOGETHER = 1000;

export interface RepricerParts {
  readonly store: Pick<LedgerStore, "readBlocks" | "readAccounts">;
  readonly ledger: Pick<Ledger, "correct">;
  readonly prices: () => PriceBook;
  readonly clock: Clock;
}

/** A call that was posted at another cost than it has by the prices in force. */
interface Difference {
  readonly hold: HoldRecord;
  /** Corrections included. */
  readonly posted: Nanos;
  readonly cost: Nanos;
}

/** Corrects what calls cost, where prices were missing or wrong. */
export class Repricer {
  private readonly parts: RepricerParts;
  private last: Promise<unknown> = Promise.resolve();

  constructor(parts: RepricerParts) {
    this.parts = parts;
  }

  /** One run after another: each takes into account what the ones before it have corrected. */
  run(filter: RepriceFilter): Promise<Repriced> {
    const run = this.last.then(() => this.reprice(filter));
    this.last = run.catch(() => {});
    return run;
  }

  private async reprice(filter: RepriceFilter): Promise<Repriced> {
    const book = this.parts.prices();
    const { differences, looked } = await this.find(filter, book);
    if (!filter.dryRun) await this.correct(differences, book.hash);
    return { items: summed(differences), looked };
  }

  private async find(
    { since, provider }: RepriceFilter,
    book: PriceBook,
  ): Promise<{ differences: Difference[]; looked: number }> {
    const corrected = new Map<number, Nanos>();
    for await (const { text } of this.blocks()) {
      for (const { holdId, amount } of correctionsIn(text))
        corrected.set(holdId, (corrected.get(holdId) ?? 0n) + amount);
    }
    const open = new Map<number, HoldRecord>();
    const differences: Difference[] = [];
    let looked = 0;
    for await (const { text } of this.blocks()) {
      for (const record of parseRecords(text)) {
        if (record.kind === "hold") {
          const { hold } = record;
          const isAsked = hold.at >= since && (provider === undefined || hold.provider === provider);
          if (isAsked) open.set(hold.id, hold);
        }
        if (record.kind !== "end") continue;
        const { holdId, amount, costing } = record.entry;
        const hold = open.get(holdId);
        open.delete(holdId);
        if (hold === undefined || costing === null) continue;
        looked++;
        const difference = differenceOf(hold, costing, amount, corrected.get(holdId), book);
        if (difference !== undefined) differences.push(difference);
      }
    }
    return { differences, looked };
  }

  private async correct(differences: readonly Difference[], priceBook: string): Promise<void> {
    const { store, ledger, clock } = this.parts;
    for (let from = 0; from < differences.length; from += TOGETHER) {
      const some = differences.slice(from, from + TOGETHER);
      const ids = new Set<AccountId>(some.flatMap(({ hold }) => hold.accounts));
      const balances = await store.readAccounts([...ids]);
      const written = some.map(({ hold, posted, cost }) => {
        const { id: holdId, requestId, accounts, at } = hold;
        const amount = cost - posted;
        return ledger.correct(
          { holdId, at: clock.now(), amount, accounts, reason: "repriced", priceBook },
          balances,
          { requestId, at, amount, evidence: null, priceBook },
        );
      });
      await Promise.all(written);
    }
  }

  private async *blocks(): AsyncGenerator<Block> {
    for (let after = 0; ; ) {
      const page = await this.parts.store.readBlocks(after, BLOCKS);
      const last = page.at(-1);
      if (last === undefined) return;
      yield* page;
      after = last.seq;
    }
  }
}

/** Undefined where it cost what was posted, or still has no price. */
function differenceOf(
  hold: HoldRecord,
  costing: Costing,
  amount: Nanos | null,
  correction: Nanos | undefined,
  book: PriceBook,
): Difference | undefined {
  const cost = priceOf(costing, hold.provider, hold.at, book);
  if (cost === null) return undefined;
  const posted = (amount ?? 0n) + (correction ?? 0n);
  // What had no price was posted as nothing; that it costs nothing is new, too, but nothing to post.
  return cost === posted ? undefined : { hold, posted, cost };
}

function summed(differences: readonly Difference[]): RepricedModel[] {
  const sums = new Map<string, { -readonly [Field in keyof RepricedModel]: RepricedModel[Field] }>();
  for (const { hold, posted, cost } of differences) {
    const { provider, model } = hold;
    const name = JSON.stringify([provider, model]);
    const sum = sums.get(name) ?? { provider, model, calls: 0, before: 0n, after: 0n };
    sum.calls++;
    sum.before += posted;
    sum.after += cost;
    sums.set(name, sum);
  }
  const size = ({ before, after }: RepricedModel) => (after > before ? after - before : before - after);
  return [...sums.values()].sort((a, b) => (size(b) > size(a) ? 1 : -1));
}
