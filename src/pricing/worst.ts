import type { Demand } from "../domain/demand.ts";
import type { Unit } from "../domain/usage.ts";

/** The most that a call can use. */
export interface Worst {
  readonly kind: "worst";
  readonly amounts: readonly Amount[];
  /** Of all kinds together: what long-context prices are chosen by. */
  readonly inputTokens: number;
  /** What a cap counts. */
  readonly output?: Output;
}

export interface Amount {
  /** All of the quantity may be any of these: the dearest counts. */
  readonly units: readonly Unit[];
  readonly quantity: number;
  /** Without a price of what is `sure`, or of any that is `one of`, the call has none. */
  readonly need: "sure" | "one of" | "if priced";
}

export interface Output {
  readonly units: readonly Unit[];
  /** Without a price of each of these the call has none. */
  readonly sure: readonly Unit[];
  /** Of one answer; null where neither the request nor the model has a limit, 0 where no cap would change anything. */
  readonly tokens: number | null;
  readonly isCapped: boolean;
  readonly answers: number;
  /** Tokens of one answer that its cap does not count. */
  readonly besides: number;
}

export interface Unbounded {
  readonly kind: "unbounded";
  readonly reason: string;
  readonly fix: string;
}

const NO_CONTEXT: Unbounded = {
  kind: "unbounded",
  reason:
    "It has files, stored state or tools that the provider runs, and nobody says how much its model can read.",
  fix: "Leave those out, or set a price per call.",
};

/**
 * @param context What the model can read, tokens; null where nobody says.
 * @param output What it can write in one answer, likewise.
 */
export function worstOf(
  demand: Demand,
  context: number | null,
  output: number | null,
  model: string,
): Worst | Unbounded {
  if (!Number.isSafeInteger(demand.bytes) || !Number.isSafeInteger(demand.answers)) {
    return {
      kind: "unbounded",
      reason: "Nobody says how long its body is, or how many answers it asks for.",
      fix: "Send a content-length, and a number of answers that is one.",
    };
  }
  switch (demand.bounds.kind) {
    case "tokens":
      return ofTokens(demand, context, output, model);
    case "embedding":
      return ofEmbedding(demand, context);
    case "images":
      return ofImages(demand);
    case "predict":
      return ofPrediction(demand);
    case "speech":
      return ofSpeech(demand);
    case "transcription":
      return ofTranscription(demand);
    case "rerank":
      return ofRerank(demand);
    case "classification":
      return only("classifications", demand.items);
    case "pages":
      return only("pages", demand.items > 1 ? demand.items : demand.bounds.pages);
    case "searches":
      return only("searches", demand.bounds.searches * demand.items);
    case "call":
      return only("requests", 1);
    default:
      return {
        kind: "unbounded",
        reason: "What this endpoint costs does not show in its request.",
        fix: "Set a price per call.",
      };
  }
}

function ofTokens(
  demand: Demand,
  context: number | null,
  output: number | null,
  model: string,
): Worst | Unbounded {
  const { bounds, answers, items, outputCap } = demand;
  const hasTools = usesTools(demand, model);
  const uses = hasTools ? (demand.toolUses ?? bounds.toolUses) : 0;
  const said = demand.bytes + bounds.hiddenTokens + demand.images * bounds.imageTokens;
  let input = said;
  if (hasTools || demand.files > 0 || demand.stored) {
    if (context === null) return NO_CONTEXT;
    // Before and after each use the model reads all that there is.
    input = context * (uses + 1) * items;
  } else if (context !== null) input = Math.min(said, context * items);

  const most = output ?? context;
  const isCapped = outputCap !== null;
  const capped = outputCap !== null && context !== null ? Math.min(outputCap, context) : outputCap;
  const isBeside = bounds.reasoning === "beside";
  // All that a model can write may be reasoning, which then no cap makes less.
  const tokens = capped ?? (isBeside ? 0 : most);
  if (isBeside && most === null) {
    return {
      kind: "unbounded",
      reason: `Its cap does not count the model's reasoning, and nobody says how much ${model} can reason.`,
      fix: "Set a price per call.",
    };
  }
  return {
    kind: "worst",
    inputTokens: input,
    amounts: [
      { units: inputUnits(demand), quantity: input, need: "sure" },
      ONE_REQUEST,
      uses === 0 ? NO_SEARCHES : { units: NO_SEARCHES.units, quantity: uses, need: "if priced" },
    ],
    output: {
      units: demand.speaks ? SPOKEN_OUTPUT : WRITTEN_OUTPUT,
      sure: demand.speaks || demand.draws ? sureOutput(demand) : NONE,
      tokens,
      isCapped,
      answers: answers * items,
      besides: (isBeside ? (most ?? 0) : 0) + (demand.predicts ? demand.bytes : 0),
    },
  };
}

const ONE_REQUEST: Amount = { units: ["requests"], quantity: 1, need: "if priced" };
const NO_SEARCHES: Amount = { units: ["searches"], quantity: 0, need: "if priced" };
const WRITTEN_OUTPUT: readonly Unit[] = ["output_tokens", "reasoning_tokens", "output_image_tokens"];
const SPOKEN_OUTPUT: readonly Unit[] = [...WRITTEN_OUTPUT, "output_audio_tokens"];
const NONE: readonly Unit[] = [];

function sureOutput({ speaks, draws }: Demand): readonly Unit[] {
  const units: Unit[] = [];
  if (speaks) units.push("output_audio_tokens");
  if (draws) units.push("output_image_tokens");
  return units;
}

/** Whether the provider may search, or use other tools, on its way to an answer. */
export function usesTools({ serverTools, bounds }: Demand, model: string): boolean {
  return serverTools > 0 || bounds.selfDirected?.test(model) === true;
}

/** Of calls without images, recordings and what is not known of: most. */
const TEXT_INPUT: readonly Unit[] = ["input_tokens", "cache_read_tokens"];
const CACHED_TEXT_INPUT: readonly Unit[] = [...TEXT_INPUT, "cache_write_tokens", "cache_write_1h_tokens"];

function inputUnits({ bounds, caching, images, audios, files, stored }: Demand): readonly Unit[] {
  if (images === 0 && audios === 0 && files === 0 && !stored) {
    if (bounds.cacheWrites === "always") return CACHED_TEXT_INPUT;
    if (caching === "none") return TEXT_INPUT;
  }
  const units: Unit[] = [...TEXT_INPUT];
  if (bounds.cacheWrites === "always" || caching !== "none") units.push("cache_write_tokens");
  if (bounds.cacheWrites === "always" || caching === "long") units.push("cache_write_1h_tokens");
  if (images > 0 || files > 0 || stored) units.push("input_image_tokens");
  if (audios > 0 || files > 0 || stored) units.push("input_audio_tokens", "cache_read_audio_tokens");
  return units;
}

/** Limits are those of each text: there may be any number of them. */
function ofEmbedding(demand: Demand, context: number | null): Worst | Unbounded {
  const { bounds, files, images } = demand;
  if (files > 0 && context === null) return NO_CONTEXT;
  const input = demand.bytes + bounds.hiddenTokens + images * bounds.imageTokens + files * (context ?? 0);
  return {
    kind: "worst",
    inputTokens: input,
    amounts: [
      { units: inputUnits(demand), quantity: input, need: "one of" },
      { units: ["images"], quantity: images + files, need: "one of" },
      { units: ["requests"], quantity: 1, need: "if priced" },
    ],
  };
}

function ofImages(demand: Demand): Worst {
  const { bounds, answers } = demand;
  // Of an upload it is not known how many images are in it; no more than a few are taken.
  const input = demand.bytes + bounds.hiddenTokens + (demand.images + demand.files) * bounds.imageTokens;
  return {
    kind: "worst",
    inputTokens: input,
    amounts: [
      {
        units: ["input_tokens", "cache_read_tokens", "input_image_tokens"],
        quantity: input,
        need: "if priced",
      },
      {
        units: ["output_tokens", "output_image_tokens"],
        quantity: answers * bounds.madeImageTokens,
        need: "one of",
      },
      { units: ["images"], quantity: answers, need: "one of" },
      { units: ["requests"], quantity: 1, need: "if priced" },
    ],
  };
}

/** How many images are made where the request does not say. */
const IMAGES_UNASKED = 4;

function ofPrediction({ bounds, bytes, answers, items }: Demand): Worst {
  const read = bytes + bounds.hiddenTokens;
  return {
    kind: "worst",
    inputTokens: read,
    amounts: [
      { units: ["input_tokens"], quantity: read, need: "one of" },
      { units: ["characters"], quantity: bytes, need: "one of" },
      { units: ["images"], quantity: Math.max(answers, IMAGES_UNASKED) * items, need: "one of" },
      { units: ["requests"], quantity: 1, need: "if priced" },
    ],
  };
}

function ofSpeech({ bounds, bytes }: Demand): Worst {
  return {
    kind: "worst",
    inputTokens: bytes + bounds.hiddenTokens,
    amounts: [
      { units: ["characters"], quantity: bytes * bounds.charactersPerByte, need: "one of" },
      { units: ["input_tokens"], quantity: bytes + bounds.hiddenTokens, need: "if priced" },
      {
        units: ["output_tokens", "output_audio_tokens"],
        quantity: bytes * bounds.speechTokensPerByte + bounds.hiddenTokens,
        need: "one of",
      },
      { units: ["requests"], quantity: 1, need: "if priced" },
    ],
  };
}

/** What a second of speech is at most, in tokens: read (32 at Gemini, 12.5 at Mistral), and written down. */
const HEARD_TOKENS_PER_MS = 0.05;
const WRITTEN_TOKENS_PER_MS = 0.02;

function ofTranscription({ bounds, bytes, files }: Demand): Worst | Unbounded {
  if (files > 0) {
    return {
      kind: "unbounded",
      reason: "The recording is named by a link or an id: nobody here knows how long it is.",
      fix: "Send the recording itself, or set a price per call.",
    };
  }
  const length = Math.ceil(bytes / bounds.audioBytesPerMs);
  const heard = Math.ceil(length * HEARD_TOKENS_PER_MS) + bounds.hiddenTokens;
  return {
    kind: "worst",
    inputTokens: heard,
    amounts: [
      { units: ["milliseconds"], quantity: length, need: "one of" },
      { units: ["input_audio_tokens", "input_tokens"], quantity: heard, need: "one of" },
      {
        units: ["output_tokens"],
        quantity: Math.ceil(length * WRITTEN_TOKENS_PER_MS) + bounds.hiddenTokens,
        need: "if priced",
      },
      { units: ["requests"], quantity: 1, need: "if priced" },
    ],
  };
}

/** Long documents are cut into pieces of this many tokens, which count as documents. */
const PIECE_TOKENS = 500;
const DOCUMENTS_PER_SEARCH = 100;

function ofRerank({ bounds, bytes, items, queryBytes, images }: Demand): Worst {
  const documents = items + Math.ceil((bytes + items * queryBytes) / PIECE_TOKENS);
  // Some bill the query once for each document.
  const input = bytes + items * queryBytes + images * bounds.imageTokens + bounds.hiddenTokens;
  return {
    kind: "worst",
    inputTokens: input,
    amounts: [
      { units: ["searches"], quantity: Math.ceil(documents / DOCUMENTS_PER_SEARCH), need: "one of" },
      { units: ["input_tokens", "input_image_tokens"], quantity: input, need: "one of" },
      { units: ["requests"], quantity: 1, need: "if priced" },
    ],
  };
}

function only(unit: Unit, quantity: number): Worst {
  return { kind: "worst", inputTokens: 0, amounts: [{ units: [unit], quantity, need: "sure" }] };
}
