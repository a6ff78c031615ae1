import type { Evidence, Quantities } from "./usage.ts";

/** One row of the request log. Never a body, never a query string, never a key. */
export interface RequestRecord {
  id: string;
  /** When the request arrived, epoch milliseconds. */
  at: number;
  keyId: string | null;
  userId: string | null;
  groupId: string | null;
  provider: string | null;
  method: string;
  /** The provider's own path, without the query. */
  endpoint: string;
  model: string | null;
  /** What the client got; 0 where it left before an answer. */
  status: number;
  refusal: string | null;
  /** What policies that only count would have refused it for: `group research: model_not_allowed`, ... */
  shadowRefusal: string | null;
  ending: Ending;
  /** Milliseconds from arrival until it was first sent to the provider; null where it was not. */
  sentMs: number | null;
  /** Milliseconds from arrival to the upstream's answer head; null where none came. */
  firstByteMs: number | null;
  durationMs: number;
  bytesIn: number;
  bytesOut: number;
  upstreamRequestId: string | null;
  /** The client's network address. */
  address: string | null;
  metered: Metered | null;
}

/** What a call used and cost; null in a row where its answer does not say, or nobody asked it. */
export interface Metered {
  /** All that was used, by whichever model. */
  quantities: Quantities;
  evidence: Evidence;
  /** Nano-dollars; null where no price is known. */
  costNanos: bigint | null;
  /** Hash of the price book that it was computed with; null where somebody decided. */
  priceBook: string | null;
}

/**
 * How a request ended: whole, or who broke it off; `lost` where the gateway's own process ended before it could write that
 * down.
 */
export type Ending =
  | "complete"
  | "refused"
  | "client_closed"
  | "upstream_broken"
  | "timeout"
  | "cut"
  | "lost";

/** What rows can be added up by. */
export type UsageKey = "user" | "group" | "key" | "provider" | "model" | "endpoint" | "day" | "hour";

export interface UsageFilter
  extends Omit<RequestFilter, "after" | "limit" | "status" | "refusal" | "shadowRefusal"> {
  /** Only rows that arrived before this time, epoch milliseconds. */
  until?: number | undefined;
  by: readonly UsageKey[];
}

/** A sum of rows. */
export interface UsageSum {
  /** The values of the keys, in their order; null where the rows have none. */
  keys: readonly (string | null)[];
  requests: number;
  inputTokens: number;
  outputTokens: number;
  costNanos: bigint;
  /** Rows that used something whose price is not known. */
  unpriced: number;
}

export interface RequestFilter {
  /** A user's id: never another one whose name is like it. */
  userId?: string | undefined;
  /** Name or id. */
  user?: string | undefined;
  group?: string | undefined;
  /** Id; with it go the keys that were made with it. */
  key?: string | undefined;
  provider?: string | undefined;
  model?: string | undefined;
  refusal?: string | undefined;
  /** Only rows that a policy that only counts would have refused, for this reason. */
  shadowRefusal?: string | undefined;
  status?: number | undefined;
  /** Only rows that arrived at or after this time, epoch milliseconds. */
  since?: number | undefined;
  /** Only rows written after this one: the log's own sequence number, for following it. */
  after?: number | undefined;
  limit: number;
}

/** A place in the log, by arrival. */
export interface LogPlace {
  readonly at: number;
  readonly seq: number;
}

export interface RequestPageFilter extends Omit<RequestFilter, "after" | "status"> {
  /** Only rows that arrived before this time, epoch milliseconds. */
  until?: number | undefined;
  /** From and to, both included. */
  status?: readonly [from: number, to: number] | undefined;
  /** Part of the id, endpoint, model or address. */
  q?: string | undefined;
  order: "newest" | "oldest";
  /** Only rows behind this one, in the order that is asked for. */
  behind?: LogPlace | undefined;
}

export interface RequestPage {
  readonly items: readonly LoggedRequest[];
  /** Where the next page begins; null where this is the last. */
  readonly next: LogPlace | null;
}

/** What the log says that a request cost. */
export interface RowCostView {
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly durationMs: number;
  readonly costNanos: bigint | null;
}

/** A row as it is read back: with its place in the log and the names of who called. */
export interface LoggedRequest extends RequestRecord {
  seq: number;
  userName: string | null;
  groupName: string | null;
  keyName: string | null;
  /** Of a child key. */
  parentKeyId: string | null;
}
