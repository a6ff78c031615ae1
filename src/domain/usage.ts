/**
 * What a call used, in units that are disjoint: no token is counted under two of them, whatever way its provider
 * reports them. Units that were not used are absent.
 */
export type Quantities = Partial<Record<Unit, number>>;

export type Unit =
  /** Text tokens of the input that came from no cache. */
  | "input_tokens"
  | "cache_read_tokens"
  /** Written to a cache that lives five minutes, or for as long as the provider's only kind does. */
  | "cache_write_tokens"
  /** Written to a cache that lives longer, where a provider has two kinds: an hour, or twelve. */
  | "cache_write_1h_tokens"
  | "input_audio_tokens"
  | "cache_read_audio_tokens"
  | "input_image_tokens"
  /** Text tokens of the answer without its reasoning. */
  | "output_tokens"
  | "reasoning_tokens"
  | "output_audio_tokens"
  | "output_image_tokens"
  | "characters"
  /** Of audio or video, or of computing where a provider bills that. */
  | "milliseconds"
  | "images"
  | "pages"
  | "requests"
  /** Web searches, and what rerankers call search units or search services credits. */
  | "searches"
  | "classifications";

/** All tokens that went in, from caches or not. */
export function inputTokens(quantities: Quantities): number {
  return (
    (quantities.input_tokens ?? 0) +
    (quantities.cache_read_tokens ?? 0) +
    (quantities.cache_write_tokens ?? 0) +
    (quantities.cache_write_1h_tokens ?? 0) +
    (quantities.input_audio_tokens ?? 0) +
    (quantities.cache_read_audio_tokens ?? 0) +
    (quantities.input_image_tokens ?? 0)
  );
}

/** All tokens that came out, reasoning included. */
export function outputTokens(quantities: Quantities): number {
  return (
    (quantities.output_tokens ?? 0) +
    (quantities.reasoning_tokens ?? 0) +
    (quantities.output_audio_tokens ?? 0) +
    (quantities.output_image_tokens ?? 0)
  );
}

/** How sure a count is: the provider reported it, we counted what passed, or it is the most it can have been. */
export type Evidence = "reported" | "counted" | "ceiling" | "decided";

export interface Usage {
  readonly quantities: Quantities;
  readonly evidence: Evidence;
  /** The model that answered, where the answer names it. */
  readonly model: string | null;
  /** What the provider itself says that the call cost, nano-dollars. */
  readonly reportedCost: bigint | null;
  /** As the provider names it (`priority`, `batch`, `flex`, ...); null for its standard one. */
  readonly serviceTier: string | null;
  /** Where it ran, where that changes the price. */
  readonly region: string | null;
  /** What further models used for the same answer; nothing of it is in `quantities`. */
  readonly others: readonly ModelUsage[];
  /**
   * The provider's name of what was done, where its answer can be had again: a batch, job, operation or stored
   * response. The same usage comes with every such answer, and is to be metered at the first alone.
   */
  readonly jobId: string | null;
}

export interface ModelUsage {
  readonly model: string | null;
  readonly quantities: Quantities;
}
