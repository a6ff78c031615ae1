import type { PinnedSnapshot, PriceOverride, PricingDefault } from "../domain/prices.ts";
import type { Store } from "../domain/store.ts";
import { type Override, PriceBook } from "../pricing/book.ts";
import { bundledSnapshot, bundledText } from "../pricing/bundled.ts";
import { keptBook } from "../pricing/kept-book.ts";
import { parseSnapshot, type Snapshot } from "../pricing/snapshot.ts";
import type { Provider } from "../providers/provider.ts";

type Decided = Pick<
  Store,
  "listPriceOverrides" | "listPricingDefaults" | "readPinnedSnapshot" | "keepPriceBook"
>;

/** Holds the price book in force. */
export class Prices {
  /** Replaced as a whole: a call that is under way keeps the one that it began with. */
  book: PriceBook;
  private readonly store: Decided;
  private readonly report: (message: string) => void;
  private readonly bundled = bundledSnapshot();
  private readonly providers: () => readonly Provider[];
  private snapshot: Snapshot = this.bundled;
  private pinnedText: string | undefined;
  /** Hashes of the snapshots that are known to be kept. */
  private readonly kept = new Set<string>();
  private keptHash: string | undefined;
  private loading: Promise<void> = Promise.resolve();

  /** @param providers Those of the moment. */
  constructor(store: Decided, providers: () => readonly Provider[], report: (message: string) => void) {
    this.store = store;
    this.report = report;
    this.providers = providers;
    this.book = new PriceBook(this.bundled, { defaults: this.ownDefaults });
  }

  private get ownDefaults(): Readonly<Record<string, PricingDefault>> {
    return Object.fromEntries(
      this.providers().flatMap(({ id, pricing }) => (pricing === undefined ? [] : [[id, { kind: pricing }]])),
    );
  }

  /** Makes the book anew from what is stored. */
  load(): Promise<void> {
    // One after another: the book of the later one stays.
    const loaded = this.loading.then(() => this.loadNow());
    this.loading = loaded.catch(() => {});
    return loaded;
  }

  private async loadNow(): Promise<void> {
    const [overrides, decided, pinned] = await Promise.all([
      this.store.listPriceOverrides(),
      this.store.listPricingDefaults(),
      this.store.readPinnedSnapshot(),
    ]);
    this.takeSnapshot(pinned);
    const defaults = { ...this.ownDefaults, ...decided };
    const book = new PriceBook(this.snapshot, { overrides: overrides.map(bookOverride), defaults });
    if (book.hash !== this.keptHash) await this.keep(book);
    this.book = book;
  }

  /** Before it is in force: what is costed with it can then be costed again, whatever happens. */
  private async keep(book: PriceBook): Promise<void> {
    const { hash } = book.snapshot;
    const snapshotText = this.snapshot === this.bundled ? bundledText : (this.pinnedText ?? null);
    await this.store.keepPriceBook(keptBook(book), this.kept.has(hash) ? null : snapshotText);
    this.kept.add(hash);
    this.keptHash = book.hash;
  }

  private takeSnapshot(pinned: PinnedSnapshot | null): void {
    if (pinned?.text === this.pinnedText) return;
    this.pinnedText = pinned?.text;
    this.snapshot = this.bundled;
    if (pinned === null) return;
    try {
      // Rules for names are read where a book is made of them.
      this.snapshot = new PriceBook(parseSnapshot(pinned.text)).snapshot;
    } catch (error) {
      // Another version pinned it; calls are still to be costed.
      const why = error instanceof Error ? error.message : "unknown reason";
      this.report(`The pinned prices cannot be read (${why}); those of this version are used instead.`);
    }
  }
}

function bookOverride({ provider, model, serviceTier, rates }: PriceOverride): Override {
  return { provider, model, rates, ...(serviceTier !== null && { serviceTier }) };
}
