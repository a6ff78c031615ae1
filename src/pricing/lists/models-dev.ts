import type { ListModel } from "./list-model.ts";
import { million, type Per, ratesOf } from "./list-rates.ts";
// As text: it is parsed only when somebody makes a list.
import text from "./model-limits.json" with { type: "text" };

/** model-limits.json. */
export interface ModelsDev {
  readonly source: string;
  readonly providers: Readonly<Record<string, Readonly<Record<string, DevModel>>>>;
}

export interface DevModel {
  readonly context?: number;
  readonly output?: number;
  readonly cost_usd_per_million?: Readonly<Record<string, number | readonly DevTier[]>>;
}

type DevTier = { readonly tier: { readonly size: number } } & Readonly<Record<string, unknown>>;

/** By models.dev's key, for a million. */
const DEV_UNITS: Readonly<Record<string, Per | null>> = {
  input: million("input_tokens"),
  output: million("output_tokens"),
  cache_read: million("cache_read_tokens"),
  cached_input: million("cache_read_tokens"),
  cache_write: million("cache_write_tokens"),
  cached_write: million("cache_write_tokens"),
  reasoning: million("reasoning_tokens"),
  input_audio: million("input_audio_tokens"),
  citation: null,
  request: null,
};

export function modelsDev(): ModelsDev {
  return JSON.parse(text as unknown as string) as ModelsDev;
}

export function devPrices(models: Record<string, DevModel>, known: (model: string) => boolean): ListModel[] {
  return Object.entries(models).flatMap(([id, { cost_usd_per_million: cost = {}, context }]) => {
    const { tiers, ...base } = cost;
    const prices = Object.entries(base) as [string, number][];
    // Zeros are there for what is not sold by the token.
    if (known(id) || !prices.some(([, price]) => price > 0)) return [];
    const above = ((tiers ?? []) as readonly DevTier[]).map(({ tier, ...more }) => ({
      over: tier.size,
      rates: ratesOf(Object.entries({ ...base, ...more }) as [string, number][], DEV_UNITS),
    }));
    const rated = { rates: ratesOf(prices, DEV_UNITS), ...(above.length > 0 && { tiers: above }) };
    return [{ id, ...(context && { context }), prices: [rated] }];
  });
}

export function limitsOf(
  models: Record<string, DevModel>,
): Record<string, [context: number, output: number]> {
  return Object.fromEntries(
    Object.entries(models)
      .filter(([, { context, output }]) => context || output)
      .map(([id, { context = 0, output = 0 }]) => [id.toLowerCase(), [context, output]]),
  );
}
