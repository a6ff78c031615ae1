import { expect, test } from "bun:test";
import { Passwords } from "./passwords.ts";
import { addressBlock, Throttle } from "./throttle.ts";

const key = new Uint8Array(32).fill(5);

function throttle() {
  const clock = { now: 1000 };
  return { clock, it: new Throttle(key, { burst: 3, everyMs: 100, now: () => clock.now }) };
}

test("a burst passes, then one at a time, and waiting says how long", () => {
  const { clock, it } = throttle();
  expect([it.take("a"), it.take("a"), it.take("a"), it.take("a")]).toEqual([0, 0, 0, 100]);
  // What was refused has not made it longer.
  expect(it.take("a")).toBe(100);
  clock.now += 100;
  expect([it.take("a"), it.take("a")]).toEqual([0, 100]);
  expect(it.take("b")).toBe(0);
  clock.now += 10_000;
  expect([it.take("a"), it.take("a"), it.take("a"), it.take("a") > 0]).toEqual([0, 0, 0, true]);
});

test("what was right does not count", () => {
  const { it } = throttle();
  for (let at = 0; at < 20; at++) {
    expect(it.take("a")).toBe(0);
    it.giveBack("a");
  }
});

test("a hundred thousand names later a name that was slowed down still is", () => {
  const { it } = throttle();
  for (let at = 0; at < 3; at++) it.take("victim");
  for (let at = 0; at < 100_000; at++) it.take(`name ${at}`);
  expect(it.take("victim")).toBeGreaterThan(0);
});

test("an address of IPv6 counts as the network that it is in", () => {
  expect(addressBlock("2001:db8:1:2:3:4:5:6")).toBe(addressBlock("2001:db8:1:2::9"));
  expect(addressBlock("2001:db8:1:2::9")).not.toBe(addressBlock("2001:db8:1:3::9"));
  expect(addressBlock("::1")).toBe("0:0:0:0::/64");
  expect(addressBlock("192.0.2.7")).toBe("192.0.2.7");
  expect(addressBlock(null)).toBe("unknown");
});

test("one address that tries many names runs out of tries", async () => {
  const passwords = new Passwords(key, () => 1000);
  const outcomes: string[] = [];
  for (let at = 0; at < 32; at++) {
    outcomes.push(
      await passwords.isRight("guess guess", null, `name ${at}`, "192.0.2.7").then(String, () => "refused"),
    );
  }
  expect(outcomes.filter((one) => one === "refused")).toHaveLength(2);
  expect(await passwords.isRight("guess guess", null, "name", "192.0.2.8")).toBe(false);
}, 60_000);
