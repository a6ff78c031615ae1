import { expect, test } from "bun:test";
import type { Store } from "../domain/store.ts";
import { Scopes } from "./scopes.ts";

test("in a file a thing has its name, unless that would be read as something else", async () => {
  const users = ["ada", "__proto__", "<<", "u1"].map((name, at) => ({ id: `u${at}`, name }));
  const store = { listGroups: async () => [], listUsers: async () => users, listKeys: async () => [] };
  const scopes = await Scopes.read(store as unknown as Store);
  expect(users.map(({ id }) => scopes.key({ kind: "user", id }))).toEqual(["ada", "u1", "u2", "u3"]);
});
