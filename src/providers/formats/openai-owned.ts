import type { ListShape, OwnedKind, OwnedObjects, UseRule } from "../owned.ts";

/** Cursor pages: `after` is the last element's id. */
export const cursorPage: ListShape = {
  items: "data",
  next: { parameter: "after", from: "last", more: "has_more", unless: "before" },
};
const page = cursorPage;

const kinds: readonly OwnedKind[] = [
  {
    kind: "file",
    at: ["/files"],
    list: page,
    made: [{ method: "POST", path: /^\/uploads\/[^/]+\/complete$/, ids: ["file.id"] }],
  },
  // Files of a store are named by their own ids.
  { kind: "file", at: ["/vector_stores/*/files"], isElsewhere: true },
  { kind: "upload", at: ["/uploads"] },
  {
    kind: "batch",
    at: ["/batches"],
    list: page,
    gives: { output_file_id: "file", error_file_id: "file" },
  },
  {
    kind: "fine_tuning_job",
    at: ["/fine_tuning/jobs"],
    list: page,
    gives: { "result_files.*": "file", fine_tuned_model: "model" },
  },
  // Whom a model may be asked by is for policies to say.
  { kind: "model", at: ["/models"], methods: ["DELETE"], isElsewhere: true },
  {
    kind: "assistant",
    at: ["/assistants"],
    list: page,
    gives: { "tool_resources.file_search.vector_store_ids.*": "vector_store" },
  },
  {
    kind: "thread",
    at: ["/threads"],
    notIds: ["runs"],
    made: [{ method: "POST", path: /^\/threads\/runs$/, ids: ["thread_id"] }],
    streamed: { thread_id: "thread" },
    gives: {
      "tool_resources.file_search.vector_store_ids.*": "vector_store",
      "content.*.image_file.file_id": "file",
      "content.*.text.annotations.*.file_path.file_id": "file",
      "data.*.content.*.image_file.file_id": "file",
      "data.*.content.*.text.annotations.*.file_path.file_id": "file",
    },
  },
  { kind: "vector_store", at: ["/vector_stores"], list: page },
  { kind: "conversation", at: ["/conversations"] },
  {
    kind: "response",
    at: ["/responses"],
    notIds: ["input_tokens", "compact"],
    stored: "unless",
    streamed: { "response.id": "response" },
    gives: { "output.*.container_id": "container" },
  },
  {
    kind: "container",
    at: ["/containers"],
    list: page,
    made: [
      {
        method: "POST",
        path: /^\/responses$/,
        ids: ["output.*.container_id"],
        streamed: ["item.container_id", "response.output.*.container_id"],
        when: "code_interpreter",
      },
    ],
  },
  {
    kind: "chat_completion",
    at: ["/chat/completions", "/deployments/*/chat/completions"],
    stored: "if",
    list: page,
    streamed: { id: "chat_completion" },
  },
  { kind: "eval", at: ["/evals"], list: page },
  {
    kind: "video",
    at: ["/videos"],
    notIds: ["edits", "extensions", "characters"],
    list: page,
    made: [
      { method: "POST", path: /^\/videos\/(?:edits|extensions|[^/]+\/(?:remix|extend|edit))$/, ids: ["id"] },
    ],
  },
  { kind: "video_character", at: ["/videos/characters"], list: page },
  // Others are the provider's own, and have names.
  { kind: "voice", at: ["/audio/voices"], list: page, ids: /^voice_/ },
  { kind: "voice_consent", at: ["/audio/voice_consents"], list: page },
  { kind: "skill", at: ["/skills"], list: page, ids: /^skill_/ },
  { kind: "agent", at: ["/agents"], notIds: ["automations", "environments", "sessions"], list: page },
  { kind: "agent_automation", at: ["/agents/automations"], list: page },
  { kind: "agent_environment", at: ["/agents/environments"], list: page },
  { kind: "agent_session", at: ["/agents/sessions"], list: page },
  { kind: "chatkit_thread", at: ["/chatkit/threads"], list: page },
  { kind: "webhook_endpoint", at: ["/webhook_endpoints"], list: page },
];

const files = {
  file_id: "file",
  file_ids: "file",
  input_file_id: "file",
  training_file: "file",
  validation_file: "file",
};

const references = {
  ...files,
  previous_response_id: "response",
  conversation: "conversation",
  conversation_id: "conversation",
  container: "container",
  container_id: "container",
  vector_store_id: "vector_store",
  vector_store_ids: "vector_store",
  assistant_id: "assistant",
  thread_id: "thread",
  skill_id: "skill",
  agent_id: "agent",
  environment_id: "agent_environment",
  session_id: "agent_session",
  voice: "voice",
  video: "video",
  video_id: "video",
  consent: "voice_consent",
};

const { voice: _, video: __, ...plain } = references;

const uses: readonly UseRule[] = [
  {
    path: /^(?:\/deployments\/[^/]+)?\/chat\/completions$/,
    members: { ...files, voice: "voice" },
    opaque: ["metadata"],
  },
  { path: /^\/containers\/[^/]+\/files$/, members: files, forms: true },
  // What an evaluation reads: `{"type":"file_id","id":"file-..."}`.
  { path: /^\/evals(?:\/|$)/, members: { ...plain, source: "file" }, opaque: ["metadata"] },
  {
    path: /^\/(?:responses|conversations|batches|fine_tuning|assistants|threads|vector_stores|containers|agents|skills)(?:\/|$)/,
    members: plain,
    // Codex says in `client_metadata` which thread and session of its own a call belongs to.
    opaque: ["metadata", "client_metadata"],
  },
  {
    path: /^(?:\/deployments\/[^/]+)?\/(?:images|videos|audio\/(?:speech|voices))(?:\/|$)/,
    members: references,
  },
];

/** OpenAI's own, and of those that imitate it whatever they have of it. */
export const openaiOwned: OwnedObjects = { kinds, uses };
