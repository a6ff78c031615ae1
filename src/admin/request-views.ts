import { z } from "@hono/zod-openapi";
import { formatDollars } from "../domain/money.ts";
import type { LoggedRequest } from "../domain/request-record.ts";
import { rfc3339, Time } from "./schemas.ts";

export const RequestView = z
  .object({
    seq: z.number(),
    id: z.string(),
    at: Time,
    keyId: z.string().nullable(),
    keyName: z.string().nullable(),
    parentKeyId: z.string().nullable().describe("Of a child key: the key that it was made with."),
    userId: z.string().nullable(),
    userName: z.string().nullable(),
    groupId: z.string().nullable(),
    groupName: z.string().nullable(),
    provider: z.string().nullable(),
    method: z.string(),
    endpoint: z.string(),
    model: z.string().nullable(),
    status: z.number().describe("What the client got; 0 where it left before an answer."),
    refusal: z.string().nullable(),
    shadowRefusal: z
      .string()
      .nullable()
      .describe("What policies in shadow mode would have refused it for, and whose they are."),
    ending: z.enum(["complete", "refused", "client_closed", "upstream_broken", "timeout", "cut", "lost"]),
    sentMs: z
      .number()
      .nullable()
      .describe("From its arrival until it was sent to the provider; null where it was not."),
    firstByteMs: z.number().nullable().describe("From its arrival until the provider's answer began."),
    durationMs: z.number(),
    bytesIn: z.number(),
    bytesOut: z.number(),
    upstreamRequestId: z.string().nullable(),
    address: z.string().nullable(),
    usage: z.record(z.string(), z.number()).nullable().describe("What was used, by unit."),
    evidence: z.enum(["reported", "counted", "ceiling", "decided"]).nullable(),
    costNanos: z.string().nullable().describe("Nano-dollars; null where no price is known."),
    cost: z.string().nullable().describe("The same in dollars."),
    priceBook: z.string().nullable().describe("SHA-256 of the prices that it was computed with."),
  })
  .openapi("Request");

export function requestView(row: LoggedRequest): z.infer<typeof RequestView> {
  const { sentMs, firstByteMs, durationMs, metered, ...rest } = row;
  const cost = metered?.costNanos ?? null;
  return {
    ...rest,
    usage: metered === null ? null : (metered.quantities as Record<string, number>),
    evidence: metered?.evidence ?? null,
    costNanos: cost === null ? null : cost.toString(),
    cost: cost === null ? null : formatDollars(cost),
    priceBook: metered?.priceBook ?? null,
    at: rfc3339(row.at),
    sentMs: sentMs === null ? null : microseconds(sentMs),
    firstByteMs: firstByteMs === null ? null : microseconds(firstByteMs),
    durationMs: microseconds(durationMs),
  };
}

/** Milliseconds with three decimals: more is noise of the clock. */
function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
