/** One value in a file of settings. */
export interface Setting {
  /** Names from the outermost on. */
  readonly path: readonly string[];
  readonly value: Value;
  /** Of a list, the entry to set: see `Entry`. */
  readonly entry?: Entry;
  /** Where the user has a value already, that one stays. */
  readonly unlessSet?: true;
}

export type Value = string | boolean | number | readonly Value[] | { readonly [name: string]: Value };

/**
 * Which entry of a list a setting is about; where there is none, it is added.
 * By `field`, the objects that have the setting's own value there; by `prefix`, the texts that begin so. Of an object
 * that is there already, the fields in `keep` stay as they are.
 */
export type Entry =
  | { readonly field: string; readonly keep?: readonly string[] }
  | { readonly prefix: string };

/** A file that cannot be read as what it should be, or not be changed with the rest of it kept. Its message says why. */
export class UnclearFile extends Error {
  override name = "UnclearFile";
}
