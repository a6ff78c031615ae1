import type { ObjectName, OwnedObject } from "../domain/owned-object.ts";
import { Refusal } from "../domain/refusal.ts";
import { type ObjectStore, StorageFailure } from "../domain/store.ts";
import { Grouped } from "./grouped.ts";

type Store = Pick<ObjectStore, "addObjects" | "findObjects" | "noteDeleted">;

/** Objects that are kept in memory; those that were not asked for longest go first. */
const MOST_KEPT = 50_000;

/** Whose objects are: the store, and in front of it those that were asked for lately. */
export class ObjectIndex {
  private readonly store: Store;
  private readonly kept = new Map<string, OwnedObject>();
  private readonly mostKept: number;
  private readonly made: Grouped<OwnedObject>;
  private readonly renewed: Grouped<OwnedObject>;

  constructor(store: Store, mostKept: number = MOST_KEPT) {
    this.store = store;
    this.mostKept = mostKept;
    this.made = new Grouped((objects) => store.addObjects(objects, false));
    this.renewed = new Grouped((objects) => store.addObjects(objects, true));
  }

  /** By `keyOf`; those that nobody here has made are missing. */
  async find(names: readonly ObjectName[]): Promise<ReadonlyMap<string, OwnedObject>> {
    const found = new Map<string, OwnedObject>();
    const unknown = new Map<string, ObjectName>();
    for (const name of names) {
      const key = keyOf(name);
      const known = this.kept.get(key);
      if (known === undefined) unknown.set(key, name);
      else found.set(key, known);
    }
    for (const object of found.values()) this.keep(object);
    // What nobody knows is asked for again each time: another process may have made it meanwhile.
    if (unknown.size === 0) return found;
    for (const object of await reached(this.store.findObjects([...unknown.values()]))) {
      found.set(keyOf(object), object);
      this.keep(object);
    }
    return found;
  }

  /** The credential whose account it lies in, where that is known; for who has just been found. */
  credentialOf(name: ObjectName): string | undefined {
    return this.kept.get(keyOf(name))?.credentialId ?? undefined;
  }

  /** Durable when it returns. @param anew See `ObjectStore.addObjects`. */
  async add(objects: readonly OwnedObject[], anew: boolean): Promise<void> {
    await reached((anew ? this.renewed : this.made).add(objects));
    // Whose one is that was known before only the store can say.
    for (const object of objects) this.kept.delete(keyOf(object));
  }

  async noteDeleted(name: ObjectName, at: number): Promise<void> {
    await reached(this.store.noteDeleted(name, at));
    this.kept.delete(keyOf(name));
  }

  /** An administrator has decided on some. */
  forget(): void {
    this.kept.clear();
  }

  private keep(object: OwnedObject): void {
    const key = keyOf(object);
    this.kept.delete(key);
    this.kept.set(key, object);
    if (this.kept.size <= this.mostKept) return;
    const [oldest] = this.kept.keys();
    if (oldest !== undefined) this.kept.delete(oldest);
  }
}

export function keyOf({ provider, kind, id }: ObjectName): string {
  return `${provider} ${kind} ${id}`;
}

/** @throws Refusal `storage_unavailable`. */
async function reached<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof StorageFailure)) throw cause;
    throw new Refusal(
      "storage_unavailable",
      "The gateway cannot tell at the moment whose objects are; try again later.",
      {
        cause,
      },
    );
  }
}
