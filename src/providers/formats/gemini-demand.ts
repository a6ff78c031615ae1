import { bounds, type DemandFormat, type Members, type Parts } from "./demand.ts";

/** Google's parsers take both spellings of a name. */
const PARTS: Parts = {
  names: {
    inlineData: "inline",
    inline_data: "inline",
    mimeType: "mime",
    mime_type: "mime",
    fileData: "file",
    file_data: "file",
  },
};

const CONFIG: Members = {
  maxOutputTokens: { is: "cap", also: ["max_output_tokens"] },
  candidateCount: { is: "answers", also: ["candidate_count"] },
  responseModalities: { is: "modalities", also: ["response_modalities"] },
};

/** `generateContent`, plain or streamed. The path names the model; one in the body does not count. */
export const generateDemand: DemandFormat = {
  bounds: bounds({
    kind: "tokens",
    // 258 for each of its tiles.
    imageTokens: 10_000,
    selfDirected: /deep-research/i,
  }),
  members: {
    contents: { parts: PARTS },
    systemInstruction: { also: ["system_instruction"], parts: PARTS },
    generationConfig: { also: ["generation_config"], members: CONFIG },
    cachedContent: { is: "stored", also: ["cached_content"] },
    serviceTier: { is: "tier", also: ["service_tier"] },
    tools: {
      tools: {
        by: "member",
        clientRun: ["functionDeclarations", "function_declarations", "computerUse", "computer_use"],
      },
    },
    // A request may be wrapped in another.
    generateContentRequest: { is: "stored", also: ["generate_content_request"] },
  },
  cap: { member: "maxOutputTokens", within: ["generationConfig", "generation_config"] },
};

/** `embedContent` and `batchEmbedContents`. */
export const embedContentDemand: DemandFormat = {
  bounds: bounds({ kind: "embedding", imageTokens: 10_000 }),
  members: { content: { parts: PARTS }, requests: { parts: PARTS } },
};

/** `:predict`: embeddings, or images, four where it does not say how many. */
export const predictDemand: DemandFormat = {
  bounds: bounds({ kind: "predict" }),
  members: {
    instances: { is: "items" },
    parameters: { members: { sampleCount: { is: "answers", also: ["sample_count"] } } },
  },
};

export const interactionsDemand: DemandFormat = {
  bounds: bounds({ kind: "tokens", imageTokens: 10_000, selfDirected: /deep-research/i }),
  members: {
    model: "model",
    stream: "stream",
    background: "background",
    agent: "otherModels",
    previous_interaction_id: { is: "stored", also: ["previousInteractionId"] },
    cached_content: { is: "stored", also: ["cachedContent"] },
    service_tier: { is: "tier", also: ["serviceTier"] },
    response_modalities: { is: "modalities", also: ["responseModalities"] },
    input: { parts: { names: { mime_type: "mime", mimeType: "mime", data: "inline", uri: "file" } } },
    generation_config: {
      also: ["generationConfig"],
      members: {
        max_output_tokens: { is: "cap", also: ["maxOutputTokens"] },
      },
    },
    tools: { tools: { by: "type", clientRun: ["function", "computer_use"] } },
  },
  cap: { member: "max_output_tokens", within: ["generation_config"] },
};
