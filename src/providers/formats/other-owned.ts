import type { OwnedKind, OwnedObjects } from "../owned.ts";
import { cursorPage, openaiOwned } from "./openai-owned.ts";

export const mistralOwned: OwnedObjects = {
  kinds: [
    { kind: "file", at: ["/files"], list: { items: "data" } },
    {
      kind: "batch_job",
      at: ["/batch/jobs"],
      list: { items: "data" },
      gives: { output_file: "file", error_file: "file", "outputs.*.file_id": "file" },
    },
    { kind: "fine_tuning_job", at: ["/fine_tuning/jobs"], list: { items: "data" } },
    { kind: "agent", at: ["/agents"], notIds: ["completions"], list: { items: "" } },
    {
      kind: "conversation",
      at: ["/conversations"],
      madeId: "conversation_id",
      stored: "unless",
      streamed: { conversation_id: "conversation" },
      list: { items: "" },
    },
    { kind: "library", at: ["/libraries"], list: { items: "data" } },
  ],
  uses: [
    { path: /^\/audio\//, members: { file_id: "file" }, forms: true },
    {
      path: /^\/(?:chat|agents|conversations|batch|fine_tuning|ocr|libraries|fim)(?:\/|$)/,
      members: {
        file_id: "file",
        input_files: "file",
        training_files: "file",
        training_file: "file",
        validation_files: "file",
        agent_id: "agent",
        conversation_id: "conversation",
        library_ids: "library",
      },
      opaque: ["metadata"],
    },
  ],
};

export const cohereOwned: OwnedObjects = {
  hasMethods: true,
  kinds: [
    { kind: "dataset", at: ["/datasets"], notIds: ["usage"], list: { items: "datasets" } },
    { kind: "embed_job", at: ["/embed-jobs"], id: "job_id", list: { items: "embed_jobs" } },
    { kind: "connector", at: ["/connectors"], madeId: "connector.id", list: { items: "connectors" } },
    {
      kind: "finetuned_model",
      at: ["/finetuning/finetuned-models"],
      madeId: "finetuned_model.id",
      list: { items: "finetuned_models" },
    },
    { kind: "batch", at: ["/batches"], madeId: "batch.id", list: { items: "batches" } },
  ],
  uses: [
    {
      path: /^\/(?:chat|embed-jobs|finetuning|batches)(?:\/|$)/,
      members: { dataset_id: "dataset", input_dataset_id: "dataset", connectors: "connector" },
      opaque: ["metadata"],
    },
  ],
};

export const replicateOwned: OwnedObjects = {
  kinds: [
    {
      kind: "prediction",
      at: ["/predictions"],
      list: { items: "results" },
      made: [{ method: "POST", path: /^\/(?:models|deployments)\/[^/]+\/[^/]+\/predictions$/, ids: ["id"] }],
    },
    {
      kind: "training",
      at: ["/trainings"],
      list: { items: "results" },
      made: [{ method: "POST", path: /^\/models\/[^/]+\/[^/]+\/versions\/[^/]+\/trainings$/, ids: ["id"] }],
    },
    {
      kind: "file",
      at: ["/files"],
      list: { items: "results" },
      pick: /^(?:[a-z]+:\/\/.*\/files\/)?([\w-]+)/i,
    },
  ],
  uses: [],
};

export const assemblyaiOwned: OwnedObjects = {
  kinds: [{ kind: "transcript", at: ["/transcript"], list: { items: "transcripts" } }],
  uses: [{ path: /\/lemur\//, members: { transcript_ids: "transcript", transcript_id: "transcript" } }],
};

const voices: OwnedKind = { kind: "voice", at: ["/voices"], id: "voice_id", isPublic: true };

export const elevenlabsOwned: OwnedObjects = {
  kinds: [
    {
      ...voices,
      // Those that are offered to all are in the same list, with ids of the same form.
      notIds: ["settings", "add", "pvc", "ivc"],
      list: { items: "voices" },
      made: [
        { method: "POST", path: /^\/voices\/(?:add|pvc|ivc)(?:\/[^/]+\/[^/]+)?$/, ids: ["voice_id"] },
        { method: "POST", path: /^\/text-to-voice(?:\/create-voice-from-preview)?$/, ids: ["voice_id"] },
      ],
    },
    { ...voices, at: ["/voices/pvc", "/text-to-speech", "/speech-to-speech"], isElsewhere: true },
    {
      kind: "history_item",
      at: ["/history"],
      notIds: ["download"],
      list: { items: "history", id: "history_item_id" },
    },
    {
      kind: "dubbing",
      at: ["/dubbing"],
      notIds: ["resource"],
      id: "dubbing_id",
      list: { items: "dubs" },
    },
    { kind: "dubbing", at: ["/dubbing/resource"], isElsewhere: true },
    {
      kind: "project",
      at: ["/studio/projects"],
      id: "project_id",
      madeId: "project.project_id",
      list: { items: "projects" },
    },
    {
      kind: "pronunciation_dictionary",
      at: ["/pronunciation-dictionaries"],
      notIds: ["add-from-file", "add-from-rules"],
      list: { items: "pronunciation_dictionaries" },
      made: [{ method: "POST", path: /^\/pronunciation-dictionaries\/add-from-\w+$/, ids: ["id"] }],
    },
    {
      kind: "agent",
      at: ["/convai/agents"],
      notIds: ["create"],
      id: "agent_id",
      list: { items: "agents" },
      made: [{ method: "POST", path: /^\/convai\/agents\/create$/, ids: ["agent_id"] }],
    },
    {
      kind: "conversation",
      at: ["/convai/conversations"],
      id: "conversation_id",
      list: { items: "conversations" },
    },
  ],
  uses: [
    {
      path: /^\/(?:text-to-speech|text-to-dialogue|speech-to-speech|dubbing|studio|history|convai)(?:\/|$)/,
      members: {
        voice_id: "voice",
        history_item_id: "history_item",
        history_item_ids: "history_item",
        pronunciation_dictionary_id: "pronunciation_dictionary",
        agent_id: "agent",
      },
      query: { agent_id: "agent", voice_id: "voice" },
    },
  ],
};

export const perplexityOwned: OwnedObjects = {
  kinds: [
    ...openaiOwned.kinds,
    { kind: "async_chat", at: ["/async/chat/completions"], list: { items: "requests" } },
  ],
  uses: openaiOwned.uses,
};

/** Files are sent to where a redirect leads, which names them. */
export const togetherOwned: OwnedObjects = {
  kinds: [
    { kind: "file", at: ["/files"], idHeader: "x-together-file-id", list: { items: "data" } },
    { kind: "fine_tune", at: ["/fine-tunes"], list: { items: "data" } },
    {
      kind: "batch",
      at: ["/batches"],
      madeId: "job.id",
      list: { items: "" },
      gives: { output_file_id: "file", error_file_id: "file" },
    },
    ...openaiOwned.kinds.filter(({ kind }) => kind !== "file" && kind !== "batch"),
  ],
  uses: [
    {
      path: /^\/(?:fine-tunes|batches)(?:\/|$)/,
      members: { training_file: "file", validation_file: "file", input_file_id: "file" },
    },
    ...openaiOwned.uses,
  ],
};

/** Files and batches in OpenAI's shapes, and no more. */
export const filesOwned: OwnedObjects = {
  kinds: [
    { kind: "file", at: ["/files"], list: cursorPage },
    {
      kind: "batch",
      at: ["/batches"],
      list: cursorPage,
      gives: { output_file_id: "file", error_file_id: "file" },
    },
  ],
  uses: [{ path: /^\/batches$/, members: { input_file_id: "file" }, opaque: ["metadata"] }],
};
