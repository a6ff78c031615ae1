/** Where the time comes from; handed to whoever needs it, so that tests can move it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Does work later; handed over like the clock. */
export interface Timer {
  /** Returns what calls it off. */
  after(ms: number, work: () => void): () => void;
  /** When what the platform has at hand is done. */
  soon(work: () => void): void;
}
