import { expect, test } from "bun:test";
import { Challenges } from "./challenges.ts";

const key = new Uint8Array(32).fill(7);
let now = 1_000_000;
const fresh = () => new Challenges(key, () => now);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

test("a challenge is good once, for one purpose, for five minutes", () => {
  const challenges = fresh();
  const one = text(challenges.create("assert"));
  expect([challenges.isOpen("other", one), challenges.isOpen("assert", one)]).toEqual([false, true]);
  expect([challenges.spend("assert", one), challenges.spend("assert", one)]).toEqual([true, false]);
  const late = text(challenges.create("assert"));
  now += 5 * 60_000;
  expect(challenges.isOpen("assert", late)).toBe(false);
});

test("what was used before a restart cannot be used after it", () => {
  const before = fresh();
  const used = text(before.create("assert"));
  expect(before.spend("assert", used)).toBe(true);
  expect(fresh().spend("assert", used)).toBe(false);
});
