import type { Scope } from "./policy.ts";

/** Somebody's wish for more, which an administrator grants or denies. */
export interface Ask {
  /** `ask_...`. */
  readonly id: string;
  readonly userId: string;
  readonly kind: AskKind;
  /** Where it is to be changed; null where whoever asks does not know. */
  readonly scope: Scope | null;
  /** Of a budget that is to be larger. */
  readonly budgetId: string | null;
  /** Of the model, provider or limit. */
  readonly name: string | null;
  /** Dollars of a budget, or the number of a limit, as it is to be. */
  readonly amount: string | null;
  readonly reason: string;
  readonly state: AskState;
  readonly createdAt: number;
  readonly decidedAt: number | null;
  /** Whoever decided, by name. */
  readonly decidedBy: string | null;
  /** What they said to it. */
  readonly answer: string | null;
}

export type AskKind = "budget" | "limit" | "model" | "provider" | "other";
export type AskState = "open" | "granted" | "denied";

export interface AskDecision {
  readonly state: "granted" | "denied";
  readonly at: number;
  readonly by: string;
  readonly answer: string | null;
}

export interface AskFilter {
  readonly userId?: string | undefined;
  readonly state?: AskState | undefined;
  readonly kind?: AskKind | undefined;
  /** Only those that were made before this one. */
  readonly before?: { readonly at: number; readonly id: string } | undefined;
  readonly limit: number;
}
