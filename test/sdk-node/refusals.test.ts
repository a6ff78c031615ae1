/** What each SDK makes of a key that another installation made: its own error for that, at once and with our words. */
import { test } from "bun:test";
import { ApiError, GoogleGenAI } from "@google/genai";
import { InferenceClient, InferenceClientProviderApiError } from "@huggingface/inference";
import { Mistral } from "@mistralai/mistralai";
import { SDKError } from "@mistralai/mistralai/models/errors";
import Perplexity from "@perplexity-ai/perplexity_ai";
import { Cohere, CohereClientV2 } from "cohere-ai";
import Groq from "groq-sdk";
import OpenAI, { AzureOpenAI } from "openai";
import { startGateway } from "../support/gateway.ts";
import { says, startFurtherSession } from "./further.ts";
import { expectRefusal, type Refused } from "./refusal.ts";

const session = await startFurtherSession();
const elsewhere = await startGateway({ env: { OPENAI_API_KEY: "sk-test-fake-elsewhere-0123456789" } });
const question = { model: "some-model", messages: says("Say hello") };

/** Together's is in together.test.ts, the only file that may import it. */
const sdks: Refused[] = [
  {
    provider: "azure",
    error: OpenAI.AuthenticationError,
    ask: () => new AzureOpenAI({ apiVersion: "2024-10-21" }).chat.completions.create(question),
  },
  {
    provider: "cohere",
    error: Cohere.UnauthorizedError,
    ask: ({ url, key }) => new CohereClientV2({ token: key, environment: `${url}/cohere` }).chat(question),
  },
  {
    provider: "gemini",
    error: ApiError,
    ask: () => new GoogleGenAI().models.generateContent({ model: "some-model", contents: "Say hello" }),
  },
  {
    provider: "groq",
    error: Groq.AuthenticationError,
    ask: () => new Groq().chat.completions.create(question),
  },
  {
    provider: "hf-lab",
    error: InferenceClientProviderApiError,
    ask: ({ url, key }) =>
      new InferenceClient(`hf_${key}`, { endpointUrl: `${url}/hf-lab` }).chatCompletion(question),
  },
  {
    provider: "huggingface",
    error: InferenceClientProviderApiError,
    ask: ({ url, key }) =>
      new InferenceClient(`hf_${key}`, { endpointUrl: `${url}/huggingface/v1` }).chatCompletion(question),
  },
  {
    provider: "mistral",
    error: SDKError,
    ask: ({ url, key }) => new Mistral({ apiKey: key, serverURL: `${url}/mistral` }).chat.complete(question),
  },
  {
    provider: "openrouter",
    error: OpenAI.AuthenticationError,
    ask: ({ key }) => {
      const baseURL = process.env["OPENROUTER_BASE_URL"] ?? "";
      return new OpenAI({ apiKey: key, baseURL }).chat.completions.create(question);
    },
  },
  {
    provider: "perplexity",
    error: Perplexity.AuthenticationError,
    ask: () => new Perplexity().chat.completions.create(question),
  },
];

test.each(sdks)("$provider", async (sdk) => {
  await expectRefusal(session, elsewhere.key, sdk);
});
