/** Pairs of key and model whose answers are remembered; the one that was used longest ago makes room. */
const MAX_PAIRS = 10_000;
/** What an answer is taken to have before any was seen, tokens. */
const UNKNOWN = 500;
/** The newest answer's share of the average. */
const WEIGHT = 0.2;

/** How long the answers of a key and model were lately, in tokens. */
export class RecentOutput {
  private readonly averages = new Map<string, number>();

  estimate(keyId: string, model: string | null): number {
    return this.averages.get(nameOf(keyId, model)) ?? UNKNOWN;
  }

  saw(keyId: string, model: string | null, tokens: number): void {
    const name = nameOf(keyId, model);
    const before = this.averages.get(name) ?? tokens;
    // Put back at the end: the map's order is that of use.
    this.averages.delete(name);
    this.averages.set(name, before + (tokens - before) * WEIGHT);
    if (this.averages.size <= MAX_PAIRS) return;
    const [oldest] = this.averages.keys();
    if (oldest !== undefined) this.averages.delete(oldest);
  }
}

function nameOf(keyId: string, model: string | null): string {
  return `${keyId} ${model ?? ""}`;
}
