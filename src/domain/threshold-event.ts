/** A budget has been used up to one of its thresholds, for the first time in a period. */
export interface ThresholdEvent {
  /** `evt_...`; the same however often it is sent, so that a receiver can tell. */
  readonly id: string;
  readonly budgetId: string;
  /** Epoch milliseconds. */
  readonly periodStart: number;
  /** Percent. */
  readonly threshold: number;
  readonly at: number;
  /** What is sent, as JSON text. */
  readonly body: string;
}
