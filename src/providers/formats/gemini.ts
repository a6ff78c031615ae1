import { readGemini } from "./read-gemini.ts";
import { tier, type UsageFormat } from "./usage.ts";

const WATCHED = [
  "usageMetadata",
  "modelVersion",
  "candidates.*.finishReason",
  "candidates.*.content.role",
  "candidates.*.groundingMetadata.webSearchQueries",
];

/**
 * Gemini's and Vertex AI's `generateContent` and `embedContent`; streams as events, or as the pieces of one array.
 * Each piece repeats what was used until then.
 */
export const geminiUsage: UsageFormat = {
  watch: [...WATCHED, ...WATCHED.map((path) => `*.${path}`)],
  text: ["candidates.*.content", "*.candidates.*.content"],
  read(found, headers) {
    const prefix = found.count("usageMetadata") > 0 ? "" : "*.";
    const usage = found.object(`${prefix}usageMetadata`);
    if (usage === null) return null;
    const isCut =
      found.count(`${prefix}candidates.*.content.role`) > 0 &&
      found.text(`${prefix}candidates.*.finishReason`) === null;
    const queries = found.newest(`${prefix}candidates.*.groundingMetadata.webSearchQueries`);
    const whole = readGemini(usage, found.text(`${prefix}modelVersion`), {
      searches: Array.isArray(queries) ? queries.length : 0,
    });
    return {
      ...whole,
      evidence: isCut ? "counted" : "reported",
      serviceTier: whole.serviceTier ?? tier(headers.get("x-gemini-service-tier")),
    };
  },
};
