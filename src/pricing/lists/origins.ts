/** Where a provider's list prices come from. */
export interface Origin {
  /** Provider ids in genai-prices and in models.dev. */
  readonly genai?: string;
  readonly dev?: readonly string[];
  /** Ours: whose models it sells too, at their prices. */
  readonly also?: readonly string[];
}

/** By our id. Providers of theirs that are not here are subscriptions of other tools. */
export const PROVIDERS: Readonly<Record<string, Origin>> = {
  openai: { genai: "openai", dev: ["openai"] },
  anthropic: { genai: "anthropic", dev: ["anthropic"] },
  cohere: { genai: "cohere", dev: ["cohere"] },
  perplexity: { genai: "perplexity", dev: ["perplexity"] },
  gemini: { genai: "google", dev: ["google"] },
  vertex: {
    genai: "google",
    dev: ["google-vertex", "google-vertex-anthropic"],
    also: ["gemini", "anthropic"],
  },
  azure: { genai: "azure", dev: ["azure"], also: ["openai", "anthropic", "deepseek", "xai", "moonshot"] },
  huggingface: { dev: ["huggingface"] },
  mistral: { genai: "mistral", dev: ["mistral"] },
  groq: { genai: "groq", dev: ["groq"] },
  together: { genai: "together", dev: ["togetherai"] },
  fireworks: { genai: "fireworks", dev: ["fireworks-ai"] },
  deepseek: { genai: "deepseek", dev: ["deepseek"] },
  openrouter: { genai: "openrouter", dev: ["openrouter"] },
  xai: { genai: "x-ai", dev: ["xai"] },
  cerebras: { genai: "cerebras", dev: ["cerebras"] },
  voyage: { genai: "voyageai" },
  bedrock: { genai: "aws", dev: ["amazon-bedrock"] },
  moonshot: { genai: "moonshotai", dev: ["moonshotai"] },
  minimax: { genai: "minimax", dev: ["minimax"] },
  zai: { genai: "zai", dev: ["zai"] },
  novita: { genai: "novita" },
  nebius: { dev: ["nebius"] },
  deepinfra: { dev: ["deepinfra"] },
  baseten: { genai: "baseten" },
  cloudflare: { genai: "cloudflare" },
  // Nobody else lists what these cost.
  assemblyai: {},
  deepgram: {},
  tavily: {},
};
