import { describe, expect, test } from "bun:test";
import { type Period, type Span, spanAt } from "./period.ts";

function span(kind: Exclude<Period["kind"], "hours">, at: string, timeZone = "UTC"): string[] {
  return shown(spanAt({ kind }, Date.parse(at), timeZone, 0));
}

function shown({ start, end }: Span): string[] {
  return [start, end].map((at) => new Date(at).toISOString().replace(":00.000Z", "Z"));
}

describe("periods begin where calendars say", () => {
  test.each([
    ["day", "2026-11-24T23:59:59.999Z", ["2026-11-24T00:00Z", "2026-11-25T00:00Z"]],
    ["day", "2026-11-24T00:00:00Z", ["2026-11-24T00:00Z", "2026-11-25T00:00Z"]],
    ["week", "2026-11-29T12:00:00Z", ["2026-11-23T00:00Z", "2026-11-30T00:00Z"]],
    ["week", "2027-01-01T12:00:00Z", ["2026-12-28T00:00Z", "2027-01-04T00:00Z"]],
    ["month", "2028-02-29T12:00:00Z", ["2028-02-01T00:00Z", "2028-03-01T00:00Z"]],
    ["month", "2026-12-31T23:59:59Z", ["2026-12-01T00:00Z", "2027-01-01T00:00Z"]],
    ["quarter", "2026-11-24T12:00:00Z", ["2026-10-01T00:00Z", "2027-01-01T00:00Z"]],
    ["quarter", "2026-03-31T23:00:00Z", ["2026-01-01T00:00Z", "2026-04-01T00:00Z"]],
  ] as const)("a %s at %s", (kind, at, expected) => {
    expect(span(kind, at)).toEqual([...expected]);
  });

  test("the day of a time zone is not that of UTC", () => {
    expect(span("day", "2026-11-24T04:00:00Z", "America/New_York")).toEqual([
      "2026-11-23T05:00Z",
      "2026-11-24T05:00Z",
    ]);
    expect(span("day", "2026-11-24T16:00:00Z", "Asia/Tokyo")).toEqual([
      "2026-11-24T15:00Z",
      "2026-11-25T15:00Z",
    ]);
    expect(span("day", "2026-11-24T19:00:00Z", "Asia/Kolkata")).toEqual([
      "2026-11-24T18:30Z",
      "2026-11-25T18:30Z",
    ]);
  });

  test("days at a change of clocks have 23 and 25 hours, and months and weeks have them in them", () => {
    expect(span("day", "2026-03-29T12:00:00Z", "Europe/Berlin")).toEqual([
      "2026-03-28T23:00Z",
      "2026-03-29T22:00Z",
    ]);
    expect(span("day", "2026-10-25T12:00:00Z", "Europe/Berlin")).toEqual([
      "2026-10-24T22:00Z",
      "2026-10-25T23:00Z",
    ]);
    expect(span("week", "2026-10-20T12:00:00Z", "Europe/Berlin")).toEqual([
      "2026-10-18T22:00Z",
      "2026-10-25T23:00Z",
    ]);
    expect(span("month", "2026-03-15T12:00:00Z", "Europe/Berlin")).toEqual([
      "2026-02-28T23:00Z",
      "2026-03-31T22:00Z",
    ]);
  });

  test("a midnight that does not come: the day begins when the clocks go on", () => {
    // Beirut's clocks go from 00:00 to 01:00 on 29 March 2026.
    expect(span("day", "2026-03-29T10:00:00Z", "Asia/Beirut")).toEqual([
      "2026-03-28T22:00Z",
      "2026-03-29T21:00Z",
    ]);
  });

  test("windows of hours count from the budget's creation, whatever the clocks do", () => {
    const createdAt = Date.parse("2026-10-24T21:30:00Z");
    const at = Date.parse("2026-10-25T03:00:00Z");
    expect(shown(spanAt({ kind: "hours", hours: 5 }, at, "Europe/Berlin", createdAt))).toEqual([
      "2026-10-25T02:30Z",
      "2026-10-25T07:30Z",
    ]);
  });

  test("a total never ends", () => {
    expect(spanAt({ kind: "total" }, Date.now(), "UTC", 0)).toEqual({
      start: 0,
      end: Number.POSITIVE_INFINITY,
    });
  });
});

test("periods leave no gap and do not overlap, in any time zone, hour by hour over years", () => {
  for (const timeZone of [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "America/Santiago",
  ]) {
    for (const kind of ["day", "week", "month", "quarter"] as const) {
      let last: Span | undefined;
      for (
        let at = Date.parse("2026-01-01T00:30:00Z");
        at < Date.parse("2028-04-01T00:00:00Z");
        at += 3_600_000
      ) {
        if (last !== undefined && at < last.end) continue;
        const next = spanAt({ kind }, at, timeZone, 0);
        expect(next.start <= at && at < next.end).toBe(true);
        if (last !== undefined) expect(next.start).toBe(last.end);
        last = next;
      }
    }
  }
});
