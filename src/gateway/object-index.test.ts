import { expect, test } from "bun:test";
import type { ObjectName, OwnedObject } from "../domain/owned-object.ts";
import { Refusal } from "../domain/refusal.ts";
import { StorageFailure } from "../domain/store.ts";
import { keyOf, ObjectIndex } from "./object-index.ts";

const name = (id: string): ObjectName => ({ provider: "openai", kind: "file", id });
const object = (id: string, userId = "u1"): OwnedObject => ({
  ...name(id),
  credentialId: "crd_1",
  keyId: "k1",
  userId,
  groupId: "g1",
  createdAt: 0,
  deletedAt: null,
});

/** A store in memory that counts what it is asked. */
function counting() {
  const known = new Map<string, OwnedObject>();
  const asked: string[] = [];
  const store = {
    addObjects: async (objects: readonly OwnedObject[]) => {
      for (const one of objects) known.set(keyOf(one), one);
    },
    findObjects: async (names: readonly ObjectName[]) => {
      asked.push(...names.map(({ id }) => id));
      return names.flatMap((one) => known.get(keyOf(one)) ?? []);
    },
    noteDeleted: async () => {},
  };
  return { store, asked, known };
}

test("asks the store for what it does not have, once for what there is, each time for what there is not", async () => {
  const { store, asked } = counting();
  const index = new ObjectIndex(store);
  await index.add([object("a")], false);
  for (let n = 0; n < 3; n++) {
    const found = await index.find([name("a"), name("none")]);
    expect([...found.values()]).toEqual([object("a")]);
  }
  expect(asked).toEqual(["a", "none", "none", "none"]);
  expect(index.credentialOf(name("a"))).toBe("crd_1");
  expect(index.credentialOf(name("none"))).toBeUndefined();
});

test("keeps so many and no more, those that were asked for last", async () => {
  const { store, asked } = counting();
  const index = new ObjectIndex(store, 2);
  await index.add(
    ["a", "b", "c"].map((id) => object(id)),
    false,
  );
  for (const id of ["a", "b", "a", "c", "a"]) await index.find([name(id)]);
  expect(asked).toEqual(["a", "b", "c"]);
  await index.find([name("b")]);
  expect(asked).toEqual(["a", "b", "c", "b"]);
});

test("an administrator's decision holds from the next look on", async () => {
  const { store, known } = counting();
  const index = new ObjectIndex(store);
  await index.add([object("a")], false);
  await index.find([name("a")]);
  known.set(keyOf(name("a")), object("a", "u2"));
  index.forget();
  expect((await index.find([name("a")])).get(keyOf(name("a")))?.userId).toBe("u2");
});

test("a store that cannot be asked refuses, and nothing is taken for nobody's", async () => {
  const fails = () => Promise.reject(new StorageFailure("disk full"));
  const index = new ObjectIndex({ addObjects: fails, findObjects: fails, noteDeleted: fails });
  for (const work of [
    () => index.find([name("a")]),
    () => index.add([object("a")], false),
    () => index.noteDeleted(name("a"), 1),
  ]) {
    const error = await work().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).code).toBe("storage_unavailable");
  }
});
