/** What the administrator's webhook is told of. */
export interface WebhookEvent {
  /** `evt_...`; the same however often it is sent, so that a receiver can tell. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** What is sent, as JSON text. */
  readonly body: string;
}

/** A budget has been used up to one of its thresholds, for the first time in a period. */
export interface ThresholdEvent extends WebhookEvent {
  readonly budgetId: string;
  /** Epoch milliseconds. */
  readonly periodStart: number;
  /** Percent. */
  readonly threshold: number;
}
