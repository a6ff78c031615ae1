import { bounds, type DemandFormat, type Parts } from "./demand.ts";

const PARTS: Parts = {
  names: { cache_control: "caching", ttl: "ttl", file_id: "file" },
  types: { image: "image", document: "file", container_upload: "file" },
};

/** Messages of Anthropic's, and of all that imitate them. */
export const messagesDemand: DemandFormat = {
  bounds: bounds({
    kind: "tokens",
    // The newest models read up to 4,784 of one image.
    imageTokens: 6000,
    cacheWrites: "asked",
    // A workspace may run all of its calls there.
    regions: ["us"],
    // The API itself pauses a turn after ten.
    toolUses: 10,
  }),
  members: {
    model: "model",
    stream: "stream",
    max_tokens: "cap",
    service_tier: "tier",
    speed: "speed",
    inference_geo: "region",
    container: "stored",
    mcp_servers: "serverTool",
    fallbacks: "otherModels",
    fallback: "otherModels",
    models: "otherModels",
    cache_control: "caching",
    system: { parts: PARTS },
    messages: { parts: PARTS },
    // A turn that compacts its context reads it twice.
    context_management: { parts: { types: { compact: "serverTool" } } },
    tools: {
      tools: { by: "type", clientRun: ["custom", "bash_*", "text_editor_*", "computer_*", "memory_*"] },
      parts: { names: { cache_control: "caching", ttl: "ttl" } },
    },
  },
  cap: { member: "max_tokens" },
};
