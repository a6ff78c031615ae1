import type { AccountBalance, AccountId } from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import type { Span } from "../domain/period.ts";

/** A budget in one of its periods. */
export class Account {
  readonly id: AccountId;
  readonly budgetId: string;
  readonly span: Span;
  /** What its calls cost. */
  posted: Nanos;
  /** That, and what calls under way may cost at most. */
  taken: Nanos;
  /** Since the last checkpoint. */
  isChanged = false;
  /** Whether the journal knows it. */
  isRecorded = false;

  constructor(id: AccountId, budgetId: string, span: Span, posted: Nanos) {
    this.id = id;
    this.budgetId = budgetId;
    this.span = span;
    this.posted = posted;
    this.taken = posted;
  }

  /** One that the journal knows. */
  static of({ id, budgetId, start, end, posted }: AccountBalance): Account {
    const account = new Account(id, budgetId, { start, end }, posted);
    account.isRecorded = true;
    return account;
  }

  /** What calls under way may cost at most. */
  get pending(): Nanos {
    return this.taken - this.posted;
  }

  get balance(): AccountBalance {
    const { id, budgetId, span, posted } = this;
    return { id, budgetId, start: span.start, end: span.end, posted };
  }
}
