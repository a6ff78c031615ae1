import { readAnthropic } from "./read-anthropic.ts";
import type { UsageFormat } from "./usage.ts";

const THOUGHTS = ["thinking", "redacted_thinking"];

/** Messages of Anthropic's, and of all that imitate them, plain or streamed. */
export const anthropicMessagesUsage: UsageFormat = {
  watch: [
    "usage",
    "model",
    "stop_reason",
    "message.usage",
    "message.model",
    "delta.stop_reason",
    "content_block.type",
  ],
  text: ["delta.text", "delta.thinking", "delta.partial_json", "content_block.text", "content_block.input"],
  read(found) {
    const start = found.object("message.usage");
    const last = found.object("usage");
    const usage = readAnthropic({
      start,
      last,
      model: found.text("model", "message.model"),
      stopReason: found.text("stop_reason", "delta.stop_reason"),
    });
    // What is shown of its thoughts is a summary, or nothing: until the last report nobody knows how many there were.
    const thinks = THOUGHTS.some((type) => found.tally("content_block.type", type) > 0);
    return usage?.evidence === "counted" && thinks ? { ...usage, evidence: "ceiling" } : usage;
  },
};
