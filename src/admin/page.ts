import { z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";

/** Longer pages would make others wait. */
const MOST = 1000;

/** What every list takes. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(MOST).default(100).describe("At most so many."),
  cursor: z
    .string()
    .max(2000)
    .optional()
    .describe("`next` of the page before. What is added meanwhile neither repeats nor hides anything."),
};

/** A page of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: Next });
}

const Next = z
  .string()
  .nullable()
  .describe("What to give as `cursor` for the next page; null where this is the last.");

/** What a thing's place in a list depends on: never the same for two of them. */
type Key = readonly (string | number)[];

/** Cuts a page out of what is in memory. */
export function paged<Thing>(
  things: readonly Thing[],
  keyOf: (thing: Thing) => Key,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): { items: Thing[]; next: string | null } {
  const after = cursor === undefined ? undefined : parseCursor(cursor);
  const keyed = things.map((thing) => ({ thing, key: keyOf(thing) }));
  const left = after === undefined ? keyed : keyed.filter(({ key }) => compare(key, after) > 0);
  const items = left.sort((a, b) => compare(a.key, b.key)).slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(({ thing }) => thing),
    next: last !== undefined && left.length > limit ? cursorText(last.key) : null,
  };
}

export function cursorText(key: Key): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

/** @throws HTTPException 400 for what no page gave. */
export function parseCursor(cursor: string): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (Array.isArray(key) && key.every((part) => typeof part === "string" || typeof part === "number"))
      return key;
  } catch {
    // As below.
  }
  throw new HTTPException(400, { message: "cursor: is not the `next` of a page." });
}

/** A cursor of whole numbers. @throws HTTPException 400 */
export function parseNumbers(cursor: string, count: number): number[] {
  const key = parseCursor(cursor);
  if (key.length !== count || !key.every((part) => Number.isSafeInteger(part)))
    throw new HTTPException(400, { message: "cursor: is of another list." });
  return key as number[];
}

function compare(a: Key, b: Key): number {
  for (const [at, part] of a.entries()) {
    const other = b[at];
    if (other === undefined || typeof other !== typeof part) return 1;
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}
