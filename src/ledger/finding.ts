/** What is wrong, and where. */
export interface Finding {
  /** The block's number; null for what is not in a block. */
  readonly block: number | null;
  /** Null for what is not of one hold. */
  readonly hold: number | null;
  readonly what: string;
}
