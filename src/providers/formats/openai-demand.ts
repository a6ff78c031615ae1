import { bounds, type DemandFormat, type MemberRule, type Members, type Tools } from "./demand.ts";

const CLIENT_RUN: Tools = { by: "type", clientRun: ["function", "custom"] };

const COMMON: Members = {
  model: "model",
  stream: "stream",
  stream_options: "streamOptions",
  service_tier: "tier",
  n: "answers",
  background: "background",
  // Fallbacks of OpenRouter's and others'.
  models: "otherModels",
  fallbacks: "otherModels",
};

const CHAT: Members = {
  ...COMMON,
  max_tokens: "cap",
  max_completion_tokens: "cap",
  messages: {
    parts: {
      names: {
        image_url: "image",
        url: "link",
        input_audio: "audio",
        file: "file",
        file_id: "file",
        file_url: "file",
        document_url: "file",
        video_url: "file",
        input_video: "file",
        audio_url: "file",
        // What the model said before, by its id.
        audio: "stored",
        cache_control: "caching",
        ttl: "ttl",
      },
    },
  },
  tools: { tools: CLIENT_RUN, parts: { names: { cache_control: "caching", ttl: "ttl" } } },
  modalities: "modalities",
  prediction: "predicts",
  web_search_options: "serverTool",
  search_parameters: "serverTool",
  plugins: "serverTool",
  // Mistral's agents have a model and tools of their own.
  agent_id: "otherModels",
};

/** Models that search by themselves, and systems of several models. */
const selfDirected = /search|deep-research|compound|:online\b/i;

/**
 * Chat completions.
 * @param cap The member that a cap is written into: newer models of OpenAI's know `max_completion_tokens` alone, most
 *   that imitate it `max_tokens`.
 * @param more What differs.
 */
export function chatDemand(
  cap: "max_tokens" | "max_completion_tokens",
  more: Partial<DemandFormat["bounds"]> = {},
  members: Members = {},
): DemandFormat {
  return {
    bounds: bounds({ kind: "tokens", selfDirected, ...more }),
    members: { ...CHAT, ...members },
    cap: { member: cap },
  };
}

/** The older completions: one answer for each prompt of a list, of which `best_of` are made. */
export const completionsDemand: DemandFormat = {
  bounds: bounds({ kind: "tokens", selfDirected }),
  members: { ...COMMON, max_tokens: "cap", best_of: "answers", prompt: "prompts", agent_id: "otherModels" },
  cap: { member: "max_tokens" },
};

export const responsesDemand: DemandFormat = {
  bounds: bounds({ kind: "tokens", selfDirected }),
  members: {
    ...COMMON,
    max_output_tokens: "cap",
    max_tool_calls: "toolUses",
    previous_response_id: "stored",
    conversation: "stored",
    prompt: "stored",
    input: {
      parts: {
        names: {
          image_url: "image",
          input_audio: "audio",
          file_id: "file",
          file_data: "file",
          file_url: "file",
          video_url: "file",
        },
        types: { item_reference: "stored", compaction: "stored" },
      },
    },
    tools: {
      tools: {
        by: "type",
        clientRun: ["function", "custom", "computer*", "local_shell", "apply_patch", "namespace"],
      },
    },
    modalities: "modalities",
    web_search_options: "serverTool",
    search_parameters: "serverTool",
    plugins: "serverTool",
  },
  cap: { member: "max_output_tokens" },
};

/** Texts, tokens, and what several can embed beside them. */
export const embeddingInput: MemberRule = {
  parts: {
    names: {
      image: "image",
      image_url: "image",
      image_base64: "image",
      url: "link",
      video: "file",
      video_url: "file",
      video_base64: "file",
      pdf: "file",
    },
  },
};

export const embeddingsDemand: DemandFormat = {
  bounds: bounds({ kind: "embedding" }),
  members: {
    model: "model",
    stream: "stream",
    service_tier: "tier",
    input: embeddingInput,
    messages: { parts: { names: { image_url: "image", url: "link", video_url: "file" } } },
  },
};

export const imagesDemand: DemandFormat = {
  // The largest picture of gpt-image-1 read in detail is some 6,300 tokens.
  bounds: bounds({ kind: "images", imageTokens: 10_000 }),
  members: {
    model: "model",
    stream: "stream",
    stream_options: "streamOptions",
    n: "answers",
    service_tier: "tier",
    image: "images",
    images: "images",
    image_url: "images",
    mask: "images",
  },
};

export const speechDemand: DemandFormat = {
  bounds: bounds({ kind: "speech" }),
  members: { model: "model", stream: "stream" },
};

export const transcriptionDemand: DemandFormat = {
  bounds: bounds({ kind: "transcription" }),
  members: { model: "model", stream: "stream", file_url: "file", file_id: "file", url: "file" },
};

export const rerankDemand: DemandFormat = {
  bounds: bounds({ kind: "rerank" }),
  members: { model: "model", query: "query", documents: "items", texts: "items", passages: "items" },
};
