import { expect, test } from "bun:test";
import { Found } from "./found.ts";

test("the first value of a path counts as each later one does", () => {
  const found = new Found();
  const seen = () => [
    found.count("type"),
    found.tally("type", "search"),
    found.tally("type", "code"),
    found.text("none", "type"),
    found.count("n"),
    found.sum("n"),
    found.newest("n"),
    found.object("usage"),
  ];
  expect(seen()).toEqual([0, 0, 0, null, 0, 0, undefined, null]);
  const usage = { tokens: 1 };
  for (const [path, value] of [
    ["type", "search"],
    ["n", 2],
    ["usage", usage],
  ] as const)
    found.add(path, value);
  expect(seen()).toEqual([1, 1, 0, "search", 1, 2, 2, usage]);
  for (const [path, value] of [
    ["type", "code"],
    ["n", 3],
    ["usage", null],
  ] as const)
    found.add(path, value);
  expect(seen()).toEqual([2, 1, 1, "code", 2, 5, 3, usage]);
  for (const [path, value] of [
    ["type", "search"],
    ["n", -1],
    ["usage", "x"],
  ] as const)
    found.add(path, value);
  expect(seen()).toEqual([3, 2, 1, "search", 3, 5, -1, usage]);
});

test("of many texts the first are told apart, and memory does not grow with the rest", () => {
  const found = new Found();
  for (let n = 0; n < 64; n++) found.add("id", `id-${n}`);
  found.add("id", "late");
  found.add("type", "later");
  expect([found.tally("id", "id-0"), found.tally("id", "id-63")]).toEqual([1, 1]);
  expect([found.tally("id", "late"), found.tally("type", "later")]).toEqual([0, 0]);
  expect([found.count("id"), found.text("type")]).toEqual([65, "later"]);
});
