import { expect, test } from "bun:test";
import fc from "fast-check";
import { GRAIN_MS, SlidingWindow, WINDOW_MS } from "./sliding-window.ts";

/** Gaps between calls: bursts, pauses around a grain's and the window's length, and longer ones. */
const gaps = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 2_000 }),
    fc.integer({ min: WINDOW_MS - 300, max: WINDOW_MS + 300 }),
    fc.double({ min: 0, max: 90_000, noNaN: true }),
  ),
  { maxLength: 200, size: "max" },
);

interface Added {
  readonly at: number;
  readonly mark: number;
  amount: number;
}

function sumOf(all: readonly Added[], now: number, spanMs: number): number {
  return all.reduce((sum, { at, amount }) => (at > now - spanMs ? sum + amount : sum), 0);
}

test("its sum is that of the last minute, and of a tenth of a second before it at most", () => {
  fc.assert(
    fc.property(
      gaps,
      fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200, size: "max" }),
      (between, amounts) => {
        const window = new SlidingWindow();
        const all: Added[] = [];
        let now = 12_345.6;
        between.forEach((gap, n) => {
          now += gap;
          const amount = amounts[n] ?? 1;
          all.push({ at: now, mark: window.add(now, amount), amount });
          const total = window.total(now);
          expect(total).toBeGreaterThanOrEqual(sumOf(all, now, WINDOW_MS));
          expect(total).toBeLessThanOrEqual(sumOf(all, now, WINDOW_MS + GRAIN_MS));
        });
      },
    ),
    { numRuns: 300 },
  );
});

test("a correction counts from the time of what it corrects", () => {
  fc.assert(
    fc.property(gaps, fc.integer({ min: 0, max: 1e6 }), (between, seed) => {
      const window = new SlidingWindow();
      const all: Added[] = [];
      let now = 0;
      between.forEach((gap, n) => {
        now += gap;
        all.push({ at: now, mark: window.add(now, 10), amount: 10 });
        const one = all[(seed + n * 7) % all.length] as Added;
        const difference = ((seed + n) % 21) - one.amount;
        window.correct(one.mark, difference);
        // What has left the window stays what it was; nothing here can tell.
        one.amount += difference;
        const total = window.total(now);
        expect(total).toBeGreaterThanOrEqual(sumOf(all, now, WINDOW_MS));
        expect(total).toBeLessThanOrEqual(sumOf(all, now, WINDOW_MS + GRAIN_MS));
      });
    }),
    { numRuns: 300 },
  );
});

test("it says to the millisecond when there is room", () => {
  fc.assert(
    fc.property(gaps, fc.integer({ min: 0, max: 30 }), (between, most) => {
      const window = new SlidingWindow();
      let now = 0;
      for (const gap of between) {
        now += Math.floor(gap);
        window.add(now, 1);
      }
      const wait = window.msUntil(now, most);
      if (window.total(now) <= most) expect(wait).toBe(0);
      else {
        expect(window.total(now + wait - 1)).toBeGreaterThan(most);
        expect(window.total(now + wait)).toBeLessThanOrEqual(most);
      }
    }),
    { numRuns: 300 },
  );
});

test("a clock that goes back makes nothing free", () => {
  const window = new SlidingWindow();
  window.add(100_000, 1);
  window.add(40_000, 1);
  expect(window.total(40_000)).toBe(2);
  expect(window.total(100_000)).toBe(2);
  expect(window.total(100_000 + WINDOW_MS + GRAIN_MS)).toBe(0);
});

test("a million calls in a minute take no more memory than 601 tenths of a second", () => {
  const window = new SlidingWindow();
  for (let n = 0; n < 1_000_000; n++) window.add(n / 15, 1);
  const rings = window as unknown as { grains: Float64Array };
  expect(rings.grains.length).toBeLessThanOrEqual(1024);
  expect(window.total(1_000_000 / 15)).toBeGreaterThan(900_000 - 15 * GRAIN_MS);
});
