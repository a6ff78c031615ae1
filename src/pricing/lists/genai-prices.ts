import type { Rule } from "../match.ts";
import { type Match, rulesFrom } from "./genai-rules.ts";
import type { ListModel, ListPrice, ListRated } from "./list-model.ts";
import { million, type Per, ratesOf } from "./list-rates.ts";

/** https://github.com/pydantic/genai-prices, `prices/new_data/v2/data.json`, as far as we read it. */
export interface GenaiProvider {
  readonly id: string;
  readonly models: readonly GenaiModel[];
}

export interface GenaiModel {
  readonly id: string;
  readonly match: Match;
  readonly context_window?: number;
  readonly prices:
    | GenaiPrices
    | readonly { readonly constraint?: Constraint; readonly prices: GenaiPrices }[];
}

export type Constraint =
  | { readonly type: "start_date"; readonly start_date: string }
  | { readonly type: "time_of_date"; readonly start_time: string; readonly end_time: string };

/** In dollars; `start` is the last number of input tokens that the tier is not for. */
export type GenaiPrices = Readonly<Record<string, number | GenaiTiers>>;

export interface GenaiTiers {
  readonly base: number;
  readonly tiers: readonly { readonly start: number; readonly price: number }[];
}

/** By genai-prices' key. Null: nothing of ours, so that usage of it cannot be priced. */
const GENAI_UNITS: Readonly<Record<string, Per | null>> = {
  input_mtok: million("input_tokens"),
  cache_read_mtok: million("cache_read_tokens"),
  cache_write_mtok: million("cache_write_tokens"),
  cache_write_1h_mtok: million("cache_write_1h_tokens"),
  input_audio_mtok: million("input_audio_tokens"),
  cache_audio_read_mtok: million("cache_read_audio_tokens"),
  input_image_mtok: million("input_image_tokens"),
  output_mtok: million("output_tokens"),
  output_reasoning_mtok: million("reasoning_tokens"),
  output_audio_mtok: million("output_audio_tokens"),
  output_image_mtok: million("output_image_tokens"),
  input_mchars: million("characters"),
  audio_hours: { unit: "milliseconds", count: 3_600_000n },
  input_document_kpages: { unit: "pages", count: 1_000n },
  requests_kcount: { unit: "requests", count: 1_000n },
  web_searches_kcount: { unit: "searches", count: 1_000n },
  rerank_searches_kcount: { unit: "searches", count: 1_000n },
  // Always beside `audio_hours` and the same.
  input_audio_hours: null,
  cache_image_read_mtok: null,
  input_video_mtok: null,
  output_video_mtok: null,
  output_citation_mtok: null,
  input_annotated_document_kpages: null,
  storage_searches_kcount: null,
  input_text_messages_kcount: null,
};

/**
 * Models that genai-prices lists without any price because they cost nothing. Others without a price have none that
 * is known. https://ai.google.dev/gemini-api/docs/pricing: Gemma is free of charge;
 * https://developers.openai.com/api/docs/guides/moderation: "free to use".
 */
const FREE = /^(?:gemma-|moderation$)|:free$/;

/** Models of one of their providers, those with a price, as a list of ours has them. */
export function modelsOf(provider: string, models: readonly GenaiModel[]): ListModel[] {
  return models
    .filter(({ id }) => sellsHere(provider, id))
    .flatMap((model) => {
      const prices = pricesOf(provider, model);
      return prices.length === 0 ? [] : [{ ...matchOf(model), ...contextOf(model), prices }];
    });
}

function pricesOf(provider: string, model: GenaiModel): ListPrice[] {
  try {
    return timedOf(model);
  } catch (error) {
    throw new Error(`${provider} ${model.id}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Their one list for Google is Gemini's and Vertex'; ours for Vertex has only what Gemini has not. */
function sellsHere(provider: string, id: string): boolean {
  if (provider === "gemini") return !id.startsWith("claude");
  return provider !== "vertex" || id.startsWith("claude");
}

function matchOf({ id, match }: GenaiModel): { id: string; match?: Rule[] } {
  const rules = rulesFrom(match);
  return rules.length === 1 && rules[0] === `=${id}` ? { id } : { id, match: rules };
}

function contextOf({ context_window }: GenaiModel): { context?: number } {
  return context_window === undefined ? {} : { context: context_window };
}

function timedOf({ id, prices }: GenaiModel): ListPrice[] {
  const entries = Array.isArray(prices) ? prices : [{ prices: prices as GenaiPrices }];
  let from: string | undefined;
  return entries.flatMap(({ constraint, prices }: { constraint?: Constraint; prices: GenaiPrices }) => {
    if (Object.keys(prices).length === 0) {
      return FREE.test(id) ? [{ rates: { input_tokens: 0, output_tokens: 0 } }] : [];
    }
    // Times of day are listed after the date that they came with, and hold from that date.
    if (constraint?.type === "start_date") from = constraint.start_date;
    const daily =
      constraint?.type === "time_of_date"
        ? ([constraint.start_time, constraint.end_time] as const)
        : undefined;
    return [
      {
        ...(from && { from }),
        ...(daily && { daily: [minute(daily[0]), minute(daily[1])] as const }),
        ...ratedOf(prices),
      },
    ];
  });
}

function minute(time: string): string {
  const match = /^(\d\d:\d\d):00Z$/.exec(time);
  if (!match?.[1]) throw new Error(`${time} is not a full minute, UTC`);
  return match[1];
}

function ratedOf(prices: GenaiPrices): ListRated {
  const starts = Object.values(prices).flatMap((price) =>
    typeof price === "number" ? [] : price.tiers.map(({ start }) => start),
  );
  const at = (tokens: number) =>
    ratesOf(
      Object.entries(prices).map(([key, price]) => {
        if (typeof price === "number") return [key, price];
        return [key, price.tiers.findLast(({ start }) => start <= tokens)?.price ?? price.base];
      }),
      GENAI_UNITS,
    );
  const overs = [...new Set(starts)].sort((a, b) => a - b);
  return {
    rates: at(-1),
    ...(overs.length > 0 && { tiers: overs.map((over) => ({ over, rates: at(over) })) }),
  };
}
