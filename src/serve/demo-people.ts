import { bySystem } from "../domain/audit.ts";
import type { Clock } from "../domain/clock.ts";
import type { Lifetime } from "../domain/directory.ts";
import { createKey, randomBase62 } from "../domain/key.ts";
import type { AdminStore } from "../domain/store.ts";
import type { FirstUser } from "./first-start.ts";

/** Who calls the demo: users and their groups. The exports file is the first one's. */
export const PEOPLE: readonly (readonly [name: string, group: string])[] = [
  ["ann", "research"],
  ["ben", "research"],
  ["cem", "product"],
];

/** A demo that is started again gives everybody a new secret; the last one works for another day. */
const OVERLAP_MS = 24 * 3_600_000;

export type Person = FirstUser;

/** Those of them with a key each; makes what is missing. */
export async function makePeople(
  store: AdminStore,
  hasher: { hashKey(key: string): Uint8Array },
  clock: Clock,
): Promise<Person[]> {
  const now = clock.now();
  const source = bySystem("demo", now);
  const fresh: Lifetime & { createdAt: number } = { createdAt: now, revokedAt: null, expiresAt: null };
  const [groups, users, keys] = [await store.listGroups(), await store.listUsers(), await store.listKeys()];
  const people: Person[] = [];
  for (const [name, groupName] of PEOPLE) {
    let group = groups.find((one) => one.name === groupName);
    if (group === undefined) {
      group = { id: `grp_${randomBase62(10)}`, name: groupName, ...fresh };
      groups.push(group);
      await store.audited(source, "addGroup", group);
    }
    let user = users.find((one) => one.name === name);
    if (user === undefined) {
      user = {
        id: `usr_${randomBase62(10)}`,
        name,
        groupId: group.id,
        role: people.length === 0 ? "owner" : "member",
        ...fresh,
      };
      await store.audited(source, "addUser", user);
    }
    const { id: userId } = user;
    const known = keys.find((one) => one.userId === userId);
    const key = createKey(known?.id);
    const hash = hasher.hashKey(key.text);
    if (known !== undefined) await store.audited(source, "rotateKey", known.id, hash, now, now + OVERLAP_MS);
    else {
      const thawed = { frozenAt: null, frozenWhy: null };
      const secrets = [{ version: 1, hash, createdAt: now, expiresAt: null }];
      await store.audited(source, "addKey", {
        id: key.id,
        name: "demo",
        userId,
        ...fresh,
        ...thawed,
        secrets,
      });
    }
    people.push({ id: userId, name, key: key.text });
  }
  return people;
}
