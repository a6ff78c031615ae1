import type { ListShape, OwnedKind, OwnedObjects } from "../owned.ts";
import { cursorPage } from "./openai-owned.ts";

function listOf(items: string): ListShape {
  return { items, id: "name", next: { parameter: "pageToken", from: "nextPageToken", isEnd: true } };
}

/** Names carry their collection: `files/abc`; a link may stand before it. */
const fileName =
  /^(?:[a-z]+:\/\/[^/]+\/+v\d\w*\/+|[a-z]+:\/\/[^/]*generativelanguage[^/]*\/+(?:\w+\/+)*)?files\/+([^/?#:]+)/i;

/** What Gemini's API keeps. */
export const geminiOwned: OwnedObjects = {
  hasMethods: true,
  kinds: [
    {
      kind: "file",
      at: ["/files"],
      id: "name",
      pick: fileName,
      reusable: true,
      list: listOf("files"),
      made: [
        { method: "POST", path: /^\/upload\/(?:v\w+\/)?files$/, ids: ["file.name"] },
        { method: "PUT", path: /^\/upload\/(?:v\w+\/)?files$/, ids: ["file.name"] },
        { method: "POST", path: /^\/files:register$/, ids: ["files.*.name"] },
      ],
    },
    {
      kind: "cached_content",
      at: ["/cachedContents"],
      id: "name",
      pick: /cachedcontents\/+([^/?#:]+)/i,
      list: listOf("cachedContents"),
    },
    {
      kind: "batch",
      at: ["/batches"],
      id: "name",
      pick: /batches\/+([^/?#:]+)/i,
      list: listOf("operations"),
      made: [
        {
          method: "POST",
          path: /:(?:batchgeneratecontent|asyncbatchembedcontent)$/,
          ids: ["name"],
        },
      ],
      gives: {
        "response.responsesFile": "file",
        "metadata.output.responsesFile": "file",
        "metadata.dest.fileName": "file",
      },
    },
    {
      kind: "tuned_model",
      at: ["/tunedModels"],
      id: "name",
      pick: /tunedmodels\/+([^/?#:]+)/i,
      reusable: true,
      list: listOf("tunedModels"),
      gives: { "metadata.tunedModel": "tuned_model" },
    },
    {
      kind: "file_search_store",
      at: ["/fileSearchStores"],
      id: "name",
      pick: /filesearchstores\/+([^/?#:]+)/i,
      list: listOf("fileSearchStores"),
    },
    {
      kind: "file_search_store",
      at: ["/upload/*/fileSearchStores", "/upload/fileSearchStores"],
      isElsewhere: true,
    },
    {
      kind: "operation",
      at: ["/models/*/operations"],
      isElsewhere: true,
      pick: /operations\/+([^/?#:]+)/i,
      made: [{ method: "POST", path: /:predictlongrunning$/, ids: ["name"] }],
      gives: { "response.generateVideoResponse.generatedSamples.*.video.uri": "file" },
    },
    {
      kind: "interaction",
      at: ["/interactions"],
      stored: "unless",
      streamed: { "interaction.id": "interaction", id: "interaction" },
    },
    // OpenAI's clients.
    { kind: "openai_file", at: ["/openai/files"], list: cursorPage },
    {
      kind: "openai_batch",
      at: ["/openai/batches"],
      list: cursorPage,
      gives: { output_file_id: "openai_file", error_file_id: "openai_file" },
    },
  ],
  uses: [
    {
      path: /^\/openai\//,
      members: { file_id: "openai_file", input_file_id: "openai_file" },
      opaque: ["metadata"],
    },
    {
      path: /:[a-z]+$|^\/(?:cachedcontents|batches|interactions|tunedmodels|filesearchstores)(?:\/|$)/,
      members: {
        fileUri: "file",
        file_uri: "file",
        fileName: "file",
        file_name: "file",
        uri: "file",
        cachedContent: "cached_content",
        cached_content: "cached_content",
        fileSearchStoreNames: "file_search_store",
        file_search_store_names: "file_search_store",
        previous_interaction_id: "interaction",
      },
      // What the model has asked of the client's own functions, and what these said.
      opaque: ["args", "response", "arguments"],
    },
  ],
};

function vertexKind(kind: string, collection: string): OwnedKind {
  return {
    kind,
    at: [`/projects/*/locations/*/${collection}`, `/${collection}`],
    id: "name",
    pick: new RegExp(`${collection}/+([^/?#:]+)`, "i"),
    list: listOf(collection),
  };
}

/** What Vertex AI keeps of what models are asked with. */
export const vertexOwned: OwnedObjects = {
  hasMethods: true,
  kinds: [
    vertexKind("cached_content", "cachedContents"),
    vertexKind("batch_prediction_job", "batchPredictionJobs"),
    vertexKind("tuning_job", "tuningJobs"),
    vertexKind("custom_job", "customJobs"),
    vertexKind("rag_corpus", "ragCorpora"),
    vertexKind("reasoning_engine", "reasoningEngines"),
  ],
  uses: [
    {
      path: /:[a-z]+$|\/(?:cachedcontents|batchpredictionjobs|tuningjobs|ragcorpora)(?:\/|$)/,
      members: {
        cachedContent: "cached_content",
        cached_content: "cached_content",
        ragCorpus: "rag_corpus",
        rag_corpus: "rag_corpus",
        ragCorpora: "rag_corpus",
        rag_corpora: "rag_corpus",
      },
      opaque: ["args", "response"],
    },
  ],
};
