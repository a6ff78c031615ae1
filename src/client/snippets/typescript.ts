import { usualModels } from "../agents/agent.ts";
import type { Snippet } from "./snippet.ts";

const { openai: gpt, anthropic: claude } = usualModels;

export const typescriptSnippets: readonly Snippet[] = [
  {
    id: "openai-node",
    name: "OpenAI SDK",
    language: "typescript",
    install: "npm install openai",
    provider: "openai",
    code: `import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.LMK_URL + "/openai/v1", apiKey: process.env.LMK_KEY });
const answer = await client.responses.create({ model: "${gpt}", input: "Say hello" });
console.log(answer.output_text);
`,
  },
  {
    id: "anthropic-node",
    name: "Anthropic SDK",
    language: "typescript",
    install: "npm install @anthropic-ai/sdk",
    provider: "anthropic",
    code: `import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: process.env.LMK_URL + "/anthropic", apiKey: process.env.LMK_KEY });
const messages = [{ role: "user", content: "Say hello" }];
const answer = await client.messages.create({ model: "${claude}", max_tokens: 1024, messages });
console.log(answer.content[0].text);
`,
  },
  {
    id: "vercel-ai-sdk",
    name: "Vercel AI SDK",
    language: "typescript",
    install: "npm install ai @ai-sdk/openai",
    provider: "openai",
    code: `import { createOpenAI } from "@ai-sdk/openai";
import { streamText } from "ai";

const openai = createOpenAI({ baseURL: process.env.LMK_URL + "/openai/v1", apiKey: process.env.LMK_KEY });
const { textStream } = streamText({ model: openai("${gpt}"), prompt: "Say hello" });
for await (const text of textStream) process.stdout.write(text);
console.log();
`,
  },
  {
    id: "vercel-ai-sdk-anthropic",
    name: "Vercel AI SDK with Claude",
    language: "typescript",
    install: "npm install ai @ai-sdk/anthropic",
    provider: "anthropic",
    code: `import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText } from "ai";

const anthropic = createAnthropic({
  baseURL: process.env.LMK_URL + "/anthropic/v1",
  apiKey: process.env.LMK_KEY,
});
const { text } = await generateText({ model: anthropic("${claude}"), prompt: "Say hello" });
console.log(text);
`,
  },
];
