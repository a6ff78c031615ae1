import { milliseconds } from "./decimal.ts";
import { asCount, count } from "./fields.ts";
import { reported, type UsageFormat } from "./usage.ts";

/** What is billed by the hour beside the transcript itself, each at a price of its own. */
const ADD_ONS = [
  "auto_chapters",
  "auto_highlights",
  "content_safety",
  "domain",
  "entity_detection",
  "filter_profanity",
  "iab_categories",
  "keyterms_prompt",
  "prompt",
  "redact_pii",
  "redact_pii_audio",
  "sentiment_analysis",
  "speaker_labels",
  "speech_understanding",
  "summarization",
];

/** A transcript of AssemblyAI's, once it is there; what its language models make of one. */
export const assemblyaiUsage: UsageFormat = {
  watch: [
    "id",
    "status",
    "audio_duration",
    "audio_channels",
    "speech_model_used",
    "speech_model",
    "usage",
    ...ADD_ONS,
  ],
  read(found) {
    const usage = found.object("usage");
    if (usage !== null) {
      return reported({
        input_tokens: count(usage, "input_tokens"),
        output_tokens: count(usage, "output_tokens"),
      });
    }
    const length = milliseconds(found.newest("audio_duration"));
    if (found.text("status") !== "completed" || length === 0) return null;
    // Told where each channel is transcribed by itself, and billed so.
    const channels = Math.max(1, asCount(found.newest("audio_channels")));
    const hasAddOns = ADD_ONS.some((name) => found.count(name) > 0 && isOn(found.newest(name)));
    return reported(
      { milliseconds: length * channels },
      {
        model: found.text("speech_model_used", "speech_model"),
        jobId: found.text("id"),
        // Not the price of a transcript alone, so that it has none in the price book.
        serviceTier: hasAddOns ? "add-ons" : null,
      },
    );
  },
};

function isOn(value: unknown): boolean {
  return value !== null && value !== false && value !== "" && !(Array.isArray(value) && value.length === 0);
}
