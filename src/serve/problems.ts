import { ConfigError } from "../config.ts";
import { StorageFailure } from "../domain/store.ts";
import { BadVaultKey } from "../vault/key-file.ts";
import { WrongVaultKey } from "../vault/vault.ts";
import { StartFailure } from "./failure.ts";

/** What to tell an operator who can mend it; undefined for what only we can mend. */
export function startProblems(error: unknown): readonly string[] | undefined {
  if (error instanceof ConfigError) return error.problems;
  const known = [StartFailure, StorageFailure, BadVaultKey, WrongVaultKey].some(
    (kind) => error instanceof kind,
  );
  return known ? [(error as Error).message] : undefined;
}
