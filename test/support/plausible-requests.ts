import { inputTokens, outputTokens } from "../../src/domain/usage.ts";
import type { CostFixture } from "./cost-fixtures.ts";
import { formats } from "./usage-fixtures.ts";

/** A request that the answer of a fixture could belong to. */
export interface PlausibleRequest {
  /** Behind the provider's id. */
  readonly path: string;
  readonly body: object;
}

/** Members that an answer shows its request to have had. */
const MORE: Readonly<Record<string, object>> = {
  "anthropic-advisor": { tools: [{ type: "advisor_20260301", name: "advisor", model: "claude-opus-5-5" }] },
  "anthropic-cached": cached("1h"),
  "anthropic-cached-us": { ...cached("1h"), inference_geo: "us" },
  "anthropic-stream": cached("1h"),
  "anthropic-compaction": { context_management: { edits: [{ type: "compact_20260112" }] } },
  "anthropic-fallback": { fallbacks: [{ model: "claude-opus-5" }] },
  "anthropic-fast": { speed: "fast" },
  "anthropic-stream-web-search": { tools: [{ type: "web_search_20250305", name: "web_search" }] },
  "vertex-anthropic": cached("5m"),
  "gemini-cached-audio": { cachedContent: "cachedContents/x" },
  "openrouter-image": { modalities: ["image", "text"] },
  "gemini-interaction": { agent: "deep-research-pro", background: true },
  "gemini-search": { tools: [{ googleSearch: {} }] },
  "gemini-stream-array": {
    contents: [
      { parts: [{ text: "What is it?" }, { inlineData: { mimeType: "image/png", data: "iVBORw0K" } }] },
    ],
  },
  "openai-chat-audio": {
    modalities: ["text", "audio"],
    messages: [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "UklGRg==" } }] }],
  },
  "openai-chat-cache-written": { service_tier: "flex" },
  "openai-chat-cached": { service_tier: "priority" },
  "openai-chat-overlapping": {
    messages: [
      { role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] },
    ],
  },
  "openai-image": { n: 1, image: "data:image/png;base64,iVBORw0K" },
  "openai-image-stream": { n: 1, image: "data:image/png;base64,iVBORw0K" },
  "openai-responses-stream": { service_tier: "priority", tools: [{ type: "web_search" }] },
  "openai-responses-web-search": { tools: [{ type: "web_search" }] },
  "openai-responses-compact": {},
  "perplexity-responses": { tools: [{ type: "web_search" }] },
  "xai-responses": { tools: [{ type: "web_search" }] },
  "cohere-embed": { images: ["data:image/png;base64,iVBORw0K"] },
  "cohere-embed-image-tokens": { images: ["data:image/png;base64,iVBORw0K"] },
  "voyage-multimodal": {
    inputs: [{ content: [{ type: "image_url", image_url: "https://example.com/a.png" }] }],
  },
};

/** @returns null for answers that belong to no call that could be made: results of work that was started before. */
export function plausibleRequest(fixture: CostFixture): PlausibleRequest | null {
  const { answer, name } = fixture;
  const format = Object.keys(formats).find((key) => formats[key] === answer.format) ?? "";
  const usage = answer.expected;
  if (usage === null) return null;
  const { quantities } = usage;
  const model = fixture.model ?? usage.model ?? "";
  // As short as the tokens of its input can be.
  const text = "a".repeat(inputTokens(quantities) || (quantities.characters ?? 1));
  const cap = outputTokens(quantities);
  const more = MORE[name] ?? {};
  const messages = [{ role: "user", content: text }];
  switch (format) {
    case "openai-chat":
      return chat(fixture, { model, text, messages, cap, more });
    case "openai-responses":
      return { path: "/v1/responses", body: { model, input: text, max_output_tokens: cap, ...more } };
    case "openai-images":
      return { path: "/v1/images/generations", body: { model, prompt: text, ...more } };
    case "openai-speech":
      return { path: "/v1/audio/speech", body: { model, input: text } };
    case "anthropic-messages":
      return { path: "/v1/messages", body: { model, max_tokens: cap, messages, ...more } };
    case "vertex-anthropic":
      return { path: answer.path, body: { max_tokens: cap, messages, ...more } };
    case "gemini": {
      const path = /embedding/.test(model) ? `${model}:embedContent` : `${model}:generateContent`;
      const body = { contents: [{ parts: [{ text }] }], generationConfig: { maxOutputTokens: cap }, ...more };
      const base = fixture.provider === "vertex" ? "/v1/publishers/google" : "/v1beta";
      return { path: `${base}/models/${path}`, body };
    }
    case "gemini-interactions":
      return {
        path: "/v1beta/interactions",
        body: { model, input: text, generation_config: { max_output_tokens: cap }, ...more },
      };
    case "google-predict":
      return {
        path: `/v1/publishers/google/models/${model}:predict`,
        body: { instances: [{ content: text }] },
      };
    case "cohere":
      return cohere(quantities, { model, text, messages, cap, more });
    case "voyage":
      return {
        path: more === MORE[name] ? "/multimodalembeddings" : "/embeddings",
        body: { model, input: [text], ...more },
      };
    case "mistral-ocr":
      return { path: "/v1/ocr", body: { model, document: { document_url: "https://example.com/a.pdf" } } };
    case "deepgram":
      return quantities.characters === undefined
        ? null
        : { path: `/v1/speak?model=${model}`, body: { text } };
    case "ollama":
      return { path: "/api/chat", body: { model, messages, options: { num_predict: cap } } };
    default:
      return null;
  }
}

interface Parts {
  readonly model: string;
  readonly text: string;
  readonly messages: readonly object[];
  readonly cap: number;
  readonly more: object;
}

function chat(
  { answer, name }: CostFixture,
  { model, text, messages, cap, more }: Parts,
): PlausibleRequest | null {
  if (answer.expected?.quantities.milliseconds !== undefined) return null;
  if (name === "openai-embeddings") return { path: "/v1/embeddings", body: { model, input: text } };
  if (name === "openai-completions") {
    return { path: "/v1/completions", body: { model, prompt: text, max_tokens: cap } };
  }
  return { path: "/v1/chat/completions", body: { model, messages, max_completion_tokens: cap, ...more } };
}

function cohere(
  { searches, classifications, output_tokens: output }: { readonly [unit: string]: number | undefined },
  { model, text, messages, cap, more }: Parts,
): PlausibleRequest {
  if (searches !== undefined) return { path: "/v2/rerank", body: { model, query: "a", documents: [text] } };
  if (classifications !== undefined) return { path: "/v1/classify", body: { model, inputs: ["a", "b"] } };
  if (output === undefined) return { path: "/v2/embed", body: { model, texts: [text], ...more } };
  return { path: "/v2/chat", body: { model, messages, max_tokens: cap, ...more } };
}

function cached(ttl: string): object {
  return { system: [{ type: "text", text: "You are", cache_control: { type: "ephemeral", ttl } }] };
}
