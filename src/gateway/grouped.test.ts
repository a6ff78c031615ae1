import { expect, test } from "bun:test";
import { Grouped } from "./grouped.ts";

test("what comes while a batch is written goes into the next one, and each settles as its own batch", async () => {
  const batches: number[][] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const grouped = new Grouped<number>((items) => {
    batches.push([...items]);
    const end = Promise.withResolvers<void>();
    ends.push(end);
    return end.promise;
  });
  const first = grouped.add([1]);
  await Promise.resolve();
  const others = [grouped.add([2]), grouped.add([3, 4])];
  expect(batches).toEqual([[1]]);
  ends[0]?.reject(new Error("full"));
  expect(await first.catch((error: Error) => error.message)).toBe("full");
  await Bun.sleep(0);
  expect(batches).toEqual([[1], [2, 3, 4]]);
  ends[1]?.resolve();
  await Promise.all(others);
});
