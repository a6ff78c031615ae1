/** What many requests did, added up. */
export interface TrafficSum {
  readonly requests: number;
  /** Answers of a provider that were errors or broke off; refusals are counted apart. */
  readonly errors: number;
  readonly refusals: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNanos: bigint;
  /** Requests that used something whose price is not known. */
  readonly unpriced: number;
}

/** How long requests took, milliseconds; null where nothing was measured. */
export interface Latency {
  /** Until their answers began. */
  readonly firstByte: Percentiles;
  /** Until their ends. */
  readonly duration: Percentiles;
}

export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface TrafficFilter {
  /** Epoch milliseconds of whole hours. */
  readonly since: number;
  readonly until: number;
  readonly bucket: "hour" | "day";
  /** How many of each kind: those that cost most. */
  readonly top: number;
}

/** All of it from one moment. */
export interface Traffic {
  readonly total: TrafficSum & Timed;
  /** By the beginning of the hour or day; those with requests, oldest first. */
  readonly series: readonly (TrafficSum & Timed & { readonly at: number })[];
  readonly providers: readonly (TrafficSum & Timed & { readonly provider: string })[];
  readonly models: readonly (TrafficSum & { readonly provider: string; readonly model: string })[];
  /** Those that are known; null for what came without a valid key. */
  readonly groups: readonly (TrafficSum & Named)[];
  readonly users: readonly (TrafficSum & Named)[];
}

interface Timed {
  readonly latency: Latency;
}

interface Named {
  readonly id: string | null;
  readonly name: string | null;
}

/** Buckets double every two: fine enough to say where a percentile lies, few enough to keep for every hour. */
const PER_DOUBLING = 2;

/** From, and up to, how many milliseconds a bucket counts. */
function bucketBounds(bucket: number): readonly [from: number, to: number] {
  if (bucket === 0) return [0, 1];
  return [2 ** ((bucket - 1) / PER_DOUBLING), 2 ** (bucket / PER_DOUBLING)];
}

/** SQL that gives the bucket of a column in milliseconds. */
export function bucketSql(column: string): string {
  return `CASE WHEN ${column} < 1 THEN 0 ELSE 1 + CAST(ln(${column}) / ln(2.0) * ${PER_DOUBLING} AS INTEGER) END`;
}

/**
 * The milliseconds that this part of the counted stayed below; null where nothing was counted.
 * @param part 0.95 for the 95th percentile.
 */
export function percentile(counts: ReadonlyMap<number, number>, part: number): number | null {
  let total = 0;
  for (const count of counts.values()) total += count;
  if (total === 0) return null;
  let left = total * part;
  const buckets = [...counts].sort(([a], [b]) => a - b);
  for (const [bucket, count] of buckets) {
    const [from, to] = bucketBounds(bucket);
    if (left <= count) return Math.round((from + (to - from) * (left / count)) * 10) / 10;
    left -= count;
  }
  return bucketBounds(buckets.at(-1)?.[0] ?? 0)[1];
}
