import { call } from "./api.ts";

/** How far back a page looks. */
export const RANGES = [
  { value: "24h", label: "24 hours", ms: 24 * 3_600_000, bucket: "hour" },
  { value: "7d", label: "7 days", ms: 7 * 24 * 3_600_000, bucket: "day" },
  { value: "30d", label: "30 days", ms: 30 * 24 * 3_600_000, bucket: "day" },
] as const;
export type Range = (typeof RANGES)[number];

export interface Sums {
  readonly requests: number;
  readonly errors: number;
  readonly refusals: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Dollars. */
  readonly cost: string;
}
interface Latency {
  readonly firstByte: { readonly p50: number | null; readonly p95: number | null };
}
interface Who {
  readonly id: string | null;
  readonly name: string | null;
}

/** What happened in a span of time. */
export interface Overview {
  readonly total: Sums & Latency;
  readonly series: readonly (Sums & Latency & { readonly at: string })[];
  readonly providers: readonly (Sums & { readonly provider: string })[];
  readonly models: readonly (Sums & { readonly provider: string; readonly model: string })[];
  readonly groups: readonly (Sums & Who)[];
  readonly users: readonly (Sums & Who)[];
}

export function readOverview({ ms, bucket }: Range): Promise<Overview> {
  const since = new Date(Date.now() - ms).toISOString();
  return call("GET", "/overview", { query: { since, bucket, top: 10 } });
}

export interface Share {
  readonly name: string;
  /** What the log is filtered by for it; undefined where it cannot be. */
  readonly filter: string | undefined;
  readonly cost: number;
  readonly requests: number;
}

/** Who or what the money went to, by kind. */
export function sharesOf(overview: Overview, kind: "provider" | "model" | "group" | "user"): Share[] {
  const share = (name: string, filter: string | undefined, { cost, requests }: Sums) => ({
    name,
    filter,
    cost: Number(cost),
    requests,
  });
  if (kind === "provider") return overview.providers.map((one) => share(one.provider, one.provider, one));
  if (kind === "model") return overview.models.map((one) => share(one.model, one.model, one));
  const who = kind === "group" ? overview.groups : overview.users;
  return who.map((one) => share(one.name ?? "without a valid key", one.name ?? undefined, one));
}
