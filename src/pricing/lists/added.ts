import type { ListModel, ListRates } from "./list-model.ts";

const DOLLAR = 1_000_000_000;
/** A dollar in rates of units that are priced one by one. */
const DOLLAR_FOR_ONE = 1_000_000 * DOLLAR;
/** A dollar in rates of time: they are for a thousand hours. */
const DOLLAR_AN_HOUR = 1000 * DOLLAR;

/**
 * What neither source has, or has out of date, and the provider's own page says. They go before the sources' models of
 * the same id.
 */
export const ADDED: Record<string, readonly ListModel[]> = {
  openai: [
    // https://developers.openai.com/api/docs/models/tts-1-hd and tts-1: $30 and $15 for a million characters.
    { id: "tts-1-hd", match: ["^tts-1-hd"], prices: [{ rates: { characters: 30 * DOLLAR } }] },
    { id: "tts-1", match: ["^tts-1"], prices: [{ rates: { characters: 15 * DOLLAR } }] },
    // https://developers.openai.com/api/docs/models/sora-2: $0.10 a second. sora-2-pro is priced by the size of the
    // picture, which its answer's seconds do not tell.
    { id: "sora-2", prices: always({ milliseconds: 360 * DOLLAR_AN_HOUR }) },
  ],
  cohere: [
    // https://cohere.com/pricing (in June 2026; later it names no price for one search): for 1,000 searches of up to
    // 100 documents $2.00, of Rerank 4 Pro $2.50, as OpenRouter passes them on.
    { id: "rerank-v4.0-pro", prices: always({ searches: 0.0025 * DOLLAR_FOR_ONE }) },
    {
      id: "rerank",
      match: ["^rerank-v4.0-fast", "^rerank-v3.5", "^rerank-english-v3", "^rerank-multilingual-v3"],
      prices: always({ searches: 0.002 * DOLLAR_FOR_ONE }),
    },
    // The same page: Embed 3 $0.10 for a million tokens, $0.0001 an image.
    {
      id: "embed-v3.0",
      match: [
        "^embed-english-v3",
        "^embed-english-light-v3",
        "^embed-multilingual-v3",
        "^embed-multilingual-light-v3",
      ],
      prices: always({ input_tokens: 0.1 * DOLLAR, images: 0.0001 * DOLLAR_FOR_ONE }),
    },
  ],
  gemini: [
    // https://ai.google.dev/gemini-api/docs/pricing#imagen-4, and for Vertex AI the same: for one image.
    { id: "imagen-4.0-fast-generate-001", prices: always({ images: 0.02 * DOLLAR_FOR_ONE }) },
    { id: "imagen-4.0-generate-001", prices: always({ images: 0.04 * DOLLAR_FOR_ONE }) },
    { id: "imagen-4.0-ultra-generate-001", prices: always({ images: 0.06 * DOLLAR_FOR_ONE }) },
  ],
  mistral: [
    // https://docs.mistral.ai/models/mistral-small-4-0-26-03: the name moved to Mistral Small 4 with its release.
    {
      id: "mistral-small-latest",
      prices: [
        { rates: { input_tokens: 0.1 * DOLLAR, output_tokens: 0.3 * DOLLAR } },
        {
          from: "2026-03-16",
          rates: {
            input_tokens: 0.15 * DOLLAR,
            cache_read_tokens: 0.015 * DOLLAR,
            output_tokens: 0.6 * DOLLAR,
          },
        },
      ],
    },
  ],
  assemblyai: [
    // https://www.assemblyai.com/pricing (7 October 2026): for an hour of recorded audio, without add-ons.
    { id: "universal-3-5-pro", prices: always({ milliseconds: 0.21 * DOLLAR_AN_HOUR }) },
    {
      id: "universal-2",
      match: ["=universal-2", "=universal"],
      prices: always({ milliseconds: 0.15 * DOLLAR_AN_HOUR }),
    },
  ],
  deepgram: [
    // https://deepgram.com/pricing (May 2026): for 1,000 characters. What listening costs depends on the plan and on
    // options that no answer tells.
    { id: "aura-2", match: ["^aura-2-"], prices: always({ characters: 30 * DOLLAR }) },
    { id: "aura", match: ["^aura-"], prices: always({ characters: 15 * DOLLAR }) },
  ],
  tavily: [
    // https://docs.tavily.com/documentation/api-credits: "Pay-as-you-go: $0.008 per credit"; credits of a plan are
    // cheaper. Its calls name no model.
    { id: "credits", match: ["^"], prices: always({ searches: 0.008 * DOLLAR_FOR_ONE }) },
  ],
};

function always(rates: ListRates): ListModel["prices"] {
  return [{ rates }];
}
