import { anthropicMessagesUsage } from "./anthropic-messages.ts";
import type { UsageFormat } from "./usage.ts";

/** Messages of Claude on Vertex AI, whose price depends on the location that the path names. */
export const vertexAnthropicUsage: UsageFormat = {
  ...anthropicMessagesUsage,
  read(found, headers, path) {
    const usage = anthropicMessagesUsage.read(found, headers, path);
    const location = /\/locations\/([^/:]+)/.exec(path)?.[1] ?? null;
    return usage && { ...usage, region: location };
  },
};
