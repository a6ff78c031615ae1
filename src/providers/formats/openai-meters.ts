import type { MeterRule } from "../provider.ts";
import { messagesDemand } from "./anthropic-demand.ts";
import { anthropicMessagesUsage } from "./anthropic-messages.ts";
import { type DemandFormat, resultDemand } from "./demand.ts";
import { openaiBatchUsage } from "./openai-batch.ts";
import { openaiChatUsage } from "./openai-chat.ts";
import {
  chatDemand,
  completionsDemand,
  embeddingsDemand,
  imagesDemand,
  responsesDemand,
  speechDemand,
  transcriptionDemand,
} from "./openai-demand.ts";
import { openaiImagesUsage } from "./openai-images.ts";
import { openaiResponsesUsage } from "./openai-responses.ts";
import { openaiSpeechUsage } from "./openai-speech.ts";
import { openaiTranscriptionUsage } from "./openai-transcription.ts";
import { openaiVideosUsage } from "./openai-videos.ts";

/** OpenAI's endpoints, wherever another provider puts them; many also speak Anthropic's Messages API. */
export function metersWith(chat: DemandFormat): readonly MeterRule[] {
  return [
    // What was stored can be read again with its usage, which was counted when it was made: only POST counts.
    { method: "POST", path: /\/chat\/completions$/, format: openaiChatUsage, demand: chat, askable: true },
    {
      method: "POST",
      path: /\/completions$/,
      format: openaiChatUsage,
      demand: completionsDemand,
      askable: true,
    },
    { method: "POST", path: /\/embeddings$/, format: openaiChatUsage, demand: embeddingsDemand },
    { path: /\/responses(?:\/[^/]+)?$/, format: openaiResponsesUsage, demand: responsesDemand },
    { method: "POST", path: /\/messages$/, format: anthropicMessagesUsage, demand: messagesDemand },
    {
      method: "POST",
      path: /\/images\/(?:generations|edits|variations)$/,
      format: openaiImagesUsage,
      demand: imagesDemand,
    },
    {
      method: "POST",
      path: /\/audio\/(?:transcriptions|translations)$/,
      format: openaiTranscriptionUsage,
      demand: transcriptionDemand,
    },
    { method: "POST", path: /\/audio\/speech$/, format: openaiSpeechUsage, demand: speechDemand },
    { path: /\/batches\/[^/]+$/, format: openaiBatchUsage, demand: resultDemand },
    { path: /\/videos(?:\/[^/]+)?$/, format: openaiVideosUsage, demand: resultDemand },
  ];
}

export const openaiMeters = metersWith(chatDemand("max_tokens"));

/** Of those whose chat takes `max_completion_tokens`. */
export const newerOpenaiMeters = metersWith(chatDemand("max_completion_tokens"));

/** What is uploaded, counted, checked, cancelled or named; what is stored is not billed by the call. */
export const openaiFree =
  /^(?:\/deployments\/[^/]+)?(?:\/v1)?\/(?!.*\/(?:runs|search)(?:\/|$))(?:(?:files|uploads|moderations|vector_stores|conversations|assistants|threads|skills)(?:\/|$)|responses\/input_tokens$|.*\/cancel$|chat\/completions\/[^/]+$)/;

/** Work whose cost shows only when it is done. */
export const openaiDeferred =
  /^(?:\/v1)?\/(?:batches|fine[_-]tun(?:ing\/jobs|es)|videos(?:\/[^/]+\/(?:remix|extend|edit))?|evals\/.*\/runs)$/;
