/** Writes one batch after another; what comes while one is under way goes into the next. */
export class Grouped<Item> {
  private readonly write: (items: readonly Item[]) => Promise<void>;
  private next: { readonly items: Item[]; readonly written: Promise<void> } | undefined;
  private last: Promise<void> = Promise.resolve();

  constructor(write: (items: readonly Item[]) => Promise<void>) {
    this.write = write;
  }

  /** Settles as the write does that these are part of. */
  add(items: readonly Item[]): Promise<void> {
    this.next ??= this.begin();
    this.next.items.push(...items);
    return this.next.written;
  }

  private begin() {
    const items: Item[] = [];
    const written = this.last.then(() => {
      this.next = undefined;
      return this.write(items);
    });
    // Whoever comes later has nothing to do with why this one failed.
    this.last = written.catch(() => {});
    return { items, written };
  }
}
