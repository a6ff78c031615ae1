import type { ListShape, OwnedObjects } from "../owned.ts";

const page: ListShape = {
  items: "data",
  next: { parameter: "after_id", from: "last_id", more: "has_more", unless: "before_id" },
};
/** Of what agents keep; skills have `has_more` beside. */
const tokenPage: ListShape = { items: "data", next: { parameter: "page", from: "next_page" } };

/** What code has made, in answers and in streams' events. */
const ranIn = { method: "POST", path: /^\/messages$/, when: "code_execution" } as const;

/** Files, batches, containers, and what agents keep. */
export const anthropicOwned: OwnedObjects = {
  kinds: [
    {
      kind: "file",
      at: ["/files"],
      list: page,
      made: [
        {
          ...ranIn,
          ids: ["content.*.content.content.*.file_id"],
          streamed: ["content_block.content.content.*.file_id"],
        },
      ],
    },
    { kind: "message_batch", at: ["/messages/batches"], list: page },
    {
      kind: "container",
      at: [],
      made: [
        { ...ranIn, ids: ["container.id"], streamed: ["message.container.id", "delta.container.id"] },
        // Skills run in one, whatever the tool is called.
        { ...ranIn, ids: ["container.id"], streamed: ["message.container.id"], when: "skills" },
      ],
    },
    // Anthropic's own have names: `xlsx`.
    { kind: "skill", at: ["/skills"], list: tokenPage, ids: /^skill_/ },
    { kind: "agent", at: ["/agents"], list: tokenPage },
    { kind: "session", at: ["/sessions"], list: tokenPage },
    { kind: "environment", at: ["/environments"], list: tokenPage },
    { kind: "deployment", at: ["/deployments"], list: tokenPage },
    { kind: "deployment_run", at: ["/deployment_runs"], list: tokenPage },
    { kind: "memory_store", at: ["/memory_stores"], list: tokenPage },
    { kind: "dream", at: ["/dreams"], list: tokenPage },
    { kind: "user_profile", at: ["/user_profiles"], list: tokenPage },
  ],
  uses: [
    {
      path: /^\/(?:messages|sessions|agents|deployments|dreams|environments)(?:\/|$)/,
      members: {
        file_id: "file",
        file_ids: "file",
        container: "container",
        container_id: "container",
        skill_id: "skill",
        agent: "agent",
        agent_id: "agent",
        environment: "environment",
        environment_id: "environment",
        session_id: "session",
        session_ids: "session",
        memory_store_id: "memory_store",
        memory_store_ids: "memory_store",
        user_profile_id: "user_profile",
      },
      // What the model has asked of the client's own tools, and what these are.
      opaque: ["metadata", "input", "input_schema"],
    },
    { path: /^\/files$/, members: {}, query: { scope_id: "session", session_id: "session" } },
  ],
};
