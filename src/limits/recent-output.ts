/** Pairs of key and model whose answers are remembered at most; those that were used longest ago make room. */
const MAX_PAIRS = 10_000;
/** What an answer is taken to have before any was seen, tokens. */
const UNKNOWN = 500;
/** The newest answer's share of the average. */
const WEIGHT = 0.2;

interface Average {
  tokens: number;
}

/** By key and model. */
type Averages = Map<string, Map<string, Average>>;

/** How long the answers of a key and model were lately, in tokens. */
export class RecentOutput {
  /** Those that were used since there were last too many, and those that were used before. */
  private newer: Averages = new Map();
  private older: Averages = new Map();
  /** Pairs in `newer`. */
  private count = 0;

  estimate(keyId: string, model: string | null): number {
    return this.find(keyId, model ?? "")?.tokens ?? UNKNOWN;
  }

  saw(keyId: string, model: string | null, tokens: number): void {
    const average = this.find(keyId, model ?? "");
    if (average === undefined) this.keep(keyId, model ?? "", { tokens });
    else average.tokens += (tokens - average.tokens) * WEIGHT;
  }

  private find(keyId: string, model: string): Average | undefined {
    const average = this.newer.get(keyId)?.get(model);
    if (average !== undefined || this.older.size === 0) return average;
    const old = this.older.get(keyId)?.get(model);
    if (old !== undefined) this.keep(keyId, model, old);
    return old;
  }

  private keep(keyId: string, model: string, average: Average): void {
    if (this.count >= MAX_PAIRS / 2) {
      this.older = this.newer;
      this.newer = new Map();
      this.count = 0;
    }
    const ofKey = this.newer.get(keyId);
    if (ofKey === undefined) this.newer.set(keyId, new Map([[model, average]]));
    else ofKey.set(model, average);
    this.count++;
  }
}
