import { readdirSync, readFileSync } from "node:fs";
import type { Usage } from "../../src/domain/usage.ts";
import { anthropicBatchUsage } from "../../src/providers/formats/anthropic-batch.ts";
import { anthropicMessagesUsage } from "../../src/providers/formats/anthropic-messages.ts";
import { assemblyaiUsage } from "../../src/providers/formats/assemblyai.ts";
import { cohereUsage } from "../../src/providers/formats/cohere.ts";
import { deepgramUsage } from "../../src/providers/formats/deepgram.ts";
import { elevenlabsUsage } from "../../src/providers/formats/elevenlabs.ts";
import { geminiUsage } from "../../src/providers/formats/gemini.ts";
import { geminiBatchUsage } from "../../src/providers/formats/gemini-batch.ts";
import { geminiBatchFileUsage } from "../../src/providers/formats/gemini-batch-file.ts";
import { geminiInteractionsUsage } from "../../src/providers/formats/gemini-interactions.ts";
import { googlePredictUsage } from "../../src/providers/formats/google-predict.ts";
import { huggingfaceTaskUsage } from "../../src/providers/formats/huggingface-task.ts";
import { jinaUsage } from "../../src/providers/formats/jina.ts";
import { mistralOcrUsage } from "../../src/providers/formats/mistral-ocr.ts";
import { ollamaUsage } from "../../src/providers/formats/ollama.ts";
import { openaiBatchUsage } from "../../src/providers/formats/openai-batch.ts";
import { openaiChatUsage } from "../../src/providers/formats/openai-chat.ts";
import { openaiImagesUsage } from "../../src/providers/formats/openai-images.ts";
import { openaiResponsesUsage } from "../../src/providers/formats/openai-responses.ts";
import { openaiSpeechUsage } from "../../src/providers/formats/openai-speech.ts";
import { openaiTranscriptionUsage } from "../../src/providers/formats/openai-transcription.ts";
import { openaiVideosUsage } from "../../src/providers/formats/openai-videos.ts";
import { perRequestUsage } from "../../src/providers/formats/per-request.ts";
import { perplexityAsyncUsage } from "../../src/providers/formats/perplexity-async.ts";
import { replicateUsage } from "../../src/providers/formats/replicate.ts";
import { tavilyUsage } from "../../src/providers/formats/tavily.ts";
import type { UsageFormat } from "../../src/providers/formats/usage.ts";
import { vertexAnthropicUsage } from "../../src/providers/formats/vertex-anthropic.ts";
import { voyageUsage } from "../../src/providers/formats/voyage.ts";

export const formats: Readonly<Record<string, UsageFormat>> = {
  "anthropic-batch": anthropicBatchUsage,
  "anthropic-messages": anthropicMessagesUsage,
  assemblyai: assemblyaiUsage,
  cohere: cohereUsage,
  deepgram: deepgramUsage,
  elevenlabs: elevenlabsUsage,
  gemini: geminiUsage,
  "gemini-batch": geminiBatchUsage,
  "gemini-batch-file": geminiBatchFileUsage,
  "gemini-interactions": geminiInteractionsUsage,
  "google-predict": googlePredictUsage,
  "huggingface-task": huggingfaceTaskUsage,
  jina: jinaUsage,
  "mistral-ocr": mistralOcrUsage,
  ollama: ollamaUsage,
  "openai-batch": openaiBatchUsage,
  "openai-chat": openaiChatUsage,
  "openai-images": openaiImagesUsage,
  "openai-responses": openaiResponsesUsage,
  "openai-speech": openaiSpeechUsage,
  "openai-transcription": openaiTranscriptionUsage,
  "openai-videos": openaiVideosUsage,
  "per-request": perRequestUsage,
  "perplexity-async": perplexityAsyncUsage,
  replicate: replicateUsage,
  tavily: tavilyUsage,
  "vertex-anthropic": vertexAnthropicUsage,
  voyage: voyageUsage,
};

/** An answer in the shape that a provider documents, and what it used, worked out by hand. */
export interface UsageFixture {
  readonly name: string;
  readonly format: UsageFormat;
  readonly headers: Headers;
  readonly path: string;
  readonly body: Buffer;
  readonly isStreamed: boolean;
  readonly expected: Usage | null;
}

/** As a file in `test/fixtures/usage/` has it. */
interface Stored {
  /** Where the provider documents it. */
  source: string;
  format: string;
  headers: Record<string, string>;
  path?: string;
  /** A stream's lines, ended by `newline`, or by a line feed. */
  lines?: string[];
  newline?: string;
  body?: unknown;
  expected: (Partial<Omit<Usage, "reportedCost">> & { reportedCost?: string }) | null;
  /** How the expected quantities come about. */
  why: string;
}

const directory = new URL("../fixtures/usage/", import.meta.url);

export const usageFixtures: readonly UsageFixture[] = readdirSync(directory)
  .sort()
  .map((file) => load(file));

function load(file: string): UsageFixture {
  const stored = JSON.parse(readFileSync(new URL(file, directory), "utf8")) as Stored;
  const format = formats[stored.format];
  if (format === undefined) throw new Error(`${file} names a format that there is not: ${stored.format}`);
  const newline = stored.newline ?? "\n";
  const text = stored.lines?.map((line) => line + newline).join("") ?? JSON.stringify(stored.body, null, 2);
  return {
    name: file.replace(/\.json$/, ""),
    format,
    headers: new Headers(stored.headers),
    path: stored.path ?? "/",
    body: Buffer.from(text),
    isStreamed: stored.lines !== undefined,
    expected: stored.expected === null ? null : usage(stored.expected),
  };
}

function usage(expected: NonNullable<Stored["expected"]>): Usage {
  return {
    quantities: {},
    evidence: "reported",
    model: null,
    serviceTier: null,
    region: null,
    others: [],
    jobId: null,
    ...expected,
    reportedCost: expected.reportedCost === undefined ? null : BigInt(expected.reportedCost),
  };
}
