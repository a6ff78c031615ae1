import type { Costing, Entry, HoldRecord } from "../domain/ledger.ts";
import { UNITS_PER_RATE } from "../domain/money.ts";
import type { Attempt, CostLine, RequestAccount, Workings } from "../domain/request-account.ts";
import type { LoggedRequest } from "../domain/request-record.ts";
import type { KeptPriceStore, LedgerSearch } from "../domain/store.ts";
import { parseRecords } from "../ledger/records.ts";
import type { PriceBook } from "../pricing/book.ts";
import { costOf } from "../pricing/cost.ts";
import { rebuildBook } from "../pricing/kept-book.ts";
import { MILLISECONDS_PER_RATE } from "../pricing/rates.ts";

/** A hold is written about when its request arrives; one that waits for others' holds, a little later. */
const HELD_WITHIN_MS = 30_000;
/** Its end is written about when the request ends, but for those that an owner decides. */
const ENDED_WITHIN_MS = 120_000;

type Reading = LedgerSearch & Pick<KeptPriceStore, "listKeptPriceBooks" | "readKeptSnapshot">;

/** Finds what the ledger has of a request, and does its sum again. */
export class RequestAccounts {
  private readonly store: Reading;
  private readonly books = new Map<string, PriceBook | undefined>();

  constructor(store: Reading) {
    this.store = store;
  }

  async of({ id, at, durationMs }: LoggedRequest): Promise<RequestAccount> {
    const until = at + durationMs + ENDED_WITHIN_MS;
    const attempts: Attempt[] = [];
    let costing: { costing: Costing; hold: HoldRecord } | undefined;
    // The longer of the two: a request that was sent again has holds all along.
    const heldUntil = at + durationMs + HELD_WITHIN_MS;
    for (const { seq, text } of await this.store.findBlocks(at, heldUntil, `"${id}"`, 50)) {
      for (const record of parseRecords(text)) {
        if (record.kind !== "hold" || record.hold.requestId !== id) continue;
        const entry = await this.endOf(record.hold.id, seq, until);
        attempts.push({ hold: record.hold, end: entry === undefined ? null : endView(entry) });
        if (entry?.costing != null) costing = { costing: entry.costing, hold: record.hold };
      }
    }
    return { attempts, workings: costing === undefined ? null : await this.workings(costing) };
  }

  private async endOf(holdId: number, seq: number, until: number): Promise<Entry | undefined> {
    const blocks = await this.store.findBlocks(0, until, `["end",${holdId},`, 1, seq);
    for (const { text } of blocks) {
      for (const record of parseRecords(text))
        if (record.kind === "end" && record.entry.holdId === holdId) return record.entry;
    }
    return undefined;
  }

  private async workings({ costing, hold }: { costing: Costing; hold: HoldRecord }): Promise<Workings> {
    const { priceBook, uses, serviceTier, region, reportedCost } = costing;
    const book = await this.book(priceBook);
    const lines: CostLine[] = [];
    let total: bigint | null = reportedCost ?? 0n;
    let reported = reportedCost;
    for (const { model, quantities } of book === undefined ? [] : uses) {
      const price = book?.find({ provider: hold.provider, model, at: hold.at, serviceTier, region });
      const cost = costOf(quantities, price?.rates, reported);
      if ("total" in cost && total !== null) total += reported === null ? cost.total : 0n;
      else total = null;
      reported = null;
      if (!("total" in cost) || price === undefined) continue;
      for (const { unit, quantity, rate } of cost.lines) {
        const per = unit === "milliseconds" ? MILLISECONDS_PER_RATE : UNITS_PER_RATE;
        lines.push({ model: price.modelId, source: price.source, unit, quantity, rate, per });
      }
    }
    if (book === undefined && reportedCost === null) total = null;
    return { priceBook, serviceTier, region, reportedCost, lines, total };
  }

  /** Undefined where its prices are not kept, or are not what they were. */
  private async book(hash: string): Promise<PriceBook | undefined> {
    if (!this.books.has(hash)) {
      const kept = (await this.store.listKeptPriceBooks()).find((one) => one.hash === hash);
      const text = kept && ((await this.store.readKeptSnapshot(kept.snapshotHash)) ?? undefined);
      const rebuilt = kept && rebuildBook(kept, text);
      if (this.books.size >= 4) this.books.clear();
      this.books.set(hash, rebuilt?.kind === "book" ? rebuilt.book : undefined);
    }
    return this.books.get(hash);
  }
}

function endView({ at, kind, amount, evidence, reason }: Entry): NonNullable<Attempt["end"]> {
  return { at, kind, amount, evidence, reason: reason ?? null };
}
