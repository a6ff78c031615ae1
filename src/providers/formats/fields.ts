/** An object as JSON has it. */
export type Fields = Record<string, unknown>;

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member that is a count; 0 for anything else, so that no answer can make usage negative or odd. */
export function count(object: Fields | null | undefined, name: string): number {
  return asCount(object?.[name]);
}

/** No call uses as much, and sums of thousands of such counts are exact. */
const MOST = 1e12;

/** 0 for what is no count. */
export function asCount(value: unknown): number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= MOST ? value : 0;
}

/** A member that is an object. */
export function member(object: Fields | null | undefined, name: string): Fields | null {
  const value = object?.[name];
  return isObject(value) ? value : null;
}

/** A member that is a text. */
export function text(object: Fields | null | undefined, name: string): string | null {
  const value = object?.[name];
  return typeof value === "string" ? value : null;
}

/** The objects in a member that is an array. */
export function items(object: Fields | null | undefined, name: string): Fields[] {
  const value = object?.[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}
