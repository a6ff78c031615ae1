import type { Costing, HoldRecord } from "../domain/ledger.ts";
import type { KeptPriceStore } from "../domain/store.ts";
import type { Recomputed } from "../ledger/verify.ts";
import { priceOf } from "../pricing/costing.ts";
import { type Rebuilt, rebuildBook } from "../pricing/kept-book.ts";

/** All price books that were ever in force, made again. */
export class KeptPrices {
  private readonly books: ReadonlyMap<string, Rebuilt>;

  private constructor(books: ReadonlyMap<string, Rebuilt>) {
    this.books = books;
  }

  static async read(
    store: Pick<KeptPriceStore, "listKeptPriceBooks" | "readKeptSnapshot">,
  ): Promise<KeptPrices> {
    const books = new Map<string, Rebuilt>();
    const texts = new Map<string, string | undefined>();
    for (const kept of await store.listKeptPriceBooks()) {
      const { hash, snapshotHash } = kept;
      if (!texts.has(snapshotHash))
        texts.set(snapshotHash, (await store.readKeptSnapshot(snapshotHash)) ?? undefined);
      books.set(hash, rebuildBook(kept, texts.get(snapshotHash)));
    }
    return new KeptPrices(books);
  }

  /** What is wrong with what was kept. */
  get findings(): string[] {
    return [...this.books].flatMap(([hash, { kind }]) =>
      kind === "changed" ? [`the kept prices of book ${hash} are not what they were`] : [],
    );
  }

  costOf(costing: Costing, { provider, at }: HoldRecord, priceBook: string): Recomputed {
    const rebuilt = this.books.get(priceBook);
    if (rebuilt === undefined) return "gone";
    return rebuilt.kind === "book"
      ? { cost: priceOf(costing, provider, at, rebuilt.book) }
      : "not recomputable";
  }
}
