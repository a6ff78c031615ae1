import type { Group, MasterKey, User } from "../domain/directory.ts";
import type { LimitedScope } from "../domain/limits.ts";
import type { Store } from "../domain/store.ts";

/** A key and whom it belongs to. */
export interface KeyHolder {
  readonly key: MasterKey;
  readonly user: User;
  readonly group: Group;
  /** Of the scopes that it is in, those that have limits; undefined where none has. */
  readonly limits?: readonly LimitedScope[];
}

/** All keys in memory, so that identifying a request waits for nothing; loaded again whenever one changes. */
export class Directory {
  private holders = new Map<string, KeyHolder>();

  find(keyId: string): KeyHolder | undefined {
    return this.holders.get(keyId);
  }

  async load(store: Pick<Store, "listGroups" | "listUsers" | "listKeys">): Promise<void> {
    const [groups, users, keys] = await Promise.all([
      store.listGroups(),
      store.listUsers(),
      store.listKeys(),
    ]);
    const groupById = new Map(groups.map((group) => [group.id, group]));
    const userById = new Map(users.map((user) => [user.id, user]));
    const holders = new Map<string, KeyHolder>();
    for (const key of keys) {
      const user = userById.get(key.userId);
      const group = user && groupById.get(user.groupId);
      if (user !== undefined && group !== undefined) holders.set(key.id, { key, user, group });
    }
    this.holders = holders;
  }
}
