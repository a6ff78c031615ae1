import { expect, test } from "bun:test";
import { RecentOutput } from "./recent-output.ts";

test("answers are taken to be as long as those of the same key and model lately were", () => {
  const output = new RecentOutput();
  expect(output.estimate("k", "m")).toBe(500);
  output.saw("k", "m", 100);
  expect(output.estimate("k", "m")).toBe(100);
  output.saw("k", "m", 200);
  expect(output.estimate("k", "m")).toBe(120);
  output.saw("k", null, 7);
  expect([output.estimate("k", "m"), output.estimate("k", null), output.estimate("j", "m")]).toEqual([
    120, 7, 500,
  ]);
});

test("whoever makes up models without end is forgotten, and not whoever is there all the time", () => {
  const output = new RecentOutput();
  output.saw("k", "once", 3);
  for (let n = 0; n < 30_000; n++) {
    output.saw("k", `made up ${n}`, 1);
    if (n % 1000 === 0) output.saw("k", "m", 100);
  }
  expect(output.estimate("k", "m")).toBe(100);
  expect(output.estimate("k", "once")).toBe(500);
  expect(output.estimate("k", "made up 0")).toBe(500);
  expect(output.estimate("k", "made up 29999")).toBe(1);
});
