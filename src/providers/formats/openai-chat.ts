import type { Usage } from "../../domain/usage.ts";
import { milliseconds } from "./decimal.ts";
import { count, type Fields, items, member, text } from "./fields.ts";
import { reportedCost } from "./reported-cost.ts";
import { quantities, reported, tier, type UsageFormat } from "./usage.ts";

/** Chat completions, completions, embeddings and transcriptions of OpenAI's early shape, and all that imitate it. */
export const openaiChatUsage: UsageFormat = {
  watch: [
    "usage",
    "x_groq.usage",
    "usage_breakdown",
    "x_groq.usage_breakdown",
    "model",
    "service_tier",
    "object",
    "choices.*.finish_reason",
  ],
  text: [
    "choices.*.delta.content",
    "choices.*.delta.reasoning_content",
    "choices.*.delta.reasoning",
    "choices.*.delta.refusal",
    "choices.*.delta.tool_calls",
    "choices.*.text",
  ],
  read(found) {
    // Groq's streams have it in a corner of their own, unless they are asked for it as OpenAI's are.
    const usage = found.object("usage", "x_groq.usage");
    if (usage === null) return null;
    const isStream = found.text("object") === "chat.completion.chunk";
    const isUnfinished = isStream || found.count("choices.*.finish_reason") > 0;
    const whole = chatUsage(usage, found.text("model"), found.text("service_tier"));
    // Some tell with every piece what they used so far: without a finish there was more.
    if (isUnfinished && !found.text("choices.*.finish_reason")) return { ...whole, evidence: "counted" };
    const breakdown = found.object("usage_breakdown", "x_groq.usage_breakdown");
    return breakdown === null ? whole : brokenDown(whole, breakdown);
  },
};

/** What a `usage` object in the shape of chat completions means. */
export function chatUsage(usage: Fields, model: string | null, serviceTier: string | null): Usage {
  const inputDetails = member(usage, "prompt_tokens_details");
  const outputDetails = member(usage, "completion_tokens_details");
  const total = count(usage, "total_tokens");
  const completion = count(usage, "completion_tokens");
  // Embeddings and rerankers of some give the total alone.
  const prompt = "prompt_tokens" in usage ? count(usage, "prompt_tokens") : Math.max(0, total - completion);
  const audioMs = milliseconds(usage["prompt_audio_seconds"]);
  const isBySeconds = audioMs > 0;

  // Mistral's audio tokens lie outside of its prompt, and its cached ones among them: what is billed are seconds.
  const cached = isBySeconds ? 0 : cachedTokens(usage, inputDetails);
  const audio = isBySeconds ? 0 : count(inputDetails, "audio_tokens");
  // Each gets at most what those before it left, as `split` says it: this is in the way of most calls there are.
  const inputAudio = Math.min(audio, prompt);
  const cacheRead = Math.min(cached, prompt - inputAudio);
  const unread = prompt - inputAudio - cacheRead;
  const written = Math.min(count(inputDetails, "cache_write_tokens"), unread);
  const inputImages = Math.min(count(inputDetails, "image_tokens"), unread - written);
  const inputText = unread - written - inputImages;

  const citations = count(usage, "citation_tokens");
  const hidden = isBySeconds ? 0 : Math.max(0, total - prompt - completion);
  const reasoning = count(outputDetails, "reasoning_tokens") || count(usage, "reasoning_tokens");
  // xAI and Perplexity reason outside of the completion; Gemini does so here too, and only its total shows it.
  const isOutside = (hidden > 0 && hidden >= reasoning) || reasoning > completion || citations > 0;
  const outputAudio = Math.min(count(outputDetails, "audio_tokens"), completion);
  const outputImages = Math.min(count(outputDetails, "image_tokens"), completion - outputAudio);
  const unseen = completion - outputAudio - outputImages;
  const insideReasoning = isOutside ? 0 : Math.min(reasoning, unseen);
  const outputText = unseen - insideReasoning;
  return reported(
    {
      // What Perplexity read is billed as input, beside the prompt.
      input_tokens: inputText + citations,
      cache_read_tokens: cacheRead,
      cache_write_tokens: written,
      input_audio_tokens: inputAudio,
      input_image_tokens: inputImages,
      output_tokens: outputText,
      reasoning_tokens: isOutside ? Math.max(reasoning, hidden) : insideReasoning,
      output_audio_tokens: outputAudio,
      output_image_tokens: outputImages,
      milliseconds: audioMs,
      searches: count(usage, "num_search_queries"),
    },
    {
      model,
      reportedCost: reportedCost(usage),
      serviceTier: tier(serviceTier ?? text(usage, "service_tier")),
    },
  );
}

/** DeepSeek, Mistral, Moonshot and Together each have their own name for what OpenAI keeps among the details. */
function cachedTokens(usage: Fields, details: Fields | null): number {
  return (
    count(details, "cached_tokens") ||
    count(usage, "prompt_cache_hit_tokens") ||
    count(usage, "num_cached_tokens") ||
    count(usage, "cached_tokens")
  );
}

/** Groq's compound systems: the total is that of several models, each with a price of its own. */
function brokenDown(whole: Usage, breakdown: Fields): Usage {
  const others = items(breakdown, "models").map((part) => ({
    model: text(part, "model"),
    quantities: chatUsage(member(part, "usage") ?? {}, null, null).quantities,
  }));
  return others.length === 0 ? whole : { ...whole, quantities: quantities({}), others };
}
