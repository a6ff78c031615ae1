import { bounds, type DemandFormat, type Members } from "./demand.ts";
import { embeddingInput, embeddingsDemand, rerankDemand } from "./openai-demand.ts";

const NAMED: Members = { model: "model", stream: "stream" };
const IMAGES = { parts: { names: { image_url: "image", url: "link" } } } as const;

/** Both versions of Cohere's chat, and `generate` and `summarize` before them. */
export const cohereChatDemand: DemandFormat = {
  bounds: bounds({ kind: "tokens" }),
  members: {
    ...NAMED,
    max_tokens: "cap",
    num_generations: "answers",
    messages: IMAGES,
    conversation_id: "stored",
    connectors: "serverTool",
    prompt: "prompts",
  },
  cap: { member: "max_tokens" },
};

export const cohereEmbedDemand: DemandFormat = {
  bounds: bounds({ kind: "embedding" }),
  members: { ...NAMED, images: "images", inputs: IMAGES },
};

export const cohereClassifyDemand: DemandFormat = {
  bounds: bounds({ kind: "classification" }),
  members: { ...NAMED, inputs: "items" },
};

/** Ollama's own endpoints: the cap stands among the options, below nought for none. */
export const ollamaDemand: DemandFormat = {
  bounds: bounds({ kind: "tokens" }),
  members: {
    ...NAMED,
    messages: { parts: { names: { images: "image" } } },
    images: "images",
    context: "stored",
    options: { members: { num_predict: "cap" } },
  },
  cap: { member: "num_predict", within: ["options"] },
};

/** Text generation of Hugging Face's; other tasks, and its own machines, are billed by their time. */
export const huggingfaceTaskDemand: DemandFormat = {
  bounds: bounds({ kind: "open" }),
  members: { ...NAMED, parameters: { members: { max_new_tokens: "cap", best_of: "answers" } } },
  cap: { member: "max_new_tokens", within: ["parameters"] },
};

/** Mistral's conversations: with tools, agents and a memory of its own. */
export const conversationsDemand: DemandFormat = {
  bounds: bounds({ kind: "tokens" }),
  members: {
    ...NAMED,
    agent_id: "otherModels",
    inputs: { parts: { names: { image_url: "image", url: "link", document_url: "file", file_id: "file" } } },
    tools: { tools: { by: "type", clientRun: ["function"] } },
    completion_args: { members: { max_tokens: "cap" } },
  },
  cap: { member: "max_tokens", within: ["completion_args"] },
};

/** The same with a conversation that is there already, which has a model. */
export const continuedConversationDemand: DemandFormat = {
  bounds: bounds({ kind: "open" }),
  members: conversationsDemand.members,
};

export const ocrDemand: DemandFormat = {
  bounds: bounds({ kind: "pages" }),
  members: { ...NAMED, pages: "items" },
};

/** Moderation and classification: what is read is billed, and nothing written. */
export const classifierDemand: DemandFormat = { bounds: bounds({ kind: "embedding" }), members: NAMED };

/** Voyage's embeddings, of pictures too. */
export const voyageDemand: DemandFormat = {
  bounds: bounds({ kind: "embedding" }),
  members: { ...embeddingsDemand.members, inputs: embeddingInput },
};

/** What Jina reads and compares; its reader and its search read what is on the web. */
export const jinaDemand: DemandFormat = {
  bounds: bounds({ kind: "embedding" }),
  members: { ...embeddingsDemand.members, ...rerankDemand.members },
};

/** Billed by the call. */
export const callDemand: DemandFormat = { bounds: bounds({ kind: "call" }), members: NAMED };

/** Tavily's search: two credits at most. */
export const tavilySearchDemand: DemandFormat = {
  bounds: bounds({ kind: "searches", searches: 2 }),
  members: NAMED,
};

/** Billed by the time that it takes, or by what it finds. */
export const openDemand: DemandFormat = { bounds: bounds({ kind: "open" }), members: NAMED };

/** Deepgram: a query names the model; the body is the audio, or a link to it. */
export const deepgramListenDemand: DemandFormat = {
  bounds: bounds({ kind: "transcription" }),
  members: { url: "file" },
};

export const deepgramSpeakDemand: DemandFormat = { bounds: bounds({ kind: "speech" }), members: {} };

/** ElevenLabs: voices of its library may cost several times as much. */
export const elevenlabsSpeechDemand: DemandFormat = {
  bounds: bounds({ kind: "speech", charactersPerByte: 4 }),
  members: { model_id: "model" },
};

export const elevenlabsTranscriptDemand: DemandFormat = {
  bounds: bounds({ kind: "transcription" }),
  members: { model_id: "model", cloud_storage_url: "file", source_url: "file" },
};

/** Replicate: the version is the model where neither the path nor the body names one; not two of them. */
export const replicateDemand: DemandFormat = {
  bounds: bounds({ kind: "open" }),
  members: { version: "model", model: "model", stream: "stream" },
};
