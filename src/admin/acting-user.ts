import type { Context } from "hono";
import type { User } from "../domain/directory.ts";
import { forbidden } from "./problem.ts";
import type { AdminEnv } from "./resource.ts";

/**
 * The user on whose behalf a request is made.
 * @throws HTTPException 403 where there is none: the operator token is nobody's.
 */
export function actingUser({ var: { caller } }: Context<AdminEnv>): User {
  if (caller !== null && caller.kind !== "operator") return caller.user;
  throw nobody();
}

/** For the operator token, where something is about whoever asks. */
export function nobody() {
  return forbidden(
    "This is about whoever asks, and the operator token is nobody's: sign in as a user.",
    "nobody",
  );
}
