import { beforeAll, describe, expect, test } from "bun:test";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Lifetime } from "../domain/directory.ts";
import { createKey } from "../domain/key.ts";
import { Refusal, type RefusalCode } from "../domain/refusal.ts";
import { Directory } from "./directory.ts";
import { identify, type KeyHasher, presentsKey, requireActive } from "./identify.ts";

const hasher: KeyHasher = {
  hashKey: (key) => createHash("sha256").update(key).digest(),
  sameHash: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};
const active: Lifetime = { revokedAt: null, expiresAt: null };
const [current, previous, other] = [
  createKey("0000000001"),
  createKey("0000000001"),
  createKey("0000000002"),
];
const directory = new Directory();
const NOW = 1000;

function secret(text: string, expiresAt: number | null) {
  return { version: 1, hash: hasher.hashKey(text), createdAt: 0, expiresAt };
}

beforeAll(() =>
  directory.load({
    listGroups: async () => [{ id: "g", name: "g", createdAt: 0, ...active }],
    listUsers: async () => [{ id: "u", name: "u", groupId: "g", role: "member", createdAt: 0, ...active }],
    listPolicies: async () => [],
    listKeys: async () => [
      {
        id: "0000000001",
        name: "a",
        userId: "u",
        createdAt: 0,
        frozenAt: null,
        frozenWhy: null,
        secrets: [secret(current.text, null), secret(previous.text, NOW + 10)],
        ...active,
      },
      {
        id: "0000000002",
        name: "b",
        userId: "u",
        createdAt: 0,
        frozenAt: null,
        frozenWhy: null,
        secrets: [secret(other.text, null)],
        ...active,
      },
    ],
  }),
);

function ask(headers: [string, string][], keys: string[] = [], now = NOW): string | RefusalCode {
  try {
    return identify(new Headers(headers), { keys }, directory, hasher, now).key.id;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

test("a key is known in every header, with any scheme, around any space", () => {
  for (const value of [
    current.text,
    `Bearer ${current.text}`,
    `bearer  ${current.text}`,
    `Token ${current.text}`,
    ` ${current.text} `,
  ]) {
    expect(ask([["authorization", value]])).toBe("0000000001");
  }
  for (const name of ["x-api-key", "api-key", "x-goog-api-key", "xi-api-key"])
    expect(ask([[name, current.text]])).toBe("0000000001");
  for (const value of [
    `realtime, openai-insecure-api-key.${current.text}`,
    `token, ${current.text}`,
    `bearer,sk-${current.text},x`,
  ]) {
    expect(ask([["sec-websocket-protocol", value]])).toBe("0000000001");
  }
  expect(ask([], [current.text])).toBe("0000000001");
});

test("our key counts before a foreign text, wherever either stands", () => {
  expect(
    ask([
      ["authorization", "Bearer sk-foreign"],
      ["x-api-key", current.text],
    ]),
  ).toBe("0000000001");
  expect(ask([["x-api-key", "sk-foreign"]], [current.text])).toBe("0000000001");
});

test("two different keys are refused; the same one twice is one", () => {
  expect(
    ask([
      ["authorization", current.text],
      ["x-api-key", `sk-${current.text}`],
    ]),
  ).toBe("0000000001");
  expect(
    ask([
      ["authorization", current.text],
      ["x-api-key", other.text],
    ]),
  ).toBe("invalid_key");
  expect(ask([["authorization", current.text]], [other.text])).toBe("invalid_key");
});

test("the secret before the last one is known until the overlap ends", () => {
  expect(ask([["x-api-key", previous.text]])).toBe("0000000001");
  expect(ask([["x-api-key", previous.text]], [], NOW + 9)).toBe("0000000001");
  expect(ask([["x-api-key", previous.text]], [], NOW + 10)).toBe("invalid_key");
});

test("a known id with another secret, an unknown id and a damaged key are invalid", () => {
  for (const text of [
    createKey("0000000001").text,
    createKey().text,
    current.text.slice(0, -1),
    "lmk_",
    "sk-foreign",
    "",
  ]) {
    expect(ask([["x-api-key", text]])).toBe("invalid_key");
  }
  expect(ask([])).toBe("invalid_key");
});

test("an unknown id is compared with a hash as a known one is: the time tells nothing", () => {
  let compared = 0;
  const counting: KeyHasher = {
    ...hasher,
    sameHash: (a, b) => {
      compared++;
      return hasher.sameHash(a, b);
    },
  };
  expect(() =>
    identify(new Headers({ "x-api-key": createKey().text }), { keys: [] }, directory, counting, NOW),
  ).toThrow(Refusal);
  expect(compared).toBe(1);
});

test("no refusal quotes what was sent", () => {
  for (const text of [createKey().text, "sk-proj-SECRET0123456789", `${current.text}x`]) {
    try {
      identify(new Headers({ "x-api-key": text }), { keys: [] }, directory, hasher, NOW);
      throw new Error("It was accepted.");
    } catch (error) {
      expect((error as Error).message).not.toContain(text.slice(10, 30));
    }
  }
});

describe("whoever has ended is refused", () => {
  const holder = directory.find.bind(directory);
  for (const part of ["key", "user", "group"] as const) {
    for (const [change, code] of [
      [{ revokedAt: 1 }, "invalid_key"],
      [{ expiresAt: NOW }, "expired_key"],
      [{ expiresAt: NOW - 1 }, "expired_key"],
      [{ expiresAt: NOW + 1 }, undefined],
      [{ revokedAt: 1, expiresAt: NOW + 1 }, "invalid_key"],
    ] as const) {
      test(`${part} with ${JSON.stringify(change)}: ${code ?? "goes on"}`, () => {
        const found = holder("0000000001");
        if (found === undefined) throw new Error("The key is not there.");
        const changed = { ...found, [part]: { ...found[part], ...change } };
        let thrown: unknown;
        try {
          requireActive(changed, NOW);
        } catch (error) {
          thrown = error;
        }
        expect((thrown as Refusal | undefined)?.code).toBe(code as RefusalCode);
      });
    }
  }
});

test("anything in a position of keys is a key that was presented", () => {
  for (const name of ["authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key"]) {
    expect(presentsKey(new Headers({ [name]: "x" }), { keys: [] })).toBe(true);
  }
  expect(presentsKey(new Headers(), { keys: ["x"] })).toBe(true);
  expect(presentsKey(new Headers({ "user-agent": "x" }), { keys: [] })).toBe(false);
});

describe("a key that was identified before", () => {
  const header = (text: string): [string, string][] => [["authorization", `Bearer ${text}`]];

  test("ends with its secret all the same", () => {
    expect(ask(header(previous.text), [], NOW)).toBe("0000000001");
    expect(ask(header(previous.text), [], NOW + 9)).toBe("0000000001");
    expect(ask(header(previous.text), [], NOW + 10)).toBe("invalid_key");
  });

  test("is not asked for again until something changes, and then it is", async () => {
    let hashed = 0;
    const hashKey = (key: string) => {
      hashed++;
      return hasher.hashKey(key);
    };
    const counting = { ...hasher, hashKey };
    const key = createKey("0000000003");
    const stored = (text: string) => ({
      listGroups: async () => [{ id: "g", name: "g", createdAt: 0, ...active }],
      listUsers: async () => [
        { id: "u", name: "u", groupId: "g", role: "member" as const, createdAt: 0, ...active },
      ],
      listPolicies: async () => [],
      listKeys: async () => [
        { id: key.id, name: "c", userId: "u", createdAt: 0, secrets: [secret(text, null)], ...active },
      ],
    });
    const own = new Directory();
    const asked = (text: string) => identify(new Headers(header(text)), { keys: [] }, own, counting, NOW);
    await own.load(stored(key.text));
    asked(key.text);
    expect(asked(key.text).key.id).toBe(key.id);
    expect(hashed).toBe(1);
    // What only begins the same is another text.
    const other = key.text.endsWith("x") ? "y" : "x";
    expect(() => asked(key.text.slice(0, -1) + other)).toThrow(Refusal);

    const rotated = createKey(key.id);
    await own.load(stored(rotated.text));
    expect(() => asked(key.text)).toThrow("not known here");
    expect(asked(rotated.text).key.id).toBe(key.id);
  });
});
