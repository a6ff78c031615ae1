import type { CompiledBudget, CompiledScope } from "./compiled-scope.ts";
import type { Answer } from "./decide.ts";
import type { LeakedKeys } from "./leak.ts";
import type { Nanos } from "./money.ts";
import type { RefusalCode } from "./refusal.ts";

/** A call that somebody describes instead of making it. */
export interface DescribedCall {
  /** Id. */
  readonly provider: string;
  readonly method: string;
  /** Behind the provider; with a query, if it has one. */
  readonly path: string;
  /** What the body would name; does not count where there is a body. */
  readonly model: string | null;
  readonly address: string | null;
  readonly body: string | null;
  readonly contentType: string;
}

/** Whose call it would be, ids: a key's, or any of this user's or group's. */
export interface DescribedCaller {
  readonly group: string;
  readonly user?: string | undefined;
  readonly key?: string | undefined;
}

/** What would happen to a call, and who decides it. */
export interface Explanation {
  /** The first no; null where nobody says one. */
  readonly refusal: {
    readonly code: RefusalCode;
    readonly message: string;
    /** The scope's name, or `the gateway`. */
    readonly by: string;
  } | null;
  /** How the call was read; null where it could not be. */
  readonly endpoint: string | null;
  readonly model: string | null;
  readonly answers: readonly Answer[];
  /** Those that would count it. */
  readonly budgets: readonly { readonly scope: CompiledScope; readonly budget: CompiledBudget }[];
  /** What the budgets would do with it now; null where that cannot be said: without its body, or where it is refused. */
  readonly admission: {
    readonly verdict: "admitted" | "capped" | "waits";
    /** The most that it can cost; null where no budget asks. */
    readonly ceiling: Nanos | null;
    /** Tokens; null where its output would not be capped. */
    readonly outputCap: number | null;
  } | null;
  /** What would become of the caller's key, if it were seen in a prompt or a URL. */
  readonly leakedKeys: LeakedKeys;
  /** Scopes whose limits would count it. */
  readonly limited: readonly CompiledScope[];
}
