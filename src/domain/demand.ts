/**
 * What bounds the cost of a call, read from its request alone, before anything is sent. Counts are of what the request
 * holds; what each can cost at most is in `bounds`.
 */
export interface Demand {
  readonly bounds: DemandBounds;
  /** Of the body, decoded; of text it holds no more tokens than that. Infinite where its length is not known. */
  readonly bytes: number;
  /** The most tokens that the provider may answer with; of several caps the largest. Null where there is none. */
  readonly outputCap: number | null;
  /** How many answers are asked for: of a list of prompts, for all of them. */
  readonly answers: number;
  /** Images by value or by link. */
  readonly images: number;
  /** Recordings by value. */
  readonly audios: number;
  /** Documents and videos, and whatever is named by its id or link alone: nobody here knows how long they are. */
  readonly files: number;
  /** It goes on from what the provider keeps: an earlier response, a conversation, a cached content, a thread. */
  readonly stored: boolean;
  /** Whether parts of it are to be cached: for minutes, or for an hour and more. */
  readonly caching: "none" | "short" | "long";
  /** As the request has it. */
  readonly serviceTier: string | null;
  /** Where it is to run. */
  readonly region: string | null;
  /** Tools that the provider itself runs: searches, code, files, remote servers. */
  readonly serverTools: number;
  /** How often they may be used at most, all of them together; null where the request does not say. */
  readonly toolUses: number | null;
  /** Further models may answer, or take part: they have other prices. */
  readonly otherModels: boolean;
  /** It asks for speech in the answer. */
  readonly speaks: boolean;
  /** It asks for images in the answer. */
  readonly draws: boolean;
  /** It brings text along of which what is not used is billed as output. */
  readonly predicts: boolean;
  /** The answer comes later: what it costs is known only then. */
  readonly background: boolean;
  readonly stream: boolean;
  /** Prompts, documents, texts or pages, where the call is for a list of them; 1 otherwise. */
  readonly items: number;
  /** Of the query that is compared with each of them. */
  readonly queryBytes: number;
}

/** What a call of some kind can use at most, beside what its request says. */
export interface DemandBounds {
  readonly kind: DemandKind;
  /** Input tokens of one image. */
  readonly imageTokens: number;
  /** What providers add to a prompt: templates of roles, and the description of tools. */
  readonly hiddenTokens: number;
  /** `always` where the provider writes its cache, and bills that, without being asked. */
  readonly cacheWrites: "always" | "asked";
  /** Whether a cap counts the model's reasoning: `beside` where it goes beyond. */
  readonly reasoning: "within" | "beside";
  /** Assumed of a call with tools of the provider's that does not limit their use. */
  readonly toolUses: number;
  /** Models that search or use tools without being told. */
  readonly selfDirected?: RegExp;
  /** Places that change the price and that a request which names none may run in. */
  readonly regions?: readonly string[];
  /** Output tokens of one image that is made. */
  readonly madeImageTokens: number;
  /** Output tokens of speech made of one byte of text. */
  readonly speechTokensPerByte: number;
  /** What is billed as a character, of one byte of text. */
  readonly charactersPerByte: number;
  /** The least of a recording that a millisecond takes: bytes for each. */
  readonly audioBytesPerMs: number;
  /** Searches, or credits, of one call; documents of a reranker that are one. */
  readonly searches: number;
  /** Pages of one document. */
  readonly pages: number;
}

export type DemandKind =
  /** A language model that reads and writes. */
  | "tokens"
  | "embedding"
  | "images"
  /** Embeddings or images, as the model makes them. */
  | "predict"
  | "speech"
  | "transcription"
  | "rerank"
  | "classification"
  | "pages"
  | "searches"
  /** The same for every call. */
  | "call"
  /** Asks for what an earlier call has brought about, which paid for it. */
  | "result"
  /** By the time that it takes, or in a way that its request does not show. */
  | "open";

/** What holds unless a format says otherwise. */
export const defaultBounds: DemandBounds = {
  kind: "open",
  // The dearest known: gpt-4o-mini counts 2,833 + 5,667 for each of up to 8 tiles.
  imageTokens: 50_000,
  hiddenTokens: 1000,
  cacheWrites: "always",
  reasoning: "within",
  toolUses: 10,
  madeImageTokens: 20_000,
  speechTokensPerByte: 20,
  charactersPerByte: 1,
  // 6 kbit/s, the lowest of Opus.
  audioBytesPerMs: 0.75,
  searches: 1,
  pages: 1000,
};

/** Of a call without a body that could be read. */
export function bodilessDemand(bounds: DemandBounds, bytes = 0): Demand {
  return {
    bounds,
    bytes,
    outputCap: null,
    answers: 1,
    images: 0,
    audios: 0,
    files: 0,
    stored: false,
    caching: "none",
    serviceTier: null,
    region: null,
    serverTools: 0,
    toolUses: null,
    otherModels: false,
    speaks: false,
    draws: false,
    predicts: false,
    background: false,
    stream: false,
    items: 1,
    queryBytes: 0,
  };
}
