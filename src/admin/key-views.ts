import { z } from "@hono/zod-openapi";
import type { Group, MasterKey, User } from "../domain/directory.ts";
import { openLeak } from "../domain/leak.ts";
import type { DirectoryStore, KeyFilter } from "../domain/store.ts";
import { lifetimeShape, lifetimeView, Reference, rfc3339, Time } from "./schemas.ts";

export const KeyView = z
  .object({
    id: z.string(),
    name: z.string(),
    user: Reference,
    group: Reference,
    parent: Reference.nullable().describe("Of a child key: the key that it was made with, and ends with."),
    ...lifetimeShape,
    previousSecretExpiresAt: Time.nullable(),
    frozenAt: Time.nullable().describe("Stopped for the time being: no call is taken until it is unfrozen."),
    frozenWhy: z.string().nullable(),
    leak: z
      .object({
        at: Time,
        place: z.enum(["prompt", "url"]),
        requestId: z.string().describe("The request that carried it, whoever made it."),
      })
      .nullable()
      .describe(
        "Where its secret was seen although it does not belong there; null once that secret has ended.",
      ),
  })
  .openapi("Key");
export type KeyView = z.infer<typeof KeyView>;

export const NewKey = z
  .object({
    key: KeyView,
    secret: z
      .string()
      .nullable()
      .describe("The master key; it is shown this once. Null where an Idempotency-Key repeats an answer."),
  })
  .openapi("NewKey");

/** Keys with the names of whom they belong to, oldest first. */
export async function keyViews(
  store: Pick<DirectoryStore, "listGroups" | "listUsers" | "listKeys">,
  now: number,
  filter: KeyFilter = {},
): Promise<KeyView[]> {
  const [groups, users, all] = await Promise.all([
    store.listGroups(),
    store.listUsers(),
    store.listKeys(filter),
  ]);
  const [userById, groupById] = [byId(users), byId(groups)];
  const names = new Map(all.map(({ id, name }) => [id, name]));
  return all.map((key) => keyView(key, names, userById.get(key.userId), groupById, now));
}

function keyView(
  key: MasterKey,
  names: ReadonlyMap<string, string>,
  user: User | undefined,
  groups: ReadonlyMap<string, Group>,
  now: number,
): KeyView {
  const group = user && groups.get(user.groupId);
  const previous = key.secrets[1]?.expiresAt ?? null;
  return {
    id: key.id,
    name: key.name,
    user: { id: key.userId, name: user?.name ?? "" },
    group: { id: group?.id ?? "", name: group?.name ?? "" },
    parent: key.parent
      ? { id: key.parent.keyId, name: names.get(key.parent.keyId) ?? key.parent.keyId }
      : null,
    ...lifetimeView(key, now),
    previousSecretExpiresAt: rfc3339(previous !== null && previous > now ? previous : null),
    frozenAt: rfc3339(key.frozenAt ?? null),
    frozenWhy: key.frozenWhy ?? null,
    leak: leakView(key, now),
  };
}

function leakView(key: MasterKey, now: number): KeyView["leak"] {
  const leak = openLeak(key, now);
  return leak && { at: rfc3339(leak.at), place: leak.place, requestId: leak.requestId };
}

function byId<Thing extends { id: string }>(things: readonly Thing[]): ReadonlyMap<string, Thing> {
  return new Map(things.map((thing) => [thing.id, thing]));
}
