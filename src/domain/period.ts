/**
 * How long a budget lasts before it begins anew. Days begin at midnight in the organisation's time zone, weeks on
 * Monday, quarters in January, April, July and October; windows of N hours count from the budget's creation.
 */
export type Period =
  | { readonly kind: "day" | "week" | "month" | "quarter" | "total" }
  | { readonly kind: "hours"; readonly hours: number };

/** From `start` up to, without, `end`; epoch milliseconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Of a budget that lasts as long as its scope. */
const FOREVER: Span = { start: 0, end: Number.POSITIVE_INFINITY };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * The period that a moment lies in.
 * @param timeZone An IANA name: `UTC`, `Europe/Berlin`.
 * @param createdAt Of the budget.
 */
export function spanAt(period: Period, at: number, timeZone: string, createdAt: number): Span {
  if (period.kind === "total") return FOREVER;
  if (period.kind === "hours") {
    const length = period.hours * HOUR_MS;
    const start = createdAt + Math.floor((at - createdAt) / length) * length;
    return { start, end: start + length };
  }
  const { year, month, day } = dateIn(timeZone, at);
  const [first, next] = BOUNDS[period.kind](year, month, day);
  return { start: midnight(first, timeZone), end: midnight(next, timeZone) };
}

/** Days as UTC midnights: a calendar without clocks. */
const BOUNDS: Record<
  "day" | "week" | "month" | "quarter",
  (year: number, month: number, day: number) => readonly [first: number, next: number]
> = {
  day: (year, month, day) => [Date.UTC(year, month, day), Date.UTC(year, month, day + 1)],
  week: (year, month, day) => {
    const monday = day - ((new Date(Date.UTC(year, month, day)).getUTCDay() + 6) % 7);
    return [Date.UTC(year, month, monday), Date.UTC(year, month, monday + 7)];
  },
  month: (year, month) => [Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1)],
  quarter: (year, month) => {
    const first = month - (month % 3);
    return [Date.UTC(year, first, 1), Date.UTC(year, first + 3, 1)];
  },
};

/** The moment at which a date begins there: at midnight, or at the end of the gap that swallows it. */
function midnight(date: number, timeZone: string): number {
  // Offsets on either side of a change are those of the day before and the day after.
  const candidates = [DAY_MS, -DAY_MS].map((shift) => date - offsetAt(timeZone, date - shift));
  const exact = candidates.filter((at) => at + offsetAt(timeZone, at) === date);
  // Of a midnight that comes twice, the first; of one that does not come at all, the moment of the change.
  return exact.length > 0 ? Math.min(...exact) : firstAfter(date, timeZone, candidates);
}

/** The first moment at which clocks show this date or later. */
function firstAfter(date: number, timeZone: string, candidates: readonly number[]): number {
  let before = Math.min(...candidates);
  let after = Math.max(...candidates);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (middle + offsetAt(timeZone, middle) >= date) after = middle;
    else before = middle;
  }
  return after;
}

/** What clocks there are ahead of UTC, milliseconds. */
function offsetAt(timeZone: string, at: number): number {
  const { year, month, day, hour, minute, second } = partsIn(timeZone, at);
  return Date.UTC(year, month, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

function dateIn(timeZone: string, at: number) {
  return timeZone === "UTC" ? utcDate(at) : partsIn(timeZone, at);
}

function utcDate(at: number) {
  const date = new Date(at);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError for a time zone that there is not. */
function partsIn(timeZone: string, at: number) {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(timeZone, format);
  }
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return { year, month: month - 1, day, hour, minute, second };
}
