/** Reading JSON that somebody else wrote: each function gives the value as what it should be, or says where it is not. */

/** @throws {Error} */
export function fields(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${where}: no object`);
  return value as Record<string, unknown>;
}

/** @throws {Error} */
export function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${where}: no list`);
  return value;
}

/** Not empty, and no longer than any name is. @throws {Error} */
export function word(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "" || value.length > 500) throw new Error(`${where}: no text`);
  return value;
}

export function mapValues<T, U>(
  values: Readonly<Record<string, T>>,
  map: (value: T, key: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value, key)]));
}
