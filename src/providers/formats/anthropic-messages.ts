import { readAnthropic } from "./read-anthropic.ts";
import type { UsageFormat } from "./usage.ts";

/** Messages of Anthropic's, and of all that imitate them, plain or streamed. */
export const anthropicMessagesUsage: UsageFormat = {
  watch: ["usage", "model", "stop_reason", "message.usage", "message.model", "delta.stop_reason"],
  text: ["delta.text", "delta.thinking", "delta.partial_json", "content_block.text", "content_block.input"],
  read(found) {
    const start = found.object("message.usage");
    const last = found.object("usage");
    return readAnthropic({
      start,
      last,
      model: found.text("model", "message.model"),
      stopReason: found.text("stop_reason", "delta.stop_reason"),
    });
  },
};
