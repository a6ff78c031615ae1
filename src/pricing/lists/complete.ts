import type { ListModel, ListRates } from "./list-model.ts";
import { inOrder } from "./list-rates.ts";

/** Rates that follow from others by the provider's own words. */
export function complete(provider: string, model: ListModel): ListModel {
  const rules = COMPLETIONS.filter(
    ({ providers, models }) => providers.test(provider) && models.test(model.id),
  );
  const completed = (rates: ListRates) => {
    let sum = rates;
    for (const { add } of rules) sum = { ...add(sum), ...sum };
    return inOrder(sum);
  };
  const least = provider === "groq" && model.id.startsWith("whisper") ? GROQ_LEAST : undefined;
  return {
    ...model,
    prices: model.prices.map(({ rates, tiers, ...rest }) => ({
      ...rest,
      rates: completed(rates),
      ...(tiers && { tiers: tiers.map(({ over, rates }) => ({ over, rates: completed(rates) })) }),
      ...(least && { least }),
    })),
  };
}

/** https://console.groq.com/docs/speech-to-text: a request is billed as ten seconds at least. */
const GROQ_LEAST = { milliseconds: 10_000 };

const COMPLETIONS: readonly { providers: RegExp; models: RegExp; add: (rates: ListRates) => ListRates }[] = [
  {
    // https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing: "2x base input price".
    providers: /./,
    models: /claude/,
    add: ({ input_tokens: input, cache_write_tokens: write }) =>
      input === undefined || write === undefined ? {} : { cache_write_1h_tokens: 2 * input },
  },
  {
    // https://developers.openai.com/api/docs/guides/images-vision: images are "metered and charged in tokens", as text
    // is; https://ai.google.dev/gemini-api/docs/pricing: one price for "text / image / video".
    providers: /^(?:openai|azure|gemini|vertex)$/,
    models: /./,
    add: ({ input_tokens: input, output_tokens: output }) =>
      input === undefined || output === undefined ? {} : { input_image_tokens: input },
  },
  {
    // The same page gives audio a price of its own where it has one; else the one price is for all modalities.
    providers: /^(?:gemini|vertex)$/,
    models: /^gemini/,
    add: ({ input_tokens: input, input_audio_tokens: audio, cache_read_tokens: cached }) =>
      input === undefined || audio !== undefined
        ? {}
        : {
            input_audio_tokens: input,
            ...(cached !== undefined && { cache_read_audio_tokens: cached }),
          },
  },
  {
    // https://developers.openai.com/api/docs/models/gpt-image-1-mini and those of its kind that make nothing but images:
    // their one price of output is under "Image tokens".
    providers: /^(?:openai|azure)$/,
    models: /^gpt-image-(?:1|1-mini|2)$/,
    add: ({ output_tokens: output }) => (output === undefined ? {} : { output_image_tokens: output }),
  },
  {
    // https://developers.openai.com/api/docs/models/gpt-4o-mini-tts: its one price of output is under "Audio tokens".
    providers: /^(?:openai|azure)$/,
    models: /-tts$/,
    add: ({ output_tokens: output }) => (output === undefined ? {} : { output_audio_tokens: output }),
  },
  {
    // https://docs.mistral.ai/models/voxtral-mini-transcribe-26-02: a price for a minute of audio and none for the
    // tokens that its answers tell besides.
    providers: /^mistral$/,
    models: /^voxtral-mini/,
    add: ({ milliseconds }) => (milliseconds === undefined ? {} : { input_tokens: 0, output_tokens: 0 }),
  },
  {
    // https://cohere.com/pricing: $0.47 for a million tokens of images.
    providers: /^cohere$/,
    models: /^embed-v4\.0$/,
    add: () => ({ input_image_tokens: 470_000_000 }),
  },
];
