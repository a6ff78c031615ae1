import { z } from "@hono/zod-openapi";
import { type Lifetime, lifetimeState } from "../domain/directory.ts";

/** Shapes that several resources share. Times are RFC 3339 in UTC. */
export const Time = z.iso.datetime({ offset: true });

export const Name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters would corrupt terminals and logs
  .regex(/^[^\u0000-\u001f\u007f]+$/, "must not contain control characters")
  // As a segment of a URL these two mean something else.
  .refine((name) => name !== "." && name !== "..", "must be more than dots");

const State = z.enum(["active", "revoked", "expired", "frozen"]);

export const Reference = z.object({ id: z.string(), name: z.string() });

export const lifetimeShape = {
  state: State,
  createdAt: Time,
  revokedAt: Time.nullable(),
  expiresAt: Time.nullable(),
};

/** What may be changed of a group, a user or a key. */
export const lifetimeChange = {
  name: Name.optional(),
  expiresAt: Time.nullable().optional(),
  revoked: z.boolean().optional(),
  /** Cut open streams too, instead of letting them end. */
  now: z.boolean().optional(),
};

/** What a list is searched for. */
export const Search = z.string().max(200).optional().describe("Part of the name, or the id.");

export const Ref = z.object({ ref: z.string().min(1).max(200) });

export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

/** What a library made to be sent as JSON. */
export type Json = Record<string, string>;

export function rfc3339(time: number): string;
export function rfc3339(time: number | null): string | null;
export function rfc3339(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

export function lifetimeView(thing: Lifetime & { createdAt: number }, now: number) {
  return {
    state: lifetimeState(thing, now),
    createdAt: rfc3339(thing.createdAt),
    revokedAt: rfc3339(thing.revokedAt),
    expiresAt: rfc3339(thing.expiresAt),
  };
}

/** The store's fields for something new. @param expiresAt RFC 3339; it does not end by itself without. */
export function newLifetime(expiresAt: string | undefined, now: number): Lifetime & { createdAt: number } {
  return {
    createdAt: now,
    revokedAt: null,
    expiresAt: expiresAt === undefined ? null : Date.parse(expiresAt),
  };
}

interface LifetimeChange {
  name?: string | undefined;
  expiresAt?: string | null | undefined;
  revoked?: boolean | undefined;
}

/** The store's fields for a change; absent ones stay as they are. */
export function lifetimeFields(change: LifetimeChange, now: number) {
  return {
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.expiresAt === undefined
      ? {}
      : { expiresAt: change.expiresAt === null ? null : Date.parse(change.expiresAt) }),
    ...(change.revoked === undefined ? {} : { revokedAt: change.revoked ? now : null }),
  };
}
